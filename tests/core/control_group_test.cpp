#include "core/control_group.h"

#include <gtest/gtest.h>

#include "fixtune/core/error.h"
#include "fixtune/core/memory.h"
#include "temporary_folder.h"

namespace fixtune::detail {
namespace {

/// A made-up /proc/self/cgroup and /sys/fs/cgroup.
class ControlGroups : public ::testing::Test {
 protected:
  void write(const std::string& file, const std::string& text) {
    std::filesystem::create_directories((folder_.path() / file).parent_path());
    folder_.write(file, text);
  }
  ControlGroupFiles files() const { return {folder_.path() / "own", folder_.path() / "mounts"}; }

 private:
  TemporaryFolder folder_;
};

TEST_F(ControlGroups, NoneLimitsNothing) {
  EXPECT_FALSE(cpu_quota(files()));
  EXPECT_FALSE(memory_left(files()));
  write("own", "0::/a/b\n");
  write("mounts/a/cpu.max", "max 100000\n");
  write("mounts/a/memory.max", "max\n");
  write("mounts/a/memory.current", "1000\n");
  EXPECT_FALSE(cpu_quota(files()));
  EXPECT_FALSE(memory_left(files()));
}

TEST_F(ControlGroups, TheLeastOfAGroupAndThoseAboveItCounts) {
  write("own", "0::/a/b\n");
  write("mounts/a/b/cpu.max", "300000 100000\n");
  EXPECT_EQ(cpu_quota(files()), 3.0);
  write("mounts/a/cpu.max", "150000 100000\n");
  EXPECT_EQ(cpu_quota(files()), 1.5);
  write("mounts/cpu.max", "50000 100000\n");
  EXPECT_EQ(cpu_quota(files()), 0.5);
  write("mounts/a/b/memory.max", "1000000\n");
  write("mounts/a/b/memory.current", "700000\n");
  EXPECT_EQ(memory_left(files()), 300000U);
  write("mounts/a/b/memory.stat", "anon 400000\ninactive_file 250000\nactive_file 50000\n");
  EXPECT_EQ(memory_left(files()), 550000U);
  write("mounts/a/memory.max", "10\n");
  write("mounts/a/memory.current", "700000\n");
  EXPECT_EQ(memory_left(files()), 0U);
}

TEST_F(ControlGroups, VersionOneIsReadToo) {
  write("own", "5:memory:/job\n4:cpu,cpuacct:/job\n3:cpuset:/other\n");
  write("mounts/cpu,cpuacct/job/cpu.cfs_quota_us", "200000\n");
  write("mounts/cpu,cpuacct/job/cpu.cfs_period_us", "100000\n");
  write("mounts/cpu,cpuacct/cpu.cfs_quota_us", "-1\n");
  write("mounts/cpu,cpuacct/cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(cpu_quota(files()), 2.0);
  write("mounts/memory/job/memory.limit_in_bytes", "5000\n");
  write("mounts/memory/job/memory.usage_in_bytes", "1000\n");
  EXPECT_EQ(memory_left(files()), 4000U);
}

// Where a container shows its own group as the root, the path in /proc is the host's.
TEST_F(ControlGroups, TheMountItselfIsAsked) {
  write("own", "0::/host/path/of/the/container\n");
  write("mounts/cpu.max", "200000 100000\n");
  EXPECT_EQ(cpu_quota(files()), 2.0);
}

TEST_F(ControlGroups, OddFilesLimitNothing) {
  write("own", "no colons\n0::\n7:cpu\n:::\n0::/a\n");
  write("mounts/a/cpu.max", "words\n");
  write("mounts/a/memory.max", "-\n");
  EXPECT_FALSE(cpu_quota(files()));
  EXPECT_FALSE(memory_left(files()));
}

TEST(Memory, WhatCannotFitIsRefusedWithItsSize) {
  EXPECT_GT(available_memory(), std::uint64_t{1} << 20);
  EXPECT_NO_THROW(require_memory(1, "a byte"));
  try {
    require_memory(std::uint64_t{1} << 60, "the model");
    FAIL();
  } catch (const Error& error) {
    const std::string message = error.what();
    EXPECT_NE(message.find("the model needs 1073741824.00 GiB"), std::string::npos) << message;
    EXPECT_NE(message.find("available"), std::string::npos);
  }
}

}  // namespace
}  // namespace fixtune::detail
