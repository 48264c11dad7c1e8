#include "step/memory.h"

#include <fmt/format.h>

#include <cstdio>
#include <vector>

#include "fixtune/core/parallel.h"
#include "step/child_process.h"
#include "step/process_memory.h"
#include "step/turns.h"

namespace fixtune::bench {
namespace {

constexpr Index memory_steps = 3;
constexpr Index resident_every = 50;

std::vector<std::string> memory_command(const StepOptions& options, const std::string& recipe) {
  std::vector<std::string> command = {"/proc/self/exe",
                                      "--model",
                                      options.model.string(),
                                      "--batch",
                                      fmt::format("{}", options.batch),
                                      "--length",
                                      fmt::format("{}", options.length),
                                      "--lengths",
                                      options.lengths,
                                      "--threads",
                                      fmt::format("{}", thread_count()),
                                      "--memory-of",
                                      recipe};
  if (!options.task.empty()) command.insert(command.end(), {"--task", options.task, "--data", options.data});
  return command;
}

}  // namespace

void report_memory_of(const StepOptions& options, const std::string& recipe) {
  RecipeTrainer trainer(options.model, recipe);
  const BatchSource next = batches(options);
  for (Index i = 0; i < memory_steps; ++i) trainer.step(next());
  const Json line = {{"peak_bytes", trainer.peak_bytes()}, {"saved_bytes", trainer.saved_bytes()}};
  fmt::print("{}\n", line.dump());
}

ClosingTable memory_table(const StepOptions& options) {
  ClosingTable table(
      fmt::format("Peak resident memory of a step, {}, {}", options.model_name(), options.batch_words()),
      {"what", "peak MiB", "saved MiB"},
      "A process each, weights, gradients and optimiser state included. Saved: what the tape holds for the "
      "backward.");
  const auto add = [&](const std::string& name, double peak, double saved) {
    table.add({name, peak / mebibyte, saved > 0 ? Json(saved / mebibyte) : Json()});
  };
  for (const std::string& recipe : options.recipes_or(preset_names())) {
    ChildProcess process(memory_command(options, recipe));
    const Json answer = parse_json(process.read_json_line(), recipe);
    add(recipe, answer.at("peak_bytes").get<double>(), answer.at("saved_bytes").get<double>());
  }
  for (const std::string& rival : options.rivals) {
    const auto [name, command] = name_and_command(rival);
    RivalTrainer trainer(command);
    const BatchSource next = batches(options);
    for (Index i = 0; i < memory_steps; ++i) trainer.step(next());
    add(name, static_cast<double>(trainer.peak_bytes()), 0.0);
  }
  return table;
}

ClosingTable resident_table(const StepOptions& options) {
  const std::string recipe = options.recipes_or({"rowwise"}).front();
  ClosingTable table(fmt::format("Resident memory over {} steps, {}, recipe {}, {}", options.steps,
                                 options.model_name(), recipe, options.batch_words()),
                     {"step", "resident MiB", "peak MiB"});
  RecipeTrainer trainer(options.model, recipe);
  const BatchSource next = batches(options);
  for (Index step = 1; step <= options.steps; ++step) {
    trainer.step(next());
    if (step % resident_every != 0 && step != options.steps) continue;
    const double resident = static_cast<double>(resident_bytes()) / mebibyte;
    fmt::print("step {:>4}: {:.1f} MiB resident\n", step, resident);
    std::fflush(stdout);
    table.add({step, resident, static_cast<double>(peak_resident_bytes()) / mebibyte});
  }
  return table;
}

}  // namespace fixtune::bench
