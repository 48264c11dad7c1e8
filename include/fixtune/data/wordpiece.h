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

/// How text is prepared before it is cut into pieces; the defaults are those of bert-base-uncased.
struct WordPieceOptions {
  bool lowercase = true;
  bool strip_accents = true;
  bool chinese_characters = true;  ///< each ideograph is a word
  Index max_characters = 100;      ///< a longer word becomes [UNK]
};

/// BERT's tokenizer; gives the ids that Hugging Face's BertTokenizerFast gives.
class WordPiece {
 public:
  /// A token's id is its place, the last if given twice. Throws Error without [UNK], [CLS] or [SEP].
  WordPiece(std::vector<std::string> vocabulary, WordPieceOptions options);
  /// Reads vocab.txt, else tokenizer.json, and tokenizer_config.json if there. Throws Error naming the file.
  static WordPiece from_folder(const std::filesystem::path& folder, const LogCallback& log = {});

  /// The ids of a text, without [CLS] and [SEP]. Throws Error only if ICU fails.
  std::vector<std::int32_t> tokenize(std::string_view text) const;
  /// [CLS] text [SEP], then pair [SEP], the longer cut first. Throws Error if these alone exceed max_length.
  Encoding encode(std::string_view text, std::optional<std::string_view> pair, Index max_length) const;
  /// One more than the highest id. Throws nothing.
  Index vocabulary_size() const;

 private:
  struct Tables;

  void append_words(std::string_view text, std::vector<std::int32_t>& ids) const;
  void append_pieces(std::u32string_view word, std::vector<std::int32_t>& ids) const;

  WordPieceOptions options_;
  std::shared_ptr<const Tables> tables_;
};

}  // namespace fixtune
