#include "fixtune/data/wordpiece.h"

#include <algorithm>
#include <array>
#include <unordered_map>

#include "data/normalizer.h"
#include "data/vocabulary_file.h"
#include "fixtune/core/error.h"

namespace fixtune {
namespace {

constexpr std::array<std::string_view, 5> special_tokens{"[UNK]", "[SEP]", "[PAD]", "[CLS]", "[MASK]"};

}  // namespace

struct WordPiece::Vocabulary {
  std::unordered_map<std::u32string, std::int32_t> ids;
  std::vector<std::pair<std::string, std::int32_t>> specials;
  std::int32_t unknown = 0, classify = 0, separate = 0;
  Index size = 0;
};

WordPiece::WordPiece(const std::vector<std::string>& vocabulary, const WordPieceOptions& options,
                     std::string_view where)
    : options_(options) {
  auto v = std::make_shared<Vocabulary>();
  v->size = static_cast<Index>(vocabulary.size());
  for (std::size_t i = 0; i < vocabulary.size(); ++i)
    v->ids[decode_utf8(vocabulary[i])] = static_cast<std::int32_t>(i);
  for (const std::string_view token : special_tokens)
    if (const auto found = v->ids.find(decode_utf8(token)); found != v->ids.end())
      v->specials.emplace_back(token, found->second);
  const auto required = [&](std::string_view token) {
    const auto found = v->ids.find(decode_utf8(token));
    if (found == v->ids.end()) fail("{}: the vocabulary has no {}", where, token);
    return found->second;
  };
  v->unknown = required("[UNK]");
  v->classify = required("[CLS]");
  v->separate = required("[SEP]");
  vocabulary_ = std::move(v);
}

WordPiece WordPiece::from_folder(const std::filesystem::path& folder, const LogCallback& log) {
  const VocabularyFile file = read_vocabulary(folder, log);
  return {file.tokens, file.options, file.path};
}

Index WordPiece::vocabulary_size() const { return vocabulary_->size; }

std::vector<std::int32_t> WordPiece::tokenize(std::string_view text) const {
  std::vector<std::int32_t> ids;
  std::size_t plain = 0;
  for (std::size_t at = 0; at < text.size();) {
    const auto special =
        std::find_if(vocabulary_->specials.begin(), vocabulary_->specials.end(),
                     [&](const auto& entry) { return text.substr(at).starts_with(entry.first); });
    if (special == vocabulary_->specials.end()) {
      ++at;
      continue;
    }
    add_plain(text.substr(plain, at - plain), ids);
    ids.push_back(special->second);
    at += special->first.size();
    plain = at;
  }
  add_plain(text.substr(plain), ids);
  return ids;
}

void WordPiece::add_plain(std::string_view text, std::vector<std::int32_t>& ids) const {
  if (text.empty()) return;
  for (const std::u32string& word : split_words(normalize(decode_utf8(text), options_))) add_word(word, ids);
}

void WordPiece::add_word(const std::u32string& word, std::vector<std::int32_t>& ids) const {
  const std::size_t first_piece = ids.size();
  std::size_t begin = static_cast<Index>(word.size()) > options_.longest_word ? word.size() + 1 : 0;
  while (begin < word.size()) {
    std::size_t end = word.size();
    auto found = vocabulary_->ids.end();
    for (; end > begin; --end) {
      const std::u32string piece = word.substr(begin, end - begin);
      found = vocabulary_->ids.find(begin == 0 ? piece : U"##" + piece);
      if (found != vocabulary_->ids.end()) break;
    }
    if (end == begin) break;
    ids.push_back(found->second);
    begin = end;
  }
  if (begin == word.size()) return;
  // A word with one unmatched piece is unknown as a whole.
  ids.resize(first_piece);
  ids.push_back(vocabulary_->unknown);
}

std::pair<Index, Index> truncated_lengths(Index first, Index second, Index room) {
  if (first + second <= room) return {first, second};
  Index shorter = std::min(first, second);
  Index longer = std::max(first, second);
  if (shorter > room)
    longer = shorter;
  else
    longer = std::max(shorter, room - shorter);
  if (shorter + longer > room) {
    shorter = room / 2;
    longer = shorter + room % 2;
  }
  return first > second ? std::pair(longer, shorter) : std::pair(shorter, longer);
}

Encoding WordPiece::encode(std::string_view text, std::optional<std::string_view> pair, Index max_length) const {
  const Index specials = pair ? 3 : 2;
  if (max_length < specials)
    fail("a maximum length of {} leaves no room beside {} special tokens", max_length, specials);
  std::vector<std::int32_t> first = tokenize(text);
  std::vector<std::int32_t> second;
  if (pair) second = tokenize(*pair);
  const auto [keep_first, keep_second] = truncated_lengths(
      static_cast<Index>(first.size()), static_cast<Index>(second.size()), max_length - specials);
  first.resize(static_cast<std::size_t>(keep_first));
  second.resize(static_cast<std::size_t>(keep_second));

  Encoding encoding;
  encoding.ids.push_back(vocabulary_->classify);
  encoding.ids.insert(encoding.ids.end(), first.begin(), first.end());
  encoding.ids.push_back(vocabulary_->separate);
  encoding.segments.assign(encoding.ids.size(), 0);
  if (!pair) return encoding;
  encoding.ids.insert(encoding.ids.end(), second.begin(), second.end());
  encoding.ids.push_back(vocabulary_->separate);
  encoding.segments.resize(encoding.ids.size(), 1);
  return encoding;
}

}  // namespace fixtune
