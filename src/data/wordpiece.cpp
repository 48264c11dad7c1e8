#include "fixtune/data/wordpiece.h"

#include <algorithm>
#include <limits>
#include <unordered_map>
#include <utility>

#include "data/normalizer.h"
#include "data/vocabulary.h"
#include "fixtune/core/error.h"

namespace fixtune {
namespace {

constexpr std::string_view continuation = "##";

/// Lets a map of strings be searched with a view.
struct ViewHash {
  using is_transparent = void;
  std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
};

using Ids = std::unordered_map<std::string, std::int32_t, ViewHash, std::equal_to<>>;

struct SpecialToken {
  std::string text;
  std::int32_t id;
};

struct Found {
  std::size_t at;
  const SpecialToken* token;
};

Found find_special(std::string_view text, const std::vector<SpecialToken>& tokens) {
  Found first{text.size(), nullptr};
  for (std::size_t at = text.find('['); at != std::string_view::npos; at = text.find('[', at + 1))
    for (const SpecialToken& token : tokens)
      if (text.substr(at).starts_with(token.text)) return {at, &token};
  return first;
}

/// A word in UTF-8, with where each of its characters starts, and at the end its length.
struct Word {
  explicit Word(std::u32string_view characters) : starts{0} {
    for (const char32_t c : characters) {
      append_utf8(c, text);
      starts.push_back(text.size());
    }
  }
  std::string_view piece(std::size_t first, std::size_t last) const {
    return std::string_view(text).substr(starts[first], starts[last] - starts[first]);
  }
  std::string text;
  std::vector<std::size_t> starts;
};

/// How many ids of each text to keep, as the reference cuts them: the odd one goes to the longer, or to the
/// second.
std::pair<std::size_t, std::size_t> kept_lengths(std::size_t a, std::size_t b, std::size_t room) {
  if (a + b <= room) return {a, b};
  std::size_t shorter = std::min(a, b);
  std::size_t longer = shorter > room ? shorter : std::max(shorter, room - shorter);
  if (shorter + longer > room) {
    shorter = room / 2;
    longer = room - shorter;
  }
  return a > b ? std::pair(longer, shorter) : std::pair(shorter, longer);
}

void append(Encoding& encoding, std::span<const std::int32_t> ids, std::int32_t segment) {
  encoding.ids.insert(encoding.ids.end(), ids.begin(), ids.end());
  encoding.segments.resize(encoding.ids.size(), segment);
}

}  // namespace

struct WordPiece::Tables {
  Ids starts;         ///< every token
  Ids continuations;  ///< tokens that begin with "##", without it
  std::vector<SpecialToken> specials;
  std::int32_t unknown = 0, first = 0, separator = 0;
  std::size_t longest = 0;  ///< bytes of the longest token
  Index size = 0;

  void add(const std::string& token, std::int32_t id) {
    starts.insert_or_assign(token, id);
    if (token.starts_with(continuation))
      continuations.insert_or_assign(token.substr(continuation.size()), id);
    longest = std::max(longest, token.size());
  }

  void add_special_tokens() {
    for (const char* name : {"[UNK]", "[SEP]", "[PAD]", "[CLS]", "[MASK]"})
      if (const auto found = starts.find(name); found != starts.end())
        specials.push_back({name, found->second});
    unknown = starts.at("[UNK]");
    first = starts.at("[CLS]");
    separator = starts.at("[SEP]");
  }

  /// The longest piece of `word` that starts at character `begin`: its id and the character after it.
  std::optional<std::pair<std::int32_t, std::size_t>> longest_match(const Word& word,
                                                                    std::size_t begin) const {
    const Ids& ids = begin == 0 ? starts : continuations;
    for (std::size_t end = word.starts.size() - 1; end > begin; --end) {
      const std::string_view piece = word.piece(begin, end);
      if (piece.size() > longest) continue;
      if (const auto found = ids.find(piece); found != ids.end()) return std::pair(found->second, end);
    }
    return std::nullopt;
  }
};

WordPiece::WordPiece(std::vector<std::string> vocabulary, WordPieceOptions options) : options_(options) {
  check_special_tokens(vocabulary, "vocabulary");
  if (vocabulary.size() > static_cast<std::size_t>(std::numeric_limits<std::int32_t>::max()))
    fail("vocabulary: {} tokens are too many", vocabulary.size());
  auto tables = std::make_shared<Tables>();
  tables->size = static_cast<Index>(vocabulary.size());
  for (std::size_t i = 0; i < vocabulary.size(); ++i)
    tables->add(vocabulary[i], static_cast<std::int32_t>(i));
  tables->add_special_tokens();
  tables_ = std::move(tables);
}

WordPiece WordPiece::from_folder(const std::filesystem::path& folder, const LogCallback& log) {
  std::vector<std::string> tokens = read_vocabulary(folder);
  const WordPieceOptions options = read_tokenizer_options(folder, tokens, log);
  return WordPiece(std::move(tokens), options);
}

std::vector<std::int32_t> WordPiece::tokenize(std::string_view text) const { return tokenize_with_spans(text).ids; }

TokenizedText WordPiece::tokenize_with_spans(std::string_view text) const {
  TokenizedText tokens;
  Index first = 0;
  while (!text.empty()) {
    const Found found = find_special(text, tables_->specials);
    const std::string_view words = text.substr(0, found.at);
    append_words(words, first, tokens);
    if (found.token == nullptr) break;
    first += count_code_points(words);
    const auto length = static_cast<Index>(found.token->text.size());
    tokens.ids.push_back(found.token->id);
    tokens.spans.push_back({first, first + length});
    first += length;
    text.remove_prefix(found.at + found.token->text.size());
  }
  return tokens;
}

void WordPiece::append_words(std::string_view text, Index first, TokenizedText& tokens) const {
  const NormalizedText normalized = normalize(text, options_);
  const std::span<const Index> sources(normalized.sources);
  for (const std::u32string_view word : split_words(normalized.characters)) {
    const auto at = static_cast<std::size_t>(word.data() - normalized.characters.data());
    append_pieces(word, sources.subspan(at, word.size()), first, tokens);
  }
}

void WordPiece::append_pieces(std::u32string_view characters, std::span<const Index> sources, Index first,
                              TokenizedText& tokens) const {
  const std::size_t before = tokens.ids.size();
  const bool too_long = static_cast<Index>(characters.size()) > options_.max_characters;
  const Word word(too_long ? std::u32string_view() : characters);
  const auto add = [&](std::int32_t id, std::size_t begin, std::size_t end) {
    tokens.ids.push_back(id);
    tokens.spans.push_back({first + sources[begin], first + sources[end - 1] + 1});
  };
  for (std::size_t at = 0; at < characters.size();) {
    const auto match = too_long ? std::nullopt : tables_->longest_match(word, at);
    if (!match) {
      tokens.ids.resize(before);
      tokens.spans.resize(before);
      return add(tables_->unknown, 0, characters.size());
    }
    add(match->first, at, match->second);
    at = match->second;
  }
}

Encoding WordPiece::join(std::span<const std::int32_t> first,
                         std::optional<std::span<const std::int32_t>> second) const {
  Encoding encoding;
  append(encoding, {&tables_->first, 1}, 0);
  append(encoding, first, 0);
  append(encoding, {&tables_->separator, 1}, 0);
  if (!second) return encoding;
  append(encoding, *second, 1);
  append(encoding, {&tables_->separator, 1}, 1);
  return encoding;
}

Encoding WordPiece::encode(std::string_view text, std::optional<std::string_view> pair,
                           Index max_length) const {
  const Index special = pair ? 3 : 2;
  if (max_length < special) fail("--max-length {}: {} special tokens alone are longer", max_length, special);
  const std::vector<std::int32_t> a = tokenize(text);
  const std::vector<std::int32_t> b = pair ? tokenize(*pair) : std::vector<std::int32_t>();
  const auto room = static_cast<std::size_t>(max_length - special);
  const auto [kept_a, kept_b] =
      pair ? kept_lengths(a.size(), b.size(), room) : std::pair(std::min(a.size(), room), std::size_t{0});
  const std::span<const std::int32_t> first = std::span(a).first(kept_a);
  if (!pair) return join(first, std::nullopt);
  return join(first, std::span(b).first(kept_b));
}

Index WordPiece::vocabulary_size() const { return tables_->size; }

}  // namespace fixtune
