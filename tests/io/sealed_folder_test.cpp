#include "fixtune/io/sealed_folder.h"

#include <gmock/gmock.h>

#include "../temporary_folder.h"
#include "fixtune/io/file.h"
#include "fixtune/io/folder_lock.h"

namespace fixtune {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

class SealedFolderTest : public testing::Test {
 protected:
  void make() const {
    SealedFolder folder(path_);
    write_file_atomically(folder.temporary() / "a", "alpha");
    write_file_atomically(folder.temporary() / "b", "");
    EXPECT_FALSE(std::filesystem::exists(path_));
    folder.commit();
  }
  std::string flaw_after(const std::function<void()>& damage, SealCheck check = SealCheck::Contents) const {
    std::filesystem::remove_all(path_);
    make();
    EXPECT_THAT(flaw(path_, SealCheck::Contents), IsEmpty());
    damage();
    return flaw(path_, check);
  }
  void write(const char* name, std::string_view content) const {
    std::ofstream(path_ / name, std::ios::binary) << content;
  }

  TemporaryFolder around_;
  std::filesystem::path path_ = around_.path() / "deep" / "sealed";
};

TEST_F(SealedFolderTest, AppearsWhenCommittedAndLeavesNothingElse) {
  make();
  EXPECT_EQ(read_file(path_ / "a"), "alpha");
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(path_.parent_path()), {}), 1);
  { SealedFolder dropped(around_.path() / "dropped"); }
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(around_.path()), {}), 1);
}

TEST_F(SealedFolderTest, EveryDamageIsSeenAndNamed) {
  EXPECT_THAT(flaw_after([&] { std::filesystem::remove(path_ / "b"); }), HasSubstr("b is missing"));
  EXPECT_THAT(flaw_after([&] { write("a", "alph"); }, SealCheck::Sizes), HasSubstr("a has another size"));
  EXPECT_THAT(flaw_after([&] { write("a", "alphb"); }), HasSubstr("a has another checksum"));
  EXPECT_THAT(flaw_after([&] { write("c", ""); }), HasSubstr("c does not belong"));
  EXPECT_THAT(flaw_after([&] { std::filesystem::create_directory(path_ / "d"); }), HasSubstr("checksums.json"));
  EXPECT_THAT(flaw_after([&] { std::filesystem::remove(path_ / "checksums.json"); }), HasSubstr("checksums.json"));
  for (const char* seal : {"", "{", "[]", "{}", "3", R"({"a": 5, "b": {}})"})
    EXPECT_NE(flaw_after([&] { write("checksums.json", seal); }), "") << seal;
  EXPECT_THAT(flaw(around_.path() / "absent", SealCheck::Sizes), HasSubstr("absent"));
}

TEST_F(SealedFolderTest, WhatCannotBeMadeIsNamed) {
  const auto file = around_.write("file", "");
  EXPECT_THAT(error_of([&] { SealedFolder(file / "sealed"); }), HasSubstr("file"));
}

TEST_F(SealedFolderTest, ALockIsHeldUntilItGoes) {
  {
    const FolderLock held(around_.path());
    EXPECT_THAT(error_of([&] { FolderLock(around_.path()); }), HasSubstr("another process"));
  }
  EXPECT_EQ(error_of([&] { FolderLock(around_.path()); }), "no error");
  EXPECT_THAT(error_of([&] { FolderLock(around_.path() / "absent"); }), HasSubstr("absent: No such file"));
}

}  // namespace
}  // namespace fixtune
