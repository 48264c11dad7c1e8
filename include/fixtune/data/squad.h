#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "fixtune/core/aligned_buffer.h"

namespace fixtune {

/// The two editions of SQuAD: in V2 a question may have no answer, and their scores differ.
enum class SquadVersion {
  V1,  ///< SQuAD 1.1: every question has an answer
  V2   ///< SQuAD 2.0
};

/// The edition of the task named squad or squad2, or none.
std::optional<SquadVersion> squad_version(std::string_view task);

/// An answer as annotated: its text, and the code point of the context where it starts.
struct Answer {
  std::string text;  ///< in UTF-8, as it stands in the context
  Index start = 0;   ///< code points of the context before it
};

/// One question about a context.
struct Question {
  std::string id;               ///< unique in its file; what predictions name it by
  std::string text;             ///< in UTF-8
  std::size_t context = 0;      ///< its place among the contexts
  std::vector<Answer> answers;  ///< none: the context does not answer it
  std::string place;            ///< in the document, such as data[0].paragraphs[3].qas[1]
};

/// The questions of one file, in its order.
struct SquadDataset {
  std::string path;                   ///< of the file, for messages
  std::vector<std::string> contexts;  ///< one a paragraph, in UTF-8
  std::vector<Question> questions;    ///< those of a context follow each other
};

/// Reads a SQuAD JSON file; without `has_answers` they are neither needed nor read.
///
/// Empty lists and a missing is_impossible are fine, but in V1 every question needs an answer. Throws Error naming the
/// file, and the line of malformed JSON or the path of a field that is missing, has another type or contradicts
/// another.
SquadDataset read_squad(const std::filesystem::path& file, SquadVersion version, bool has_answers = true);

}  // namespace fixtune
