// Questions and predictions, and the windows over them.
#include <string>
#include <vector>

#include "fixtune/core/error.h"
#include "fixtune/data/question_windows.h"
#include "fixtune/data/squad.h"
#include "fixtune/data/squad_predictions.h"
#include "fixtune/data/wordpiece.h"
#include "scratch.h"
#include "targets.h"

namespace fixtune::fuzz {
namespace {

const WordPiece& small_tokenizer() {
  static const WordPiece tokenizer({"[PAD]", "[UNK]", "[CLS]", "[SEP]", "a", "##a", "b", "in", "18", "##54", ","}, {});
  return tokenizer;
}

}  // namespace

/// The first byte chooses the edition, the next two the window; the rest is the file.
void squad(Bytes bytes) {
  if (bytes.size() < 3) return;
  const auto file = scratch().write("squad.json", text_of(bytes.subspan(3)));
  const SquadVersion version = bytes[0] % 2 == 0 ? SquadVersion::V1 : SquadVersion::V2;
  try {
    read_squad_predictions(file);
  } catch (const Error&) {
  }
  try {
    const SquadDataset data = read_squad(file, version, (bytes[0] & 2U) == 0);
    WindowOptions options;
    options.max_length = bytes[1];
    options.doc_stride = bytes[2];
    QuestionWindows windows(data, small_tokenizer(), options);
    windows.mark_answers(data);
  } catch (const Error&) {
  }
}

}  // namespace fixtune::fuzz
