// Evaluates a fine-tuned folder on labelled data, in the recipe it was trained with or another.
#include <fmt/format.h>

#include "program/progress.h"
#include "program/run.h"
#include "program/saved_model.h"

namespace {

using namespace fixtune;

void evaluate(program::SavedModelOptions& options, const CLI::App& app) {
  program::SavedModel model = program::open_saved_model(options, app, /*has_label=*/true);
  program::Progress bar("evaluate");
  const Tensor logits = predict(model.bert, model.encoded, options.batch_size,
                                [&](Index done, Index total) { bar.show(done, total, ""); });
  bar.finish();
  fmt::print("examples {}\n", model.encoded.size());
  for (const auto& [name, value] : task_metrics(options.task.parsed_task(), options.task.is_regression_task(), logits,
                                                model.encoded.labels))
    fmt::print("{} {}\n", name, value ? fmt::format("{:.6f}", *value) : "undefined");
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Evaluate a fine-tuned BERT", "evaluate");
  program::SavedModelOptions options;
  options.add_options(app);
  return program::run(app, argc, argv, [&] { evaluate(options, app); });
}
