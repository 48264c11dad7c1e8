#include "fixtune/io/checksum.h"

#include <gmock/gmock.h>

#include "../temporary_folder.h"

namespace fixtune {
namespace {

TEST(Checksum, IsThePublishedFnv1a) {
  // Test vectors of the FNV authors.
  EXPECT_EQ(checksum(""), 0xcbf29ce484222325ULL);
  EXPECT_EQ(checksum("a"), 0xaf63dc4c8601ec8cULL);
  EXPECT_EQ(checksum("foobar"), 0x85944171f73967e8ULL);
  EXPECT_EQ(checksum("bar", checksum("foo")), checksum("foobar"));
}

TEST(Checksum, OfAFileIsThatOfItsBytes) {
  const TemporaryFolder folder;
  std::string content(3000001, 'x');
  content[2999999] = '\0';
  EXPECT_EQ(file_checksum(folder.write("large", content)), fmt::format("{:016x}", checksum(content)));
  EXPECT_EQ(file_checksum(folder.write("empty", "")), "cbf29ce484222325");
  EXPECT_THAT(error_of([&] { file_checksum(folder.path() / "absent"); }), testing::HasSubstr("absent: No such file"));
}

}  // namespace
}  // namespace fixtune
