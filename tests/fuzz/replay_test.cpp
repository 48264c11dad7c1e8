// Every seed through its target: inputs that once broke a reader, and ones that reach far into it.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include "fixtune/io/file.h"
#include "targets.h"

namespace fixtune {
namespace {

const std::filesystem::path seeds = FIXTUNE_FUZZ_SEEDS;

class FuzzSeeds : public ::testing::TestWithParam<fuzz::Target> {};

TEST_P(FuzzSeeds, AreReadOrRefused) {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(seeds / GetParam().name)) files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  ASSERT_FALSE(files.empty());
  for (const std::filesystem::path& file : files) {
    SCOPED_TRACE(file.filename().string());
    const std::string content = read_file(file);
    EXPECT_NO_THROW(GetParam().run({reinterpret_cast<const std::uint8_t*>(content.data()), content.size()}));
    // Cut short anywhere, too.
    for (std::size_t length = 0; length < content.size(); length += 1 + content.size() / 37)
      EXPECT_NO_THROW(GetParam().run({reinterpret_cast<const std::uint8_t*>(content.data()), length})) << length;
  }
}

INSTANTIATE_TEST_SUITE_P(Readers, FuzzSeeds, ::testing::ValuesIn(fuzz::targets),
                         [](const auto& tested) { return std::string(tested.param.name); });

}  // namespace
}  // namespace fixtune
