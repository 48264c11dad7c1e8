#include "data/normalizer.h"

#include <unicode/locid.h>
#include <unicode/normalizer2.h>
#include <unicode/uchar.h>
#include <unicode/uniset.h>
#include <unicode/unistr.h>
#include <unicode/ustring.h>
#include <unicode/utf8.h>

#include <algorithm>
#include <array>

#include "fixtune/core/error.h"

namespace fixtune {
namespace {

// The reference's categories are those of Unicode 8, its decompositions those of Unicode 9: characters that came
// later are letters to it, whatever the Unicode library here knows of them.
constexpr std::uint8_t category_version = 8;
constexpr const char16_t* decomposed_characters = u"[:age=9.0:]";

// Characters whose category has changed since.
constexpr char32_t canadian_chi_sign = 0x166d;     // was punctuation, is a symbol
constexpr char32_t hanunoo_pamudpod = 0x1734;      // was a nonspacing mark, is a spacing one
constexpr char32_t sharada_sandhi_mark = 0x111c9;  // was punctuation, is a nonspacing mark
constexpr std::array<char32_t, 4> later_accents{0x1885, 0x1886, 0xa9bd, sharada_sandhi_mark};

bool is_known(char32_t c) {
  UVersionInfo age{};
  u_charAge(static_cast<UChar32>(c), age);
  return age[0] >= 1 && age[0] <= category_version;
}

bool has_category(char32_t c, std::uint32_t mask) {
  return (U_GET_GC_MASK(static_cast<UChar32>(c)) & mask) != 0 && is_known(c);
}

bool is_white_space(char32_t c) { return u_isUWhiteSpace(static_cast<UChar32>(c)) != 0; }

bool is_dropped(char32_t c) {
  if (c == '\t' || c == '\n' || c == '\r') return false;
  return c == 0xfffd || has_category(c, U_GC_CC_MASK | U_GC_CF_MASK | U_GC_CO_MASK);
}

bool is_accent(char32_t c) {
  if (c == hanunoo_pamudpod) return true;
  if (std::find(later_accents.begin(), later_accents.end(), c) != later_accents.end()) return false;
  return has_category(c, U_GC_MN_MASK);
}

/// The fifth range starts where the reference's does, a block late.
bool is_ideograph(char32_t c) {
  return (c >= 0x4e00 && c <= 0x9fff) || (c >= 0x3400 && c <= 0x4dbf) || (c >= 0x20000 && c <= 0x2a6df) ||
         (c >= 0x2a700 && c <= 0x2b73f) || (c >= 0x2b740 && c <= 0x2b81f) || (c >= 0x2b920 && c <= 0x2ceaf) ||
         (c >= 0xf900 && c <= 0xfaff) || (c >= 0x2f800 && c <= 0x2fa1f);
}

bool is_punctuation(char32_t c) {
  if (c < 0x80) return (c >= 33 && c <= 47) || (c >= 58 && c <= 64) || (c >= 91 && c <= 96) || (c >= 123 && c <= 126);
  return c == canadian_chi_sign || c == sharada_sandhi_mark || has_category(c, U_GC_P_MASK);
}

std::u32string cleaned(std::u32string_view text, bool split_chinese) {
  std::u32string result;
  for (const char32_t c : text) {
    if (is_dropped(c)) continue;
    if (split_chinese && is_ideograph(c))
      result.append({U' ', c, U' '});
    else
      result.push_back(is_white_space(c) ? U' ' : c);
  }
  return result;
}

void require_success(UErrorCode status) {
  if (U_FAILURE(status)) fail("the Unicode library cannot decompose: {}", u_errorName(status));
}

icu::FilteredNormalizer2 make_decomposer() {
  UErrorCode status = U_ZERO_ERROR;
  static const icu::UnicodeSet characters(decomposed_characters, status);
  const icu::Normalizer2* nfd = icu::Normalizer2::getNFDInstance(status);
  require_success(status);
  return {*nfd, characters};
}

icu::UnicodeString decomposed(const std::u32string& text) {
  static const icu::FilteredNormalizer2 filtered = make_decomposer();
  const icu::Normalizer2& decomposer = filtered;
  UErrorCode status = U_ZERO_ERROR;
  const auto source =
      icu::UnicodeString::fromUTF32(reinterpret_cast<const UChar32*>(text.data()), static_cast<int32_t>(text.size()));
  icu::UnicodeString result = decomposer.normalize(source, status);
  require_success(status);
  return result;
}

std::u32string without_accents(const std::u32string& text) {
  const icu::UnicodeString letters_and_marks = decomposed(text);
  std::u32string result;
  for (int32_t i = 0; i < letters_and_marks.length(); i = letters_and_marks.moveIndex32(i, 1))
    if (const auto c = static_cast<char32_t>(letters_and_marks.char32At(i)); !is_accent(c)) result.push_back(c);
  return result;
}

/// Lower case of each code point by itself, as the reference does: no context, so no final sigma.
std::u32string lowered(const std::u32string& text) {
  std::u32string result;
  for (const char32_t c : text) {
    icu::UnicodeString one(static_cast<UChar32>(c));
    one.toLower(icu::Locale::getRoot());
    // By itself a capital sigma is never final.
    for (int32_t i = 0; i < one.length(); i = one.moveIndex32(i, 1))
      result.push_back(static_cast<char32_t>(one.char32At(i)));
  }
  return result;
}

}  // namespace

std::u32string decode_utf8(std::string_view text) {
  std::u32string result;
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(text.data());
  const std::size_t size = text.size();
  for (std::size_t i = 0; i < size;) {
    UChar32 c = 0;
    U8_NEXT_OR_FFFD(bytes, i, size, c);
    result.push_back(static_cast<char32_t>(c));
  }
  return result;
}

std::string encode_utf8(std::u32string_view text) {
  std::string result;
  icu::UnicodeString::fromUTF32(reinterpret_cast<const UChar32*>(text.data()), static_cast<int32_t>(text.size()))
      .toUTF8String(result);
  return result;
}

std::u32string normalize(std::u32string_view text, const WordPieceOptions& options) {
  std::u32string result = cleaned(text, options.split_chinese);
  if (options.strip_accents) result = without_accents(result);
  if (options.lowercase) result = lowered(result);
  return result;
}

std::vector<std::u32string> split_words(std::u32string_view text) {
  std::vector<std::u32string> words;
  bool open = false;
  for (const char32_t c : text) {
    if (is_white_space(c)) {
      open = false;
    } else if (is_punctuation(c)) {
      words.emplace_back(1, c);
      open = false;
    } else {
      if (!open) words.emplace_back();
      words.back().push_back(c);
      open = true;
    }
  }
  return words;
}

}  // namespace fixtune
