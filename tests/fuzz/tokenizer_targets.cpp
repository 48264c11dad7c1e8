// Vocabularies, and the tokeniser on arbitrary bytes.
#include <filesystem>
#include <stdexcept>
#include <string>
#include <vector>

#include "fixtune/core/error.h"
#include "fixtune/data/wordpiece.h"
#include "scratch.h"
#include "targets.h"

namespace fixtune::fuzz {
namespace {

constexpr std::string_view sentence = "Caf\u00e9, un[SEP]able \u4eba\u4eba";

/// Opens the scratch folder's tokeniser and uses it; the folder holds this one file only.
void use_folder(std::string_view name, Bytes bytes) {
  for (const char* other : {"vocab.txt", "tokenizer.json"}) std::filesystem::remove(scratch().path() / other);
  scratch().write(name, text_of(bytes));
  try {
    const WordPiece tokenizer = WordPiece::from_folder(scratch().path());
    for (const std::int32_t id : tokenizer.tokenize(sentence))
      if (id < 0 || id >= tokenizer.vocabulary_size()) throw std::logic_error("an id past the vocabulary");
  } catch (const Error&) {
  }
}

const WordPiece& small_tokenizer() {
  static const WordPiece tokenizer(
      {"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "##a", "un", "##able", "e", "##e", "\u4eba", ",", ".", "1"}, {});
  return tokenizer;
}

}  // namespace

void vocabulary(Bytes bytes) { use_folder("vocab.txt", bytes); }
void tokenizer_json(Bytes bytes) { use_folder("tokenizer.json", bytes); }

/// The first byte is the longest length allowed, the second where the text is cut in two.
void wordpiece(Bytes bytes) {
  if (bytes.size() < 2) return;
  const Index most = bytes[0];
  const std::string_view text = text_of(bytes.subspan(2));
  const std::size_t cut = std::min<std::size_t>(bytes[1], text.size());
  try {
    const Encoding encoding = small_tokenizer().encode(text.substr(0, cut), text.substr(cut), most);
    if (static_cast<Index>(encoding.ids.size()) > most) throw std::logic_error("more tokens than allowed");
    if (encoding.ids.size() != encoding.segments.size()) throw std::logic_error("segments do not fit");
    for (const std::int32_t id : encoding.ids)
      if (id < 0 || id >= small_tokenizer().vocabulary_size()) throw std::logic_error("an id past the vocabulary");
  } catch (const Error&) {
  }
}

}  // namespace fixtune::fuzz
