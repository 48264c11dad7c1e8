// A whole fine-tuning step of a BERT classifier: seconds by recipe and part beside rival programs, where they go, how
// they grow with tokens and sentence length, and the memory they take.
//
// Recipes and rivals take turns step by step on the same batches. A step is what fine_tune does: dropout, loss,
// backward, clipping, AdamW.
#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include "program/program.h"
#include "program/rounds.h"
#include "step/growth.h"
#include "step/linears_alone.h"
#include "step/memory.h"
#include "step/options.h"
#include "step/turns.h"

namespace {

using namespace fixtune;
using namespace fixtune::bench;

StepOptions options;
std::vector<ClosingTable> tables;

ClosingTable step_table(const std::vector<Turn>& turns) {
  std::vector<const Turn*> references;
  for (const Turn& turn : turns)
    if (turn.own == nullptr || turn.name == "fp32") references.push_back(&turn);
  std::vector<std::string> columns = {"what",        "step s",   "forward s", "backward s",
                                      "optimiser s", "tokens/s", "saved MiB", "fresh MiB"};
  for (const Turn* reference : references) columns.push_back(reference->name + " / this");
  ClosingTable table(fmt::format("A fine-tuning step, {}, {}", options.model_name(), options.batch_words()), columns,
                     "Medians. Saved: what the tape holds for the backward. Fresh: memory a step asks of the system. "
                     "X / this: time a token over this one's.");
  for (const Turn& turn : turns) {
    const StepTimes parts = turn.medians();
    const double per_token = median(turn.seconds_per_token);
    const auto saved = static_cast<double>(turn.trainer->saved_bytes());
    std::vector<Json> row = {turn.name,
                             turn.median_step(),
                             parts.forward,
                             parts.backward,
                             parts.optimiser,
                             1.0 / per_token,
                             saved > 0 ? Json(saved / mebibyte) : Json(),
                             turn.own != nullptr ? Json(median(turn.bytes_asked) / mebibyte) : Json()};
    for (const Turn* reference : references) row.emplace_back(median(reference->seconds_per_token) / per_token);
    table.add(std::move(row));
  }
  return table;
}

/// The better of two timings, since the first finds cold caches.
LinearTimes linear_times(Bert& bert) {
  const LinearTimes a = time_linears_alone(bert, options.batch * options.length);
  const LinearTimes b = time_linears_alone(bert, options.batch * options.length);
  return {std::min(a.prepare, b.prepare), std::min(a.forward, b.forward), std::min(a.backward, b.backward)};
}

ClosingTable part_table(std::vector<Turn>& turns) {
  ClosingTable table(
      "Where the step's time goes, seconds",
      {"recipe", "quantising W", "linear forward", "other forward", "linear backward", "other backward", "optimiser",
       "linear share"},
      "The encoder's linear layers timed alone, at the same shapes in the same run, on normal X and dY; "
      "the rest is the difference.");
  for (Turn& turn : turns) {
    if (turn.own == nullptr) continue;
    const LinearTimes alone = linear_times(turn.own->bert());
    const StepTimes step = turn.medians();
    table.add({turn.name, alone.prepare, alone.forward, step.forward - alone.forward - alone.prepare, alone.backward,
               step.backward - alone.backward, step.optimiser,
               (alone.prepare + alone.forward + alone.backward) / step.total()});
  }
  return table;
}

void measure_step(benchmark::State& state) {
  std::vector<Turn> turns = recipe_turns(options, options.recipes_or(preset_names()));
  std::vector<Turn> rivals = rival_turns(options);
  std::move(rivals.begin(), rivals.end(), std::back_inserter(turns));
  take_turns(state, turns, batches(options), options.warmup);
  tables.push_back(step_table(turns));
  if (options.lengths == "fixed" && options.task.empty()) tables.push_back(part_table(turns));
}

void prepare(Program& program, Growth& growth) {
  for (const std::string& section : options.sections) {
    if (section == "step")
      program.measure(fmt::format("step: {}, {}", options.model_name(), options.batch_words()), measure_step);
    if (section == "tokens") growth.measure_tokens(program);
    if (section == "sentences") growth.measure_sentences(program);
  }
}

void close(Program& program, Growth& growth) {
  for (ClosingTable& table : growth.tables()) tables.push_back(std::move(table));
  for (const std::string& section : options.sections) {
    if (section == "memory") tables.push_back(memory_table(options));
    if (section == "resident") tables.push_back(resident_table(options));
  }
  for (ClosingTable& table : tables) program.close_with(std::move(table));
}

}  // namespace

int main(int argc, char** argv) {
  Program program("bench_step", "A fine-tuning step of a BERT, whole and in parts.", /*rounds=*/5);
  options.add_to(program.options());
  Growth growth(options);
  const auto start = [&] {
    if (options.memory_of.empty()) prepare(program, growth);
  };
  const auto finish = [&] {
    if (options.memory_of.empty())
      close(program, growth);
    else
      report_memory_of(options, options.memory_of);
  };
  return program.run(argc, argv, start, finish);
}
