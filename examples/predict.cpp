// Predicts. Sentences: a line per input, in input order, with the label, then the logits to nine digits, tab-separated.
// Questions: SQuAD's predictions as JSON.
#include <fmt/format.h>

#include "fixtune/io/file.h"
#include "program/run.h"
#include "program/saved_model.h"

namespace {

using namespace fixtune;

std::string label(const HeadDescription& head, int index) {
  const auto i = static_cast<std::size_t>(index);
  return i < head.label_names.size() ? head.label_names[i] : std::to_string(index);
}

void predict_lines(const program::SavedModelOptions& options) {
  program::SavedModel model = program::open_saved_model(options, /*has_label=*/false);
  const Tensor logits = predict(model.bert, model.encoded, options.batch_size);
  const std::vector<int> best = classes(logits);
  for (Index r = 0; r < logits.rows(); ++r) {
    fmt::print("{}", model.head.regression ? fmt::format("{:.9g}", logits(r, 0))
                                           : label(model.head, best[static_cast<std::size_t>(r)]));
    for (Index c = 0; c < logits.cols(); ++c) fmt::print("\t{:.9g}", logits(r, c));
    fmt::print("\n");
  }
}

/// The best answers to a question, and how much more the model thinks that there is none.
Json n_best(const program::SavedSpanModel& model, const Question& question, const SpanSearch& search) {
  Json answers = Json::array();
  for (const SpanCandidate& c : search.best()) {
    const TextSpan span = model.windows.text_span(c.window, c.first, c.last);
    answers.push_back({{"text", substring(model.data.contexts[question.context], span)}, {"score", c.score}});
  }
  return {{"answers", std::move(answers)}, {"no_answer_difference", search.no_answer_difference()}};
}

void predict_answers(const program::SavedModelOptions& options, const std::string& n_best_file) {
  program::SavedSpanModel model = program::open_saved_span_model(options, /*has_answers=*/false);
  const SpanSearchOptions& search = options.questions.search;
  const std::vector<SpanSearch> searches =
      search_answers(model.bert, model.data, model.windows, search, options.batch_size);
  fmt::print("{}\n", to_json(predictions(searches, search, model.version, model.data, model.windows)).dump(2));
  if (n_best_file.empty()) return;
  Json document = Json::object();
  for (std::size_t i = 0; i < searches.size(); ++i)
    document[model.data.questions[i].id] = n_best(model, model.data.questions[i], searches[i]);
  write_file_atomically(n_best_file, document.dump(2) + "\n");
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Predict with a fine-tuned BERT", "predict");
  program::SavedModelOptions options;
  std::string n_best_file;
  options.add_options(app);
  app.add_option("--n-best", n_best_file, "file for the best answers to each question with their scores (squad, squad2)");
  app.add_option("--n-best-size", options.questions.search.n_best, "how many")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  return program::run(app, argc, argv, [&] {
    program::take_from_record(options, app);
    if (squad_version(options.task.task))
      predict_answers(options, n_best_file);
    else
      predict_lines(options);
  });
}
