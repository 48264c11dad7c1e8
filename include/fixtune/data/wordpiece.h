#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "fixtune/core/aligned_buffer.h"
#include "fixtune/core/log.h"
#include "fixtune/data/encoding.h"

namespace fixtune {

/// What a tokenizer_config.json may change.
struct WordPieceOptions {
  bool lowercase = true;
  bool strip_accents = true;
  bool split_chinese = true;        ///< each CJK ideograph is a word
  Index longest_word = 100;         ///< in code points; a longer word is [UNK]
};

/// BERT's tokenizer: the BERT normaliser, splitting at white space and punctuation, greedy longest-match WordPiece.
///
/// Gives the ids of transformers' BertTokenizerFast. Special tokens written in the text (`[SEP]`) become those
/// tokens, as there; text from strangers can so inject separators.
class WordPiece {
 public:
  /// A vocabulary in id order. Throws Error naming `where` if [UNK], [CLS] or [SEP] is missing.
  WordPiece(const std::vector<std::string>& vocabulary, const WordPieceOptions& options, std::string_view where);
  /// Reads vocab.txt, or else tokenizer.json, and tokenizer_config.json where there is one. A stored truncation or
  /// padding is ignored: the caller's limit holds. Throws Error naming the file.
  static WordPiece from_folder(const std::filesystem::path& folder, const LogCallback& log = {});

  /// Ids of a text, without [CLS] and [SEP].
  std::vector<std::int32_t> tokenize(std::string_view text) const;
  /// `[CLS] a [SEP]` or `[CLS] a [SEP] b [SEP]`, the longer of the two cut first so that at most `max_length`
  /// tokens remain. Throws Error where max_length has no room for the special tokens.
  Encoding encode(std::string_view text, std::optional<std::string_view> pair, Index max_length) const;
  Index vocabulary_size() const;

 private:
  struct Vocabulary;
  void add_plain(std::string_view text, std::vector<std::int32_t>& ids) const;
  void add_word(const std::u32string& word, std::vector<std::int32_t>& ids) const;

  std::shared_ptr<const Vocabulary> vocabulary_;
  WordPieceOptions options_;
};

/// How many tokens of each text remain when both may hold `room` together, cut as BertTokenizerFast does
/// (longest_first): the longer loses until they are equal, then both, the first text the odd one.
std::pair<Index, Index> truncated_lengths(Index first, Index second, Index room);

}  // namespace fixtune
