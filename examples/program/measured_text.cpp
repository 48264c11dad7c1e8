#include "program/measured_text.h"

#include <numeric>

#include "fixtune/core/parallel.h"
#include "fixtune/models/bert_folder.h"
#include "program/run.h"

namespace fixtune::program {

void MeasuredTextOptions::add_options(CLI::App& app, bool task_required) {
  app.add_option("--model", model, "Hugging Face folder of a BERT")->required();
  task.add_options(app, task_required);
  app.add_option("--limit", limit, "use the first N examples (0: all)")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  app.add_option("--max-length", max_length)->check(CLI::PositiveNumber)->capture_default_str();
  app.add_option("--seed", seed, "of a head the folder lacks, and of stochastic rounding")->capture_default_str();
  add_threads(app, threads);
}

MeasuredText read_measured_text(const MeasuredTextOptions& o) {
  set_thread_count(o.threads);
  Dataset data = read_evaluation_data(o.task, o.task.labels, /*has_label=*/true, notice);
  if (data.examples.empty()) fail("{}: no examples", data.path);
  if (o.limit > 0 && o.limit < static_cast<Index>(data.examples.size()))
    data.examples.resize(static_cast<std::size_t>(o.limit));
  const WordPiece tokenizer = WordPiece::from_folder(o.model, notice);
  check_fits(BertConfig::read(std::filesystem::path(o.model) / "config.json"), tokenizer.vocabulary_size(),
             o.max_length, o.model);
  const EncodedDataset encoded = encode(data, tokenizer, o.max_length);
  std::vector<Index> order(static_cast<std::size_t>(encoded.size()));
  std::iota(order.begin(), order.end(), 0);
  MeasuredText text{o.model, o.seed, 0, o.task.is_regression_task(), encoded.batch(order, 0, encoded.size())};
  text.labels = text.regression ? 1 : static_cast<Index>(data.label_names.size());
  return text;
}

Bert MeasuredText::open(const RecipeMap& recipes) const {
  BertOptions options;
  options.recipes = recipes;
  options.labels = labels;
  options.seed = seed;
  return Bert(model, options);
}

Json MeasuredText::description(const TaskData& task) const {
  return {{"model", std::filesystem::path(model).filename().string()},
          {"task", task.task},
          {"examples", examples()},
          {"tokens", batch.tokens()},
          {"seed", seed}};
}

}  // namespace fixtune::program
