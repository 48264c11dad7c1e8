#include "data/normalizer.h"

#include <unicode/locid.h>
#include <unicode/normalizer2.h>
#include <unicode/uchar.h>
#include <unicode/unistr.h>
#include <unicode/ustring.h>
#include <unicode/utf8.h>

#include "fixtune/core/error.h"

namespace fixtune {
namespace {

bool is_white_space(char32_t c) {
  return c == '\t' || c == '\n' || c == '\r' || u_isUWhiteSpace(static_cast<UChar32>(c)) != 0;
}

bool is_dropped(char32_t c) {
  if (c == 0 || c == 0xfffd) return true;
  if (c == '\t' || c == '\n' || c == '\r') return false;
  const auto type = u_charType(static_cast<UChar32>(c));
  return type == U_CONTROL_CHAR || type == U_FORMAT_CHAR || type == U_UNASSIGNED || type == U_PRIVATE_USE_CHAR;
}

bool is_ideograph(char32_t c) {
  return (c >= 0x4e00 && c <= 0x9fff) || (c >= 0x3400 && c <= 0x4dbf) || (c >= 0x20000 && c <= 0x2a6df) ||
         (c >= 0x2a700 && c <= 0x2b73f) || (c >= 0x2b740 && c <= 0x2b81f) || (c >= 0x2b920 && c <= 0x2ceaf) ||
         (c >= 0xf900 && c <= 0xfaff) || (c >= 0x2f800 && c <= 0x2fa1f);
}

bool is_punctuation(char32_t c) {
  if ((c >= 33 && c <= 47) || (c >= 58 && c <= 64) || (c >= 91 && c <= 96) || (c >= 123 && c <= 126)) return true;
  return (U_GET_GC_MASK(static_cast<UChar32>(c)) & U_GC_P_MASK) != 0;
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

std::u32string without_accents(const std::u32string& text) {
  UErrorCode status = U_ZERO_ERROR;
  const icu::Normalizer2* nfd = icu::Normalizer2::getNFDInstance(status);
  if (U_FAILURE(status)) fail("the Unicode library has no decomposition data: {}", u_errorName(status));
  const auto source =
      icu::UnicodeString::fromUTF32(reinterpret_cast<const UChar32*>(text.data()), static_cast<int32_t>(text.size()));
  const icu::UnicodeString decomposed = nfd->normalize(source, status);
  std::u32string result;
  for (int32_t i = 0; i < decomposed.length(); i = decomposed.moveIndex32(i, 1))
    if (const UChar32 c = decomposed.char32At(i); u_charType(c) != U_NON_SPACING_MARK)
      result.push_back(static_cast<char32_t>(c));
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
