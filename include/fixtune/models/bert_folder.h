#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "fixtune/models/bert.h"
#include "fixtune/models/bert_question_answering.h"

namespace fixtune {

/// What a saved folder says about its head.
struct HeadDescription {
  std::vector<std::string> label_names;  ///< in class order; empty for regression
  bool regression = false;               ///< the head gives a score, not classes
};

/// Writes a Hugging Face folder that transformers loads: FP32 master weights under their standard names, the
/// configuration with unknown fields kept, tokenizer files copied from `origin`. Each file is replaced whole, and
/// config.json comes last, so that an interrupted save is not taken for a model. Throws Error naming the file.
void save_bert(Bert& bert, const HeadDescription& head, const std::filesystem::path& origin,
               const std::filesystem::path& folder);
/// The same for a span head, which has no labels.
void save_bert(BertQuestionAnswering& bert, const std::filesystem::path& origin, const std::filesystem::path& folder);

/// The head of a saved folder, from id2label and problem_type in config.json; no names where that has none. Throws
/// Error where one of `labels` classes has no name beside others that have.
HeadDescription read_head(const BertConfig& config, Index labels);

}  // namespace fixtune
