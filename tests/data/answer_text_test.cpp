#include "fixtune/data/answer_text.h"

#include <gmock/gmock.h>

namespace fixtune {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(AnswerText, DropsCasePunctuationAndArticles) {
  EXPECT_THAT(answer_words("The U.S."), ElementsAre("us"));
  EXPECT_THAT(answer_words("1,000"), ElementsAre("1000"));
  EXPECT_THAT(answer_words("in the  year 1854"), ElementsAre("in", "year", "1854"));
  EXPECT_THAT(answer_words("An apple, a pear; THE END! another then"), ElementsAre("apple", "pear", "end", "another", "then"));
  EXPECT_THAT(answer_words("A"), IsEmpty());
  EXPECT_THAT(answer_words("$5 ^_^ `x` <b> a+b=c ~"), ElementsAre("5", "x", "b", "abc"));
  EXPECT_THAT(answer_words(""), IsEmpty());
}

TEST(AnswerText, OnlyWholeWordsAreArticles) {
  // Punctuation goes first, so that a.n becomes an article and the-end one word; other marks still part words.
  EXPECT_THAT(answer_words("a.n thea the-end"), ElementsAre("thea", "theend"));
  EXPECT_THAT(answer_words("the\xE2\x80\x93" "end"), ElementsAre("\xE2\x80\x93" "end"));
  EXPECT_THAT(answer_words("the\xC2\xB2 a\xE5\x8D\x81 the\xCC\x81"), ElementsAre("the\xC2\xB2", "a\xE5\x8D\x81", "\xCC\x81"));
}

TEST(AnswerText, KnowsOtherScripts) {
  EXPECT_THAT(answer_words("\xC3\x89" "COLE \xCE\xA3\xCE\x9F\xCE\xA3"), ElementsAre("\xC3\xA9" "cole", "\xCF\x83\xCE\xBF\xCF\x82"));
  EXPECT_THAT(answer_words("x\xC2\xA0y\xE3\x80\x80z\x1Fw\xE2\x80\x8Bv"), ElementsAre("x", "y", "z", "w\xE2\x80\x8Bv"));
  EXPECT_THAT(answer_words("\xC2\xABx\xC2\xBB"), ElementsAre("\xC2\xABx\xC2\xBB"));
}

}  // namespace
}  // namespace fixtune
