// Model folders, recipes and tables: readers of whole files.
#include <array>

#include "fixtune/core/error.h"
#include "fixtune/data/glue.h"
#include "fixtune/data/text_table.h"
#include "fixtune/io/json.h"
#include "fixtune/io/safetensors.h"
#include "fixtune/io/sealed_folder.h"
#include "fixtune/io/table.h"
#include "fixtune/models/bert_config.h"
#include "fixtune/train/recipe_file.h"
#include "fixtune/train/training_state.h"
#include "scratch.h"
#include "targets.h"

namespace fixtune::fuzz {
namespace {

/// Runs a reader; a refusal is a right answer.
template <typename Read>
void may_refuse(Read&& read) {
  try {
    read();
  } catch (const Error&) {
  }
}

}  // namespace

void safetensors(Bytes bytes) {
  may_refuse([&] {
    const SafetensorsFile file(scratch().write("model.safetensors", text_of(bytes)));
    for (const auto& [name, entry] : file.entries) may_refuse([&, n = name] { file.read(n); });
  });
}

void config(Bytes bytes) {
  may_refuse([&] { BertConfig::read(scratch().write("config.json", text_of(bytes))); });
}

void recipe(Bytes bytes) {
  may_refuse([&] {
    const RecipeMap recipes = parse_recipes(parse_json(text_of(bytes), "recipe"), "recipe");
    // What was accepted comes back the same.
    parse_recipes(to_json(recipes), "recipe written back");
  });
}

/// The two documents of a checkpoint: where the run stood, and the seal.
void checkpoint(Bytes bytes) {
  may_refuse([&] {
    const TrainingState state = parse_training_state(parse_json(text_of(bytes), "state.json"), "state.json");
    // What was accepted comes back the same.
    parse_training_state(to_json(state), "state written back");
  });
  scratch().write("checksums.json", text_of(bytes));
  flaw(scratch().path(), SealCheck::Contents);
}

/// The first byte chooses the format, and whether a header and labels are expected.
void table(Bytes bytes) {
  if (bytes.empty()) return;
  constexpr std::array<const char*, 3> names = {"table.tsv", "table.csv", "table.jsonl"};
  const unsigned choice = bytes[0];
  const auto file = scratch().write(names[choice % 3], text_of(bytes.subspan(1)));
  may_refuse([&] { read_table(file, format_of(file), (choice & 4U) != 0); });
  TextColumns columns;
  columns.regression = (choice & 8U) != 0;
  columns.has_label = (choice & 16U) != 0;
  may_refuse([&] { read_text(file, columns); });
}

/// The first byte chooses the task.
void glue(Bytes bytes) {
  if (bytes.empty()) return;
  constexpr std::array tasks = {Task::CoLA, Task::SST2, Task::MRPC, Task::STSB, Task::RTE, Task::QNLI, Task::MNLI};
  const auto file = scratch().write("train.tsv", text_of(bytes.subspan(1)));
  may_refuse([&] { read_glue(tasks[bytes[0] % tasks.size()], file); });
}

}  // namespace fixtune::fuzz
