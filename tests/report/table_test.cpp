#include "fixtune/report/table.h"

#include <gtest/gtest.h>

namespace fixtune {
namespace {

TEST(TextTable, IsMarkdownWhoseColumnsLineUp) {
  const TextTable table{{"recipe", "accuracy"}, {{"fp32", "0.9"}, {"rowwise", "0.875"}, {"short"}}};
  EXPECT_EQ(table.markdown(),
            "| recipe  | accuracy |\n"
            "|:--------|---------:|\n"
            "| fp32    |      0.9 |\n"
            "| rowwise |    0.875 |\n"
            "| short   |          |\n");
}

TEST(TextTable, CountsCharactersNotBytes) {
  const TextTable table{{"task", "score"}, {{"a", "1 ± 2"}, {"b", "3"}}};
  EXPECT_EQ(table.markdown(),
            "| task | score |\n"
            "|:-----|------:|\n"
            "| a    | 1 ± 2 |\n"
            "| b    |     3 |\n");
}

}  // namespace
}  // namespace fixtune
