// Evaluates a fine-tuned folder on labelled data, in the recipe it was trained with or another, or ready predictions of
// SQuAD.
#include <fmt/format.h>

#include "fixtune/io/file.h"
#include "fixtune/train/squad_score.h"
#include "program/progress.h"
#include "program/run.h"
#include "program/saved_model.h"

namespace {

using namespace fixtune;

struct Options {
  program::SavedModelOptions model;
  std::string predictions, json;
};

struct Evaluation {
  Index examples = 0;
  Metrics metrics;
};

EvaluationProgress shown_on(program::Progress& bar) {
  return [&bar](Index done, Index total) { bar.show(done, total, ""); };
}

Evaluation evaluate_classifier(const program::SavedModelOptions& options) {
  program::SavedModel model = program::open_saved_model(options, /*has_label=*/true);
  program::Progress bar("evaluate");
  const Tensor logits = predict(model.bert, model.encoded, options.batch_size, shown_on(bar));
  bar.finish();
  return {model.encoded.size(), task_metrics(options.task.parsed_task(), options.task.is_regression_task(), logits,
                                             model.encoded.labels)};
}

Evaluation evaluate_span_model(const program::SavedModelOptions& options) {
  program::SavedSpanModel model = program::open_saved_span_model(options, /*has_answers=*/true);
  const SpanSearchOptions& search = options.questions.search;
  program::Progress bar("evaluate");
  const std::vector<SpanSearch> searches =
      search_answers(model.bert, model.data, model.windows, search, options.batch_size, shown_on(bar));
  bar.finish();
  const SquadPredictions answers = predictions(searches, search, model.version, model.data, model.windows);
  return {static_cast<Index>(model.data.questions.size()), squad_metrics(model.version, model.data, answers)};
}

void report_ids(const SquadDataset& data, const SquadPredictions& answers) {
  std::size_t answered = 0;
  for (const Question& question : data.questions) answered += answers.contains(question.id) ? 1 : 0;
  if (answered < data.questions.size())
    program::notice(fmt::format("{} questions are not answered and score 0", data.questions.size() - answered));
  if (answered < answers.size())
    program::notice(fmt::format("{} answers belong to no question", answers.size() - answered));
}

Evaluation evaluate_predictions(const Options& o) {
  const auto version = squad_version(o.model.task.task);
  if (!version) fail("--predictions: give --task squad or squad2, not {}", o.model.task.task);
  const SquadDataset data = read_squad(o.model.task.data, *version);
  const SquadPredictions answers = read_squad_predictions(o.predictions);
  report_ids(data, answers);
  return {static_cast<Index>(data.questions.size()), squad_metrics(*version, data, answers)};
}

Evaluation evaluation_of(Options& o, const CLI::App& app) {
  if (!o.predictions.empty()) return evaluate_predictions(o);
  if (o.model.model.empty()) fail("give --model, or --predictions of squad or squad2");
  program::take_from_record(o.model, app);
  return squad_version(o.model.task.task) ? evaluate_span_model(o.model) : evaluate_classifier(o.model);
}

void evaluate(Options& o, const CLI::App& app) {
  const Evaluation evaluation = evaluation_of(o, app);
  fmt::print("examples {}\n", evaluation.examples);
  for (const auto& [name, value] : evaluation.metrics)
    fmt::print("{} {}\n", name, value ? fmt::format("{:.6f}", *value) : "undefined");
  if (!o.json.empty()) write_file_atomically(o.json, to_json(evaluation.metrics).dump(2) + "\n");
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Evaluate a fine-tuned BERT, or predictions of SQuAD", "evaluate");
  Options options;
  options.model.add_options(app);
  app.get_option("--model")->required(false);
  app.add_option("--predictions", options.predictions, "score this file, {id: answer}, instead (squad, squad2)");
  app.add_option("--json", options.json, "file for the metrics");
  return program::run(app, argc, argv, [&] { evaluate(options, app); });
}
