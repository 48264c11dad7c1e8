// Runs a list of fine-tuning runs from one file, each in a process of its own, goes on where it was stopped, and
// renders what they reached.
#include <fmt/format.h>

#include "program/run.h"
#include "study/execution.h"
#include "study/rendering.h"
#include "study/results.h"

namespace {

using namespace fixtune;
using namespace fixtune::study;

struct Options {
  std::filesystem::path plan;
  ExecutionOptions execution;
  RenderingOptions rendering;
};

/// The finetune beside this program.
std::filesystem::path finetune_beside() {
  return std::filesystem::read_symlink("/proc/self/exe").parent_path() / "finetune";
}

void add_plan(CLI::App& command, Options& o) {
  command.add_option("study", o.plan, "file with the study's runs")->required();
  command.add_option("--results", o.execution.results, "folder of one JSON a run (default: the file without .json)");
}

void add_only(CLI::App& command, Options& o) {
  command
      .add_option("--only", o.execution.only,
                  "regular expression: only runs whose name it matches; given again, those matches come after")
      ->allow_extra_args(false);
}

CLI::App* add_run(CLI::App& app, Options& o) {
  CLI::App* command = app.add_subcommand("run", "run what is missing");
  add_plan(*command, o);
  add_only(*command, o);
  ExecutionOptions& e = o.execution;
  command->add_option("--models", e.models, "folder of the model folders")->required();
  command->add_option("--data", e.data, "folder that the tasks' data lie in")->required();
  command->add_option("--work", e.work, "folder for models, checkpoints and logs")->required();
  command->add_option("--finetune", e.finetune, "program to run (default: the one beside this)");
  command->add_option("--checkpoint-every", e.checkpoint_every, "steps (0: none)")->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  command->add_option("--max-hours", e.max_hours, "stop after so long (0: no limit)")->check(CLI::NonNegativeNumber);
  command->add_flag("--keep-models", e.keep_models, "keep the folders of finished models");
  program::add_threads(*command, e.threads);
  return command;
}

CLI::App* add_list(CLI::App& app, Options& o) {
  CLI::App* command = app.add_subcommand("list", "name every run, and whether it is done");
  add_plan(*command, o);
  add_only(*command, o);
  return command;
}

CLI::App* add_render(CLI::App& app, Options& o) {
  CLI::App* command = app.add_subcommand("render", "write tables and plots of what is done");
  add_plan(*command, o);
  command->add_option("--published", o.rendering.published, "JSON file of numbers to set beside");
  command->add_option("--page", o.rendering.page, "Markdown page with the study's block; plots go to its folder")
      ->required();
  return command;
}

void list(const StudyPlan& plan, const ExecutionOptions& options) {
  for (const StudyRun& run : select(plan, options.only))
    fmt::print("{}  {}\n", read_result(plan, run, options.results).is_null() ? "missing" : "done   ", run.name());
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Run a study: many fine-tuning runs, listed in one file", "study");
  app.require_subcommand(1);
  Options o;
  const CLI::App* run = add_run(app, o);
  const CLI::App* listing = add_list(app, o);
  const CLI::App* rendering = add_render(app, o);
  int outcome = program::success;
  const int code = program::run(app, argc, argv, [&] {
    const StudyPlan plan = read_plan(o.plan);
    if (o.execution.results.empty()) o.execution.results = std::filesystem::path(o.plan).replace_extension();
    if (o.execution.finetune.empty()) o.execution.finetune = finetune_beside();
    o.rendering.results = o.execution.results;
    if (run->parsed()) outcome = execute(plan, o.execution);
    if (listing->parsed()) list(plan, o.execution);
    if (rendering->parsed()) render(plan, o.rendering);
  });
  return code != program::success ? code : outcome;
}
