#include "fixtune/io/json.h"

#include <gmock/gmock.h>

#include "../temporary_folder.h"

namespace fixtune {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

std::string refusal(std::string_view text) {
  return error_of([&] { parse_json(text, "config.json"); });
}

TEST(JsonTest, KeepsTheOrderOfKeys) {
  EXPECT_EQ(parse_json(R"({"z": 1, "a": [2.5, null]})", "config.json").dump(), R"({"z":1,"a":[2.5,null]})");
}

TEST(JsonTest, MalformedTextIsRefusedByLine) {
  EXPECT_THAT(refusal("{\n\"a\": 1,\n\"b\" 2}"), StartsWith("config.json:3: "));
  EXPECT_THAT(refusal(""), StartsWith("config.json:1: "));
  EXPECT_THAT(refusal("{} x"), StartsWith("config.json:1: "));
  EXPECT_THAT(refusal("{\n\"a\": \"\xE9\"}"), StartsWith("config.json:2: "));
  EXPECT_THAT(refusal("[1e999]"), StartsWith("config.json: "));
}

TEST(JsonTest, FileIsNamed) {
  const TemporaryFolder folder;
  EXPECT_EQ(read_json(folder.write("good.json", "{\"a\": 1}"))["a"], 1);
  EXPECT_THAT(error_of([&] { read_json(folder.write("bad.json", "{\n")); }), HasSubstr("bad.json:2: "));
  EXPECT_THAT(error_of([&] { read_json(folder.path() / "absent.json"); }), HasSubstr("absent.json: "));
}

}  // namespace
}  // namespace fixtune
