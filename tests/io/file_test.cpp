#include "fixtune/io/file.h"

#include <gmock/gmock.h>
#include <unistd.h>

#include "../temporary_folder.h"

namespace fixtune {
namespace {

using testing::HasSubstr;

class FileTest : public testing::Test {
 protected:
  std::ptrdiff_t files() const {
    return std::distance(std::filesystem::directory_iterator(folder_.path()),
                         std::filesystem::directory_iterator());
  }

  TemporaryFolder folder_;
};

TEST_F(FileTest, GivesBackEveryByte) {
  const std::string content(
      "a\0\r\n\xFF"
      "b",
      6);
  const auto path = folder_.path() / "file";
  write_file_atomically(path, content);
  EXPECT_EQ(read_file(path), content);
  write_file_atomically(path, "");
  EXPECT_EQ(read_file(path), "");
  EXPECT_EQ(files(), 1);
}

TEST_F(FileTest, WhatCannotBeReadIsNamed) {
  EXPECT_THAT(error_of([&] { read_file(folder_.path() / "absent"); }), HasSubstr("absent: No such file"));
  EXPECT_THAT(error_of([&] { read_file(folder_.path()); }), HasSubstr(folder_.path().string()));
}

TEST_F(FileTest, UncommittedFileLeavesTheOldOne) {
  const auto path = folder_.write("file", "old");
  {
    AtomicFile file(path);
    file.write("new", 3);
    EXPECT_EQ(files(), 2);
  }
  EXPECT_EQ(read_file(path), "old");
  EXPECT_EQ(files(), 1);
}

TEST_F(FileTest, FailureLeavesNothing) {
  EXPECT_THAT(error_of([&] { write_file_atomically(folder_.path() / "no" / "file", "x"); }),
              HasSubstr("no/file: "));
  std::filesystem::create_directory(folder_.path() / "taken");
  EXPECT_THAT(error_of([&] { write_file_atomically(folder_.path() / "taken", "x"); }), HasSubstr("taken: "));
  EXPECT_EQ(files(), 1);
}

TEST_F(FileTest, FullDiskIsReported) {
  if (!std::filesystem::exists("/dev/full")) GTEST_SKIP();
  std::filesystem::create_symlink("/dev/full", folder_.path() / ("file.partial-" + std::to_string(getpid())));
  EXPECT_THAT(error_of([&] { write_file_atomically(folder_.path() / "file", "x"); }),
              HasSubstr("No space left"));
  EXPECT_EQ(files(), 0);
}

TEST_F(FileTest, WhatKilledProcessesLeftIsRemovedAndNothingElse) {
  for (const char* left : {"model.partial-1", "step-1.partial-22"}) std::filesystem::create_directory(folder_.path() / left);
  folder_.write("model.partial-1/part", "x");
  folder_.write("model.partial-333", "x");
  for (const char* other : {"model", "model.partial-", ".partial-5", "model.partial-5x", "partial-5"}) folder_.write(other, "x");
  remove_partials(folder_.path());
  EXPECT_EQ(files(), 5);
  remove_partials(folder_.path() / "absent");
}

TEST_F(FileTest, FoldersAreMadeAsDeepAsNeeded) {
  create_folders(folder_.path() / "a" / "b");
  create_folders(folder_.path() / "a" / "b");
  EXPECT_TRUE(std::filesystem::is_directory(folder_.path() / "a" / "b"));
  folder_.write("file", "x");
  EXPECT_THAT(error_of([&] { create_folders(folder_.path() / "file" / "c"); }), HasSubstr("file"));
  EXPECT_THAT(error_of([&] { sync_folder(folder_.path() / "absent"); }), HasSubstr("absent: No such file"));
}

}  // namespace
}  // namespace fixtune
