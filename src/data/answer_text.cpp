#include "fixtune/data/answer_text.h"

#include <unicode/locid.h>
#include <unicode/uchar.h>
#include <unicode/unistr.h>

#include <algorithm>
#include <array>
#include <utility>

namespace fixtune {
namespace {

bool is_ascii_punctuation(UChar32 c) {
  return (c >= 33 && c <= 47) || (c >= 58 && c <= 64) || (c >= 91 && c <= 96) || (c >= 123 && c <= 126);
}

/// Python counts the four information separators in.
bool is_space(UChar32 c) { return u_isUWhiteSpace(c) != 0 || (c >= 0x1C && c <= 0x1F); }

/// What Python's \w matches once underscores are gone: letters, and whatever has a numeric value.
bool is_word_character(UChar32 c) { return u_isalpha(c) != 0 || u_getNumericValue(c) != U_NO_NUMERIC_VALUE; }

bool is_article(std::string_view run) {
  constexpr std::array<std::string_view, 3> articles{"a", "an", "the"};
  return std::find(articles.begin(), articles.end(), run) != articles.end();
}

/// Collects words from runs of word characters and from other characters.
class Words {
 public:
  void add(UChar32 c) {
    if (is_word_character(c)) {
      icu::UnicodeString(c).toUTF8String(run_);
      return;
    }
    end_run();
    if (is_space(c))
      end_word();
    else
      icu::UnicodeString(c).toUTF8String(word_);
  }
  std::vector<std::string> finish() {
    end_run();
    end_word();
    return std::move(words_);
  }

 private:
  void end_run() {
    if (is_article(run_))
      end_word();
    else
      word_ += run_;
    run_.clear();
  }
  void end_word() {
    if (!word_.empty()) words_.push_back(word_);
    word_.clear();
  }

  std::string run_;
  std::string word_;
  std::vector<std::string> words_;
};

}  // namespace

std::vector<std::string> answer_words(std::string_view answer) {
  icu::UnicodeString text = icu::UnicodeString::fromUTF8(answer);
  text.toLower(icu::Locale::getRoot());
  Words words;
  for (std::int32_t i = 0; i < text.length(); i = text.moveIndex32(i, 1))
    if (const UChar32 c = text.char32At(i); !is_ascii_punctuation(c)) words.add(c);
  return words.finish();
}

}  // namespace fixtune
