// Holds the source to the table of docs/architecture.md: what each room may include.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <string>

namespace {

using Rooms = std::set<std::string>;

const std::map<std::string, Rooms> allowed = [] {
  std::map<std::string, Rooms> rooms;
  rooms["core"] = {};
  rooms["io"] = {"core"};
  rooms["quant"] = {"core"};
  rooms["gemm"] = {"core", "quant"};
  rooms["linear"] = {"core", "quant", "gemm"};
  rooms["autograd"] = {"core", "quant", "gemm", "linear"};
  rooms["nn"] = {"core", "quant", "gemm", "linear", "autograd"};
  rooms["optim"] = {"core", "quant", "gemm", "linear", "autograd", "nn"};
  rooms["data"] = {"core", "io"};
  rooms["models"] = {"core", "quant", "gemm", "linear", "autograd", "nn", "optim", "data", "io"};
  rooms["train"] = rooms["models"];
  rooms["train"].insert("models");
  rooms["report"] = {"core", "io"};
  return rooms;
}();

/// Every `#include "room/..."` or `#include "fixtune/room/..."` of a file.
Rooms included_rooms(const std::filesystem::path& file) {
  static const std::regex pattern("^#include [\"<](?:fixtune/)?([a-z]+)/");
  Rooms rooms;
  std::ifstream source(file);
  for (std::string line; std::getline(source, line);)
    if (std::smatch match; std::regex_search(line, match, pattern) && allowed.contains(match[1]))
      rooms.insert(match[1]);
  return rooms;
}

TEST(Rooms, IncludeOnlyWhatTheyMay) {
  std::size_t files = 0;
  for (const char* top : {"include/fixtune", "src"}) {
    for (const auto& entry : std::filesystem::recursive_directory_iterator(std::filesystem::path(FIXTUNE_SOURCE) / top)) {
      if (entry.path().extension() != ".h" && entry.path().extension() != ".cpp") continue;
      const std::string room = entry.path().parent_path().filename();
      if (room == "fixtune") continue;  // the umbrella header
      ASSERT_TRUE(allowed.contains(room)) << entry.path() << " lies in no known room";
      for (const std::string& other : included_rooms(entry.path()))
        EXPECT_TRUE(other == room || allowed.at(room).contains(other)) << entry.path() << " includes room " << other;
      ++files;
    }
  }
  EXPECT_GT(files, 80U);
}

TEST(Rooms, OneDnnStaysInItsRoom) {
  for (const auto& entry :
       std::filesystem::recursive_directory_iterator(std::filesystem::path(FIXTUNE_SOURCE) / "include")) {
    if (entry.path().extension() != ".h") continue;
    std::ifstream source(entry.path());
    for (std::string line; std::getline(source, line);)
      EXPECT_FALSE(line.starts_with("#include") && line.find("dnnl") != std::string::npos) << entry.path();
  }
}

}  // namespace
