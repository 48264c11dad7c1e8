#include "program/measured_text.h"

#include <algorithm>
#include <numeric>

#include "fixtune/autograd/span_loss.h"
#include "fixtune/core/parallel.h"
#include "fixtune/data/question_windows.h"
#include "fixtune/models/bert.h"
#include "fixtune/models/bert_folder.h"
#include "fixtune/models/bert_question_answering.h"
#include "fixtune/train/classification.h"
#include "program/run.h"
#include "program/sample.h"
#include "program/used_contexts.h"

namespace fixtune::program {

void MeasuredTextOptions::add_options(CLI::App& app, bool task_required) {
  app.add_option("--model", model, "Hugging Face folder of a BERT")->required();
  task.add_options(app, task_required);
  app.add_option("--limit", limit, "use the first N examples (0: all)")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  app.add_option("--sample", sample, "use N examples drawn at random instead, the same in every run")
      ->check(CLI::NonNegativeNumber);
  app.add_option("--max-length", max_length)->check(CLI::PositiveNumber)->capture_default_str();
  app.add_option("--seed", seed, "of a head the folder lacks, and of stochastic rounding")->capture_default_str();
  add_threads(app, threads);
}

namespace {

std::vector<Index> all_of(Index count) {
  std::vector<Index> order(static_cast<std::size_t>(count));
  std::iota(order.begin(), order.end(), 0);
  return order;
}

template <typename T>
void keep_some(std::vector<T>& examples, const MeasuredTextOptions& o) {
  if (examples.empty()) fail("{}: no examples", o.task.data);
  keep_sample(examples, o.sample);
  if (o.sample == 0 && o.limit > 0 && o.limit < static_cast<Index>(examples.size()))
    examples.resize(static_cast<std::size_t>(o.limit));
}

MeasuredText read_questions(const MeasuredTextOptions& o, SquadVersion version, const WordPiece& tokenizer) {
  constexpr Index doc_stride = 128;
  SquadDataset data = read_squad(o.task.data, version);
  keep_some(data.questions, o);
  drop_unused_contexts(data);
  QuestionWindows windows(data, tokenizer, {o.max_length, std::min(doc_stride, o.max_length / 3)});
  windows.mark_answers(data);
  WindowBatch batch = windows.batch(all_of(windows.size()));
  return {o.model, o.seed, 2, false, std::move(batch.packed), std::move(batch.answer_first), std::move(batch.answer_last)};
}

MeasuredText read_sentences(const MeasuredTextOptions& o, const WordPiece& tokenizer) {
  Dataset data = read_evaluation_data(o.task, o.task.labels, /*has_label=*/true, notice);
  keep_some(data.examples, o);
  const EncodedDataset encoded = encode(data, tokenizer, o.max_length);
  const bool regression = o.task.is_regression_task();
  const Index labels = regression ? 1 : static_cast<Index>(data.label_names.size());
  return {o.model, o.seed, labels, regression, encoded.batch(all_of(encoded.size()), 0, encoded.size()), {}, {}};
}

template <typename Model>
MeasuredModel model_with(std::unique_ptr<Model> model, std::function<Variable(Model&, Pass&)> loss) {
  Model& head = *model;
  return {std::move(model), [&head, loss = std::move(loss)](Pass& pass) { return loss(head, pass); }};
}

}  // namespace

MeasuredText read_measured_text(const MeasuredTextOptions& o) {
  set_thread_count(o.threads);
  const WordPiece tokenizer = WordPiece::from_folder(o.model, notice);
  check_fits(BertConfig::read(std::filesystem::path(o.model) / "config.json"), tokenizer.vocabulary_size(),
             o.max_length, o.model);
  if (const auto version = squad_version(o.task.task)) return read_questions(o, *version, tokenizer);
  return read_sentences(o, tokenizer);
}

MeasuredModel MeasuredText::open(const RecipeMap& recipes) const {
  BertOptions options;
  options.recipes = recipes;
  options.labels = labels;
  options.seed = seed;
  if (!answer_first.empty())
    return model_with<BertQuestionAnswering>(
        std::make_unique<BertQuestionAnswering>(model, options), [this](BertQuestionAnswering& bert, Pass& pass) {
          return span_cross_entropy(pass.tape, bert(pass, batch), batch.offsets, answer_first, answer_last);
        });
  return model_with<Bert>(std::make_unique<Bert>(model, options), [this](Bert& bert, Pass& pass) {
    return task_loss(pass.tape, bert(pass, batch), batch.labels, regression);
  });
}

Json MeasuredText::description(const TaskData& task) const {
  return {{"model", std::filesystem::path(model).filename().string()},
          {"task", task.task},
          {"examples", examples()},
          {"tokens", batch.tokens()},
          {"seed", seed}};
}

}  // namespace fixtune::program
