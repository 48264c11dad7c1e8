// Fine-tunes a BERT folder on a GLUE task or a table of labelled sentences, in one recipe, and saves the result.
#include <fmt/format.h>
#include <unistd.h>

#include <set>

#include "fixtune/core/parallel.h"
#include "fixtune/gemm/float_product.h"
#include "fixtune/gemm/packed_product.h"
#include "fixtune/io/checksum.h"
#include "fixtune/io/file.h"
#include "fixtune/models/bert_folder.h"
#include "fixtune/train/fine_tune.h"
#include "fixtune/train/recipe_file.h"
#include "program/progress.h"
#include "program/run.h"
#include "program/stop_signals.h"
#include "program/task_data.h"

namespace {

using namespace fixtune;

struct Options {
  program::TaskData task;
  TrainingOptions training;
  CheckpointOptions checkpoints;
  std::string model, out, recipe = "rowwise", json;
  Index max_length = 128;
  Index limit = 0;
  Index eval_limit = 0;
  int threads = 0;
};

void add_options(CLI::App& app, Options& o) {
  app.add_option("--model", o.model, "Hugging Face folder of a BERT")->required();
  o.task.add_options(app, /*task_required=*/true);
  app.add_option("--eval-data", o.task.eval_data, "evaluation file (text: default a tenth held out by the seed)");
  app.add_option("--recipe", o.recipe, "fp32, bf16, int8, approach1, approach2, rowwise, or a JSON file")
      ->capture_default_str();
  app.add_option("--out", o.out, "folder to write")->required();
  app.add_option("--json", o.json, "file for the run's figures");
  TrainingOptions& t = o.training;
  app.add_option("--epochs", t.epochs)->check(CLI::NonNegativeNumber)->capture_default_str();
  app.add_option("--lr", t.learning_rate)->check(CLI::NonNegativeNumber)->capture_default_str();
  app.add_option("--batch-size", t.batch_size)->check(CLI::PositiveNumber)->capture_default_str();
  app.add_option("--accumulation", t.accumulation, "micro-batches a step")->check(CLI::PositiveNumber);
  app.add_option("--max-length", o.max_length)->check(CLI::PositiveNumber)->capture_default_str();
  app.add_option("--seed", t.seed)->capture_default_str();
  app.add_option("--warmup", t.warmup, "steps; below 1 a share of all steps")->check(CLI::NonNegativeNumber);
  app.add_option("--weight-decay", t.weight_decay)->check(CLI::NonNegativeNumber);
  app.add_option("--clip", t.clip, "largest global gradient norm (0: none)")->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  app.add_option("--adam-beta1", t.beta1)->check(CLI::Range(0.0, 1.0))->capture_default_str();
  app.add_option("--adam-beta2", t.beta2)->check(CLI::Range(0.0, 1.0))->capture_default_str();
  app.add_option("--adam-epsilon", t.epsilon)->check(CLI::NonNegativeNumber)->capture_default_str();
  app.add_option("--limit", o.limit, "use the first N training examples (0: all)")->check(CLI::NonNegativeNumber);
  app.add_option("--eval-limit", o.eval_limit, "use the first N evaluation examples (0: all)")
      ->check(CLI::NonNegativeNumber);
  app.add_option("--checkpoint-every", o.checkpoints.every, "steps between checkpoints in OUT/checkpoints (0: none)")
      ->check(CLI::NonNegativeNumber);
  app.add_option("--keep", o.checkpoints.keep, "newest checkpoints to keep (0: one, and none after the end)")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  app.add_flag("--resume", o.checkpoints.resume, "go on from the newest checkpoint, or start anew where there is none");
  program::add_threads(app, o.threads);
}

/// Refuses a folder that could not be written, before hours of work go into it.
void check_writable(const char* option, const std::filesystem::path& folder) {
  std::filesystem::path existing = std::filesystem::absolute(folder);
  while (!std::filesystem::exists(existing)) existing = existing.parent_path();
  if (!std::filesystem::is_directory(existing)) fail("{}: {} is not a folder", option, existing.string());
  if (access(existing.c_str(), W_OK) != 0) fail("{}: {} is not writable", option, existing.string());
}

std::string to_text(const Metrics& metrics) {
  std::string text;
  for (const auto& [name, value] : metrics)
    text += value ? fmt::format("  {} {:.4f}", name, *value) : fmt::format("  {} undefined", name);
  return text;
}

Json report(const Options& o, const TrainingResult& result) {
  Json epochs = Json::array();
  for (const EpochResult& epoch : result.epochs)
    epochs.push_back({{"loss", epoch.loss}, {"seconds", epoch.seconds}, {"metrics", to_json(epoch.metrics)}});
  return {{"task", o.task.task},
          {"recipe", o.recipe},
          {"seed", o.training.seed},
          {"threads", thread_count()},
          {"epochs", std::move(epochs)},
          {"seconds", result.seconds},
          {"tokens_per_second", result.tokens_per_second()},
          {"peak_memory_bytes", program::peak_memory_bytes()},
          {"saved_activation_bytes", result.saved_activation_bytes},
          {"outliers", result.outliers.to_json()}};
}

/// Checksums of the files that a model is read from.
Json model_checksums(const std::filesystem::path& folder) {
  Json checksums = Json::object();
  for (const char* name : {"config.json", "vocab.txt", "tokenizer.json", "tokenizer_config.json"})
    if (std::filesystem::exists(folder / name)) checksums[name] = file_checksum(folder / name);
  std::set<std::filesystem::path> weights;
  for (const auto& entry : std::filesystem::directory_iterator(folder))
    if (entry.path().extension() == ".safetensors") weights.insert(entry.path());
  for (const auto& file : weights) checksums[file.filename()] = file_checksum(file);
  return checksums;
}

/// What tells this run from others; inputs by their content, so that files may move.
RunDescription describe(const Options& o, const program::TrainingData& data, const RecipeMap& recipes) {
  RunDescription run = describe(o.training);
  run.identity.update({{"task", o.task.task},
                       {"data", file_checksum(data.train.path)},
                       {"eval-data", file_checksum(data.evaluation.path)},
                       {"text-column", o.task.text_column},
                       {"pair-column", o.task.pair_column},
                       {"label-column", o.task.label_column},
                       {"labels", data.train.label_names},
                       {"limit", o.limit},
                       {"eval-limit", o.eval_limit},
                       {"max-length", o.max_length},
                       {"recipe", to_json(recipes)},
                       {"model", model_checksums(o.model)}});
  run.circumstances["INT8 kernel"] = name(active_packed_kernel());
  return run;
}

/// True if OUT already holds what this run would write, and its checkpoints are gone. Throws where it is another run's.
bool is_finished(const Options& o) {
  if (!o.checkpoints.resume || std::filesystem::exists(o.checkpoints.folder)) return false;
  const Json record = program::read_run_record(o.out);
  if (!record.contains("run")) return false;
  require_same_run(record.at("run"), o.checkpoints.run.identity, (std::filesystem::path(o.out) / "fixtune.json").string());
  return true;
}

TrainingCallbacks callbacks(program::Progress& training, program::Progress& evaluation) {
  TrainingCallbacks c;
  c.log = program::notice;
  c.step = [&](const TrainingProgress& p) {
    training.show(p.step, p.steps,
                  fmt::format("epoch {} loss {:.4f} {:.0f} tokens/s {} left", p.epoch, p.loss, p.tokens_per_second,
                              program::duration(p.seconds_left)));
  };
  c.evaluation = [&](Index done, Index total) { evaluation.show(done, total, ""); };
  c.stop_requested = [] { return program::stop_signal() != 0; };
  c.epoch = [&](Index epoch, const EpochResult& result) {
    training.finish();
    evaluation.finish();
    fmt::print("epoch {}: loss {:.4f}  {:.1f} s{}\n", epoch, result.loss, result.seconds, to_text(result.metrics));
    std::fflush(stdout);
  };
  return c;
}

[[noreturn]] void stop(const Options& o) {
  const bool saved = !o.checkpoints.folder.empty();
  program::notice(fmt::format("stopped by signal {}; {}", program::stop_signal(),
                              saved ? "--resume goes on from here" : "without --checkpoint-every nothing is kept"));
  throw program::Stopped{program::stop_signal()};
}

/// Writes the model, the figures, and last the record that says the run is finished.
void save(const Options& o, Bert& bert, const program::TrainingData& data, const RecipeMap& recipes,
          const TrainingResult& result) {
  const std::filesystem::path out(o.out);
  if (!o.checkpoints.folder.empty()) remove_partials(out);
  save_bert(bert, {data.train.label_names, o.training.regression}, o.model, out);
  if (!o.json.empty()) write_file_atomically(o.json, report(o, result).dump(2) + "\n");
  Json record = program::run_record(o.task, to_json(recipes), o.max_length);
  if (!o.checkpoints.folder.empty()) record["run"] = o.checkpoints.run.identity;
  write_file_atomically(out / "fixtune.json", record.dump(2) + "\n");
  if (o.checkpoints.keep == 0 && !o.checkpoints.folder.empty()) std::filesystem::remove_all(o.checkpoints.folder);
}

void finetune(Options& o) {
  set_thread_count(o.threads);
  check_writable("--out", o.out);
  if (!o.json.empty()) {
    if (std::filesystem::is_directory(o.json)) fail("--json: {} is a folder", o.json);
    if (!std::filesystem::exists(std::filesystem::absolute(o.json).parent_path()))
      fail("--json: the folder of {} does not exist", o.json);
    check_writable("--json", std::filesystem::absolute(o.json).parent_path());
  }
  o.training.task = o.task.parsed_task();
  o.training.regression = o.task.is_regression_task();
  const RecipeMap recipes = read_recipes(o.recipe);
  if (recipes.fallback.arithmetic == Arithmetic::BF16 && !has_native_bf16())
    program::notice("this CPU has no BF16 products; they run as FP32 products of BF16-rounded operands");
  const WordPiece tokenizer = WordPiece::from_folder(o.model, program::notice);
  const program::TrainingData data =
      program::read_training_data(o.task, o.training.seed, o.limit, o.eval_limit, program::notice);

  if (o.checkpoints.every > 0 || o.checkpoints.resume) {
    o.checkpoints.folder = std::filesystem::path(o.out) / "checkpoints";
    o.checkpoints.run = describe(o, data, recipes);
    if (is_finished(o)) {
      program::notice(fmt::format("{}: the run is already finished", o.out));
      return;
    }
  }

  BertOptions model_options;
  model_options.recipes = recipes;
  model_options.labels = o.training.regression ? 1 : static_cast<Index>(data.train.label_names.size());
  model_options.seed = o.training.seed;
  model_options.log = program::notice;
  Bert bert(o.model, model_options);
  check_fits(bert.config(), tokenizer.vocabulary_size(), o.max_length, o.model);
  const EncodedDataset train = encode(data.train, tokenizer, o.max_length);
  const EncodedDataset evaluation = encode(data.evaluation, tokenizer, o.max_length);
  fmt::print("{}: {} training and {} evaluation examples, recipe {}, {} threads, INT8 kernel {}\n", o.task.task,
             train.size(), evaluation.size(), o.recipe, thread_count(), name(active_packed_kernel()));

  program::Progress training_bar("train");
  program::Progress evaluation_bar("evaluate");
  program::catch_stop_signals();
  const TrainingResult result =
      fine_tune(bert, train, evaluation, o.training, callbacks(training_bar, evaluation_bar), o.checkpoints);
  training_bar.finish();
  evaluation_bar.finish();
  if (result.stopped) stop(o);
  if (result.epochs.empty()) program::notice("0 epochs: nothing was trained");
  save(o, bert, data, recipes, result);
  fmt::print("{:.0f} tokens/s, peak memory {:.0f} MiB, saved activations {:.0f} MiB; saved to {}\n",
             result.tokens_per_second(), static_cast<double>(program::peak_memory_bytes()) / 0x1p20,
             static_cast<double>(result.saved_activation_bytes) / 0x1p20, o.out);
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Fine-tune a BERT with integer linear layers", "finetune");
  Options options;
  add_options(app, options);
  return program::run(app, argc, argv, [&] { finetune(options); });
}
