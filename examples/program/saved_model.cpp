#include "program/saved_model.h"

#include "fixtune/core/parallel.h"
#include "fixtune/train/recipe_file.h"
#include "program/run.h"

namespace fixtune::program {
namespace {

/// Takes `field` from the record unless its option was given.
template <typename T>
void take(const CLI::App& app, const char* option, const Json& record, const char* field, T& value) {
  if (app.count(option) > 0 || !record.contains(field)) return;
  try {
    value = record.at(field).get<T>();
  } catch (const nlohmann::json::exception&) {
    fail("fixtune.json: {} has the wrong type", field);
  }
}

RecipeMap recipes(const SavedModelOptions& options, const Json& record) {
  if (!options.recipe.empty()) return read_recipes(options.recipe);
  if (record.contains("recipe")) return parse_recipes(record.at("recipe"), options.model + "/fixtune.json: recipe");
  return {preset("fp32"), {}};
}

BertOptions model_options(const SavedModelOptions& options) {
  BertOptions model;
  model.recipes = options.recipes;
  model.log = notice;
  return model;
}

}  // namespace

void SavedModelOptions::add_options(CLI::App& app) {
  app.add_option("--model", model, "folder that finetune wrote, or any BERT with a classifier or span head")->required();
  task.add_options(app, /*task_required=*/false);
  questions.add_options(app);
  app.add_option("--recipe", recipe, "preset or JSON file (default: the one the folder records, else fp32)");
  app.add_option("--max-length", max_length, "default: as trained, else 128 (squad, squad2: 384)")
      ->check(CLI::PositiveNumber);
  app.add_option("--batch-size", batch_size)->check(CLI::PositiveNumber)->capture_default_str();
  add_threads(app, threads);
}

void take_from_record(SavedModelOptions& o, const CLI::App& app) {
  set_thread_count(o.threads);
  const Json record = read_run_record(o.model);
  take(app, "--task", record, "task", o.task.task);
  take(app, "--regression", record, "regression", o.task.regression);
  take(app, "--text-column", record, "text_column", o.task.text_column);
  take(app, "--pair-column", record, "pair_column", o.task.pair_column);
  take(app, "--label-column", record, "label_column", o.task.label_column);
  take(app, "--max-length", record, "max_length", o.max_length);
  take(app, "--doc-stride", record, "doc_stride", o.questions.doc_stride);
  if (o.max_length == 0) o.max_length = squad_version(o.task.task) ? WindowOptions{}.max_length : 128;
  o.recipes = recipes(o, record);
}

SavedModel open_saved_model(const SavedModelOptions& o, bool has_label) {
  const WordPiece tokenizer = WordPiece::from_folder(o.model, notice);
  Bert bert(o.model, model_options(o));
  check_fits(bert.config(), tokenizer.vocabulary_size(), o.max_length, o.model);
  HeadDescription head = read_head(bert.config(), bert.labels());
  const auto& names = o.task.labels.empty() ? head.label_names : o.task.labels;
  Dataset data = read_evaluation_data(o.task, names, has_label, notice);
  if (has_label && !o.task.is_regression_task() && static_cast<Index>(data.label_names.size()) != bert.labels())
    fail("{}: the data has {} labels, the classifier {}", o.model, data.label_names.size(), bert.labels());
  EncodedDataset encoded = encode(data, tokenizer, o.max_length);
  return {std::move(bert), std::move(head), std::move(data), std::move(encoded)};
}

SavedSpanModel open_saved_span_model(const SavedModelOptions& o, bool has_answers) {
  const SquadVersion version = *squad_version(o.task.task);
  const WordPiece tokenizer = WordPiece::from_folder(o.model, notice);
  BertQuestionAnswering bert(o.model, model_options(o));
  check_fits(bert.config(), tokenizer.vocabulary_size(), o.max_length, o.model);
  SquadDataset data = read_squad(o.task.data, version, has_answers);
  QuestionWindows windows(data, tokenizer, {o.max_length, o.questions.doc_stride});
  return {std::move(bert), version, std::move(data), std::move(windows)};
}

}  // namespace fixtune::program
