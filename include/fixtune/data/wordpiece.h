#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "fixtune/core/aligned_buffer.h"
#include "fixtune/core/log.h"
#include "fixtune/data/encoding.h"
#include "fixtune/data/text_span.h"

namespace fixtune {

/// How text is prepared before it is cut into pieces; the defaults are those of bert-base-uncased.
struct WordPieceOptions {
  bool lowercase = true;           ///< letter by letter, whatever their neighbours
  bool strip_accents = true;       ///< text is decomposed (NFD) and its nonspacing marks dropped
  bool chinese_characters = true;  ///< each ideograph is a word
  Index max_characters = 100;      ///< a longer word becomes [UNK]
};

/// Token ids and, for each, where it stands in its text.
struct TokenizedText {
  std::vector<std::int32_t> ids;  ///< without the [CLS] and [SEP] that join() puts around them
  std::vector<TextSpan> spans;    ///< one an id, in code points of the text
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
  /// The same with the place of each token, as BertTokenizerFast's offsets: accents and characters dropped at the end
  /// of a token lie outside it. The text must be UTF-8. Throws Error only if ICU fails.
  TokenizedText tokenize_with_spans(std::string_view text) const;
  /// [CLS] first [SEP], then second [SEP], of ids without special tokens. Throws nothing.
  Encoding join(std::span<const std::int32_t> first, std::optional<std::span<const std::int32_t>> second) const;
  /// [CLS] text [SEP], then pair [SEP], the longer cut first. Throws Error if these alone exceed max_length.
  Encoding encode(std::string_view text, std::optional<std::string_view> pair, Index max_length) const;
  /// One more than the highest id. Throws nothing.
  Index vocabulary_size() const;

 private:
  struct Tables;

  void append_words(std::string_view text, Index first, TokenizedText& tokens) const;
  void append_pieces(std::u32string_view word, std::span<const Index> sources, Index first, TokenizedText& tokens) const;

  WordPieceOptions options_;
  std::shared_ptr<const Tables> tables_;
};

}  // namespace fixtune
