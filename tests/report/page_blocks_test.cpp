#include "fixtune/report/page_blocks.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "temporary_folder.h"

namespace fixtune {
namespace {

using ::testing::HasSubstr;

TEST(PageBlocks, ReplacesItsBlockAndKeepsTheRest) {
  const std::string page = "# By hand\n<!-- a -->\nold\n<!-- end a -->\nmore <!-- b -->kept<!-- end b -->\n";
  const std::string replaced = replace_block(page, "a", "new\nlines", "page.md");
  EXPECT_EQ(replaced, "# By hand\n<!-- a -->\nnew\nlines\n<!-- end a -->\nmore <!-- b -->kept<!-- end b -->\n");
  EXPECT_EQ(replace_block(replaced, "a", "new\nlines", "page.md"), replaced) << "a second time";
}

TEST(PageBlocks, NamesThePageAndTheMarkerThatDoesNotFit) {
  const auto message = [](const char* page) { return error_of([&] { replace_block(page, "a", "", "page.md"); }); };
  EXPECT_THAT(message("text"), HasSubstr("page.md: the line <!-- a --> is missing"));
  EXPECT_THAT(message("<!-- a -->"), HasSubstr("<!-- end a --> is missing"));
  EXPECT_THAT(message("<!-- end a --><!-- a -->"), HasSubstr("stands before"));
  EXPECT_THAT(message("<!-- a --><!-- a --><!-- end a -->"), HasSubstr("is there twice"));
}

}  // namespace
}  // namespace fixtune
