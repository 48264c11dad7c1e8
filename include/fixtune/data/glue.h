#pragma once

#include <filesystem>
#include <string_view>

#include "fixtune/core/log.h"
#include "fixtune/data/example.h"

namespace fixtune {

/// The GLUE tasks the library reads, and Text for any other table (see read_text).
enum class Task { CoLA, SST2, MRPC, STSB, RTE, QNLI, MNLI, Text };

/// The task named cola, sst2, mrpc, stsb, rte, qnli, mnli or text. Throws Error listing these.
Task parse_task(std::string_view name);

/// The name that parse_task turns back into the task.
std::string_view task_name(Task task);

/// Whether labels are scores, not classes.
bool is_regression(Task task);

/// The training file in a task's folder.
std::filesystem::path train_file(Task task, const std::filesystem::path& folder);

/// The development file in a task's folder; for MNLI the matched one.
std::filesystem::path dev_file(Task task, const std::filesystem::path& folder);

/// Reads a labelled GLUE file, with the classes in the order of Hugging Face's GLUE; `log` hears how many sentences are
/// empty, if any. Throws Error naming the file, and the line of a row whose fields or label do not fit.
Dataset read_glue(Task task, const std::filesystem::path& file, const LogCallback& log = {});

}  // namespace fixtune
