#include "data/normalizer.h"

#include <unicode/normalizer2.h>
#include <unicode/uchar.h>
#include <unicode/uniset.h>
#include <unicode/unistr.h>
#include <unicode/ustring.h>
#include <unicode/utf16.h>
#include <unicode/utf8.h>

#include <algorithm>
#include <array>

#include "fixtune/core/error.h"

namespace fixtune {
namespace {

// The reference drops, strips and splits by the tables of Unicode 8, and decomposes by those of Unicode 9.
constexpr std::uint8_t category_version = 8;
constexpr const char16_t* decomposition_set = u"[:age=9.0:]";

// Characters whose category has changed since.
constexpr char32_t canadian_chi_sign = 0x166D;     // was punctuation, is a symbol
constexpr char32_t hanunoo_pamudpod = 0x1734;      // was a nonspacing mark, is a spacing one
constexpr char32_t sharada_sandhi_mark = 0x111C9;  // was punctuation, is a nonspacing mark
constexpr std::array<char32_t, 4> later_accents{0x1885, 0x1886, 0xA9BD, sharada_sandhi_mark};

UChar32 code_point(char32_t c) { return static_cast<UChar32>(c); }

std::u32string code_points(const icu::UnicodeString& text) {
  std::u32string result;
  result.reserve(static_cast<std::size_t>(text.length()));
  for (std::int32_t i = 0; i < text.length(); i = text.moveIndex32(i, 1))
    result += static_cast<char32_t>(text.char32At(i));
  return result;
}

bool is_ascii(std::u32string_view text) {
  return std::all_of(text.begin(), text.end(), [](char32_t c) { return c < 0x80; });
}

/// Whether the reference's categories include the character.
bool is_known(char32_t c) {
  UVersionInfo age{};
  u_charAge(code_point(c), age);
  return age[0] >= 1 && age[0] <= category_version;
}

bool is_space(char32_t c) { return u_isUWhiteSpace(code_point(c)) != 0; }

bool is_dropped(char32_t c) {
  if (c == '\t' || c == '\n' || c == '\r') return false;
  if (c == 0xFFFD) return true;
  return (U_GET_GC_MASK(code_point(c)) & (U_GC_CC_MASK | U_GC_CF_MASK | U_GC_CO_MASK)) != 0 && is_known(c);
}

bool is_punctuation(char32_t c) {
  if (c < 0x80)
    return (c >= 33 && c <= 47) || (c >= 58 && c <= 64) || (c >= 91 && c <= 96) || (c >= 123 && c <= 126);
  if (c == canadian_chi_sign || c == sharada_sandhi_mark) return true;
  return u_ispunct(code_point(c)) != 0 && is_known(c);
}

bool is_accent(char32_t c) {
  if (c == hanunoo_pamudpod) return true;
  if (std::find(later_accents.begin(), later_accents.end(), c) != later_accents.end()) return false;
  return u_charType(code_point(c)) == U_NON_SPACING_MARK && is_known(c);
}

/// The fifth range starts where the reference's does, a block late.
bool is_ideograph(char32_t c) {
  return (c >= 0x4E00 && c <= 0x9FFF) || (c >= 0x3400 && c <= 0x4DBF) || (c >= 0x20000 && c <= 0x2A6DF) ||
         (c >= 0x2A700 && c <= 0x2B81F) || (c >= 0x2B920 && c <= 0x2CEAF) || (c >= 0xF900 && c <= 0xFAFF) ||
         (c >= 0x2F800 && c <= 0x2FA1F);
}

void append_clean(char32_t c, bool set_ideographs_apart, std::u32string& text) {
  if (is_dropped(c)) return;
  if (is_space(c)) {
    text += U' ';
  } else if (set_ideographs_apart && is_ideograph(c)) {
    text += {U' ', c, U' '};
  } else {
    text += c;
  }
}

std::u32string clean(std::string_view text, bool set_ideographs_apart) {
  std::u32string cleaned;
  cleaned.reserve(text.size());
  for (const char32_t c : code_points(icu::UnicodeString::fromUTF8(text)))
    append_clean(c, set_ideographs_apart, cleaned);
  return cleaned;
}

void check(UErrorCode status) {
  if (U_FAILURE(status)) fail("ICU: {}", u_errorName(status));
}

/// Canonical decomposition (NFD) that leaves later characters alone.
icu::FilteredNormalizer2 make_decomposer() {
  UErrorCode status = U_ZERO_ERROR;
  static const icu::UnicodeSet characters(decomposition_set, status);
  const icu::Normalizer2* nfd = icu::Normalizer2::getNFDInstance(status);
  check(status);
  return {*nfd, characters};
}

std::u32string decompose(std::u32string_view text) {
  static const icu::FilteredNormalizer2 filtered = make_decomposer();
  const icu::Normalizer2& decomposer = filtered;
  icu::UnicodeString composed;
  for (const char32_t c : text) composed.append(code_point(c));
  UErrorCode status = U_ZERO_ERROR;
  const icu::UnicodeString decomposed = decomposer.normalize(composed, status);
  check(status);
  return code_points(decomposed);
}

std::u32string without_accents(std::u32string_view text) {
  std::u32string stripped = decompose(text);
  std::erase_if(stripped, is_accent);
  return stripped;
}

/// Lowercases without a look at the neighbours, so that a final sigma stays an ordinary one. The reference
/// knows Unicode 17's capitals: an older ICU leaves the new ones (55 with ICU 72) as they are.
void append_lowercase(char32_t c, std::u32string& text) {
  std::array<UChar, 2> upper{};
  std::array<UChar, 8> lower{};
  std::int32_t upper_length = 0;
  U16_APPEND_UNSAFE(upper.data(), upper_length, code_point(c));
  UErrorCode status = U_ZERO_ERROR;
  const std::int32_t length = u_strToLower(lower.data(), static_cast<std::int32_t>(lower.size()),
                                           upper.data(), upper_length, "", &status);
  check(status);
  for (std::int32_t i = 0; i < length;) {
    UChar32 out = 0;
    U16_NEXT(lower.data(), i, length, out);
    text += static_cast<char32_t>(out);
  }
}

std::u32string lowercase(std::u32string_view text) {
  std::u32string result;
  result.reserve(text.size());
  for (const char32_t c : text) {
    if (c >= 0x80)
      append_lowercase(c, result);
    else
      result += c >= U'A' && c <= U'Z' ? c + 32 : c;
  }
  return result;
}

}  // namespace

std::u32string normalize(std::string_view text, const WordPieceOptions& options) {
  std::u32string result = clean(text, options.chinese_characters);
  if (options.strip_accents && !is_ascii(result)) result = without_accents(result);
  if (options.lowercase) result = lowercase(result);
  return result;
}

std::vector<std::u32string_view> split_words(std::u32string_view text) {
  std::vector<std::u32string_view> words;
  std::size_t start = 0;
  for (std::size_t i = 0; i <= text.size(); ++i) {
    const bool ends = i == text.size() || is_space(text[i]);
    const bool mark = !ends && is_punctuation(text[i]);
    if (!ends && !mark) continue;
    if (i > start) words.push_back(text.substr(start, i - start));
    if (mark) words.push_back(text.substr(i, 1));
    start = i + 1;
  }
  return words;
}

void append_utf8(char32_t c, std::string& text) {
  std::array<char, 4> bytes{};
  std::size_t length = 0;
  U8_APPEND_UNSAFE(bytes.data(), length, c);
  text.append(bytes.data(), length);
}

}  // namespace fixtune
