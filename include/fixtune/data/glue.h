#pragma once

#include <filesystem>
#include <string_view>

#include "fixtune/core/log.h"
#include "fixtune/data/example.h"

namespace fixtune {

/// The GLUE tasks the library reads, and Text for any other table (see read_text).
enum class Task {
  CoLA,  ///< sentences, acceptable English or not
  SST2,  ///< sentences, negative or positive
  MRPC,  ///< pairs, paraphrases or not
  STSB,  ///< pairs, how similar they are from 0 to 5
  RTE,   ///< pairs, whether the first entails the second
  QNLI,  ///< questions, each with a sentence that answers it or not
  MNLI,  ///< pairs, entailment, neutral or contradiction
  Text   ///< whatever TextColumns says
};

/// The task named cola, sst2, mrpc, stsb, rte, qnli, mnli or text. Throws Error listing these.
Task parse_task(std::string_view name);

/// The name that parse_task turns back into the task.
std::string_view task_name(Task task);

/// Whether labels are scores, not classes: those of STSB. A text table says it itself (TextColumns).
bool is_regression(Task task);

/// The training file in a task's folder.
std::filesystem::path train_file(Task task, const std::filesystem::path& folder);

/// The development file in a task's folder; for MNLI the matched one.
std::filesystem::path dev_file(Task task, const std::filesystem::path& folder);

/// Reads a labelled GLUE file, with the classes in the order of Hugging Face's GLUE; `log` hears how many sentences are
/// empty, if any. Throws Error naming the file, and the line of a row whose fields or label do not fit.
Dataset read_glue(Task task, const std::filesystem::path& file, const LogCallback& log = {});

}  // namespace fixtune
