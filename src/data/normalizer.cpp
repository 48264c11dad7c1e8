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

void add_clean(char32_t c, Index source, bool set_ideographs_apart, NormalizedText& text) {
  if (is_dropped(c)) return;
  const bool apart = set_ideographs_apart && is_ideograph(c);
  if (apart) text.add(U' ', source);
  text.add(is_space(c) ? U' ' : c, source);
  if (apart) text.add(U' ', source);
}

NormalizedText clean(std::string_view text, bool set_ideographs_apart) {
  NormalizedText cleaned;
  cleaned.characters.reserve(text.size());
  cleaned.sources.reserve(text.size());
  const icu::UnicodeString source = icu::UnicodeString::fromUTF8(text);
  Index place = 0;
  for (std::int32_t i = 0; i < source.length(); i = source.moveIndex32(i, 1))
    add_clean(static_cast<char32_t>(source.char32At(i)), place++, set_ideographs_apart, cleaned);
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

void add_decomposed(const icu::Normalizer2& decomposer, char32_t c, Index source, NormalizedText& text) {
  icu::UnicodeString parts;
  if (!decomposer.getDecomposition(code_point(c), parts)) return text.add(c, source);
  for (std::int32_t i = 0; i < parts.length(); i = parts.moveIndex32(i, 1))
    text.add(static_cast<char32_t>(parts.char32At(i)), source);
}

/// Canonical ordering: marks that follow one character stand by their combining class, equal ones as they came.
/// Sources keep their places, as in the reference.
void order_marks(const icu::Normalizer2& decomposer, std::u32string& text) {
  const auto combining_class = [&](char32_t c) { return decomposer.getCombiningClass(code_point(c)); };
  const auto is_mark = [&](char32_t c) { return combining_class(c) != 0; };
  for (auto begin = text.begin(); begin != text.end();) {
    begin = std::find_if(begin, text.end(), is_mark);
    const auto end = std::find_if_not(begin, text.end(), is_mark);
    std::stable_sort(begin, end, [&](char32_t a, char32_t b) { return combining_class(a) < combining_class(b); });
    begin = end;
  }
}

NormalizedText decompose(const NormalizedText& text) {
  static const icu::FilteredNormalizer2 decomposer = make_decomposer();
  NormalizedText result;
  for (std::size_t i = 0; i < text.characters.size(); ++i)
    add_decomposed(decomposer, text.characters[i], text.sources[i], result);
  order_marks(decomposer, result.characters);
  return result;
}

NormalizedText without_accents(const NormalizedText& text) {
  const NormalizedText decomposed = decompose(text);
  NormalizedText stripped;
  for (std::size_t i = 0; i < decomposed.characters.size(); ++i)
    if (!is_accent(decomposed.characters[i])) stripped.add(decomposed.characters[i], decomposed.sources[i]);
  return stripped;
}

/// Lowercases without a look at the neighbours, so that a final sigma stays an ordinary one. The reference
/// knows Unicode 17's capitals: an older ICU leaves the new ones (55 with ICU 72) as they are.
void add_lowercase(char32_t c, Index source, NormalizedText& text) {
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
    text.add(static_cast<char32_t>(out), source);
  }
}

NormalizedText lowercase(const NormalizedText& text) {
  NormalizedText result;
  result.characters.reserve(text.characters.size());
  result.sources.reserve(text.sources.size());
  for (std::size_t i = 0; i < text.characters.size(); ++i) {
    const char32_t c = text.characters[i];
    if (c >= 0x80)
      add_lowercase(c, text.sources[i], result);
    else
      result.add(c >= U'A' && c <= U'Z' ? c + 32 : c, text.sources[i]);
  }
  return result;
}

}  // namespace

NormalizedText normalize(std::string_view text, const WordPieceOptions& options) {
  NormalizedText result = clean(text, options.chinese_characters);
  if (options.strip_accents && !is_ascii(result.characters)) result = without_accents(result);
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
