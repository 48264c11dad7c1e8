// Fine-tunes a BERT folder on a GLUE task, a table of labelled sentences or SQuAD, in one recipe, and saves the result.
#include <fmt/format.h>
#include <unistd.h>

#include "fixtune/core/parallel.h"
#include "fixtune/gemm/float_product.h"
#include "fixtune/gemm/packed_product.h"
#include "fixtune/io/file.h"
#include "fixtune/train/fine_tune.h"
#include "fixtune/train/recipe_file.h"
#include "program/progress.h"
#include "program/resumable_run.h"
#include "program/run.h"
#include "program/stop_signals.h"
#include "program/task_data.h"
#include "program/trained_task.h"

namespace {

using namespace fixtune;

struct Options {
  program::TaskData task;
  program::QuestionOptions questions;
  TrainingOptions training;
  program::ResumableRun resumable;
  std::string model, out, recipe = "rowwise", json;
  Index max_length = 128;
  program::Limits limits;
  int threads = 0;
};

void add_options(CLI::App& app, Options& o) {
  app.add_option("--model", o.model, "Hugging Face folder of a BERT")->required();
  o.task.add_options(app, /*task_required=*/true);
  app.add_option("--eval-data", o.task.eval_data, "evaluation file (text: default a tenth held out by the seed)");
  o.questions.add_options(app);
  app.add_option("--recipe", o.recipe, "fp32, bf16, int8, approach1, approach2, rowwise, or a JSON file")
      ->capture_default_str();
  app.add_option("--out", o.out, "folder to write")->required();
  app.add_option("--json", o.json, "file for the run's figures");
  TrainingOptions& t = o.training;
  app.add_option("--epochs", t.epochs, "squad, squad2: 2")->check(CLI::NonNegativeNumber)->capture_default_str();
  app.add_option("--lr", t.learning_rate, "squad, squad2: 5e-5")->check(CLI::NonNegativeNumber)->capture_default_str();
  app.add_option("--batch-size", t.batch_size, "squad, squad2: 12")->check(CLI::PositiveNumber)->capture_default_str();
  app.add_option("--accumulation", t.accumulation, "micro-batches a step")->check(CLI::PositiveNumber);
  app.add_option("--max-length", o.max_length, "squad, squad2: 384")->check(CLI::PositiveNumber)->capture_default_str();
  app.add_option("--seed", t.seed)->capture_default_str();
  app.add_option("--warmup", t.warmup, "steps; below 1 a share of all steps")->check(CLI::NonNegativeNumber);
  app.add_option("--weight-decay", t.weight_decay)->check(CLI::NonNegativeNumber);
  app.add_option("--clip", t.clip, "largest global gradient norm (0: none)")->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  app.add_option("--adam-beta1", t.beta1)->check(CLI::Range(0.0, 1.0))->capture_default_str();
  app.add_option("--adam-beta2", t.beta2)->check(CLI::Range(0.0, 1.0))->capture_default_str();
  app.add_option("--adam-epsilon", t.epsilon)->check(CLI::NonNegativeNumber)->capture_default_str();
  app.add_option("--limit", o.limits.train, "use the first N training examples or questions (0: all)")
      ->check(CLI::NonNegativeNumber);
  app.add_option("--sample", o.task.sample,
                 "use N training examples or questions drawn at random, the same in every run (0: all)")
      ->check(CLI::NonNegativeNumber);
  app.add_option("--eval-limit", o.limits.evaluation, "use the first N evaluation examples or questions (0: all)")
      ->check(CLI::NonNegativeNumber);
  o.resumable.add_options(app);
  program::add_threads(app, o.threads);
}

/// SQuAD's defaults (the paper, Table 2) where nothing else was given.
void take_squad_defaults(const CLI::App& app, Options& o) {
  if (app.count("--epochs") == 0) o.training.epochs = 2;
  if (app.count("--lr") == 0) o.training.learning_rate = 5e-5F;
  if (app.count("--batch-size") == 0) o.training.batch_size = 12;
  if (app.count("--max-length") == 0) o.max_length = WindowOptions{}.max_length;
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

Json report(const Options& o, const RecipeMap& recipes, const program::TrainedTask& task, const TrainingResult& result) {
  Json epochs = Json::array();
  for (const EpochResult& epoch : result.epochs)
    epochs.push_back({{"loss", epoch.loss}, {"seconds", epoch.seconds}, {"metrics", to_json(epoch.metrics)}});
  return {{"task", o.task.task},
          {"recipe", o.recipe},
          {"numerics", to_json(recipes)},
          {"seed", o.training.seed},
          {"threads", thread_count()},
          {"kernel", name(active_packed_kernel())},
          {"training_examples", task.training_examples()},
          {"evaluation_examples", task.evaluation_examples()},
          {"epochs", std::move(epochs)},
          {"seconds", result.seconds},
          {"tokens_per_second", result.tokens_per_second()},
          {"peak_memory_bytes", program::peak_memory_bytes()},
          {"saved_activation_bytes", result.saved_activation_bytes},
          {"outliers", result.outliers.to_json()}};
}

/// What tells this run from others.
RunDescription describe(const Options& o, const program::TrainedTask& task, const RecipeMap& recipes) {
  RunDescription run = describe(o.training);
  run.identity.update(task.identity());
  run.identity.update({{"sample", o.task.sample},
                       {"limit", o.limits.train},
                       {"eval-limit", o.limits.evaluation},
                       {"max-length", o.max_length},
                       {"recipe", to_json(recipes)},
                       {"model", program::model_checksums(o.model)}});
  run.circumstances["INT8 kernel"] = name(active_packed_kernel());
  return run;
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

/// Writes the model, the figures, and last the record that says the run is finished.
void save(const Options& o, program::TrainedTask& task, const RecipeMap& recipes, const TrainingResult& result) {
  const std::filesystem::path out(o.out);
  if (o.resumable.is_wanted()) remove_partials(out);
  task.save(o.model, out, o.training.batch_size);
  if (!o.json.empty()) write_file_atomically(o.json, report(o, recipes, task, result).dump(2) + "\n");
  Json record = task.record();
  record["max_length"] = o.max_length;
  record["recipe"] = to_json(recipes);
  o.resumable.finish(out, std::move(record));
}

/// Refuses what would fail only after the data were read, or the model trained.
void check_folders(const Options& o) {
  if (!std::filesystem::is_directory(o.model)) fail("--model: {} is not a folder", o.model);
  check_writable("--out", o.out);
  if (o.json.empty()) return;
  if (std::filesystem::is_directory(o.json)) fail("--json: {} is a folder", o.json);
  if (!std::filesystem::exists(std::filesystem::absolute(o.json).parent_path()))
    fail("--json: the folder of {} does not exist", o.json);
  check_writable("--json", std::filesystem::absolute(o.json).parent_path());
}

std::unique_ptr<program::TrainedTask> read_task(const Options& o) {
  if (squad_version(o.task.task)) return program::read_question_task(o.task, o.questions, o.limits);
  return program::read_sentence_task(o.task, o.training.seed, o.limits);
}

TrainingResult train(const Options& o, program::TrainedTask& task) {
  program::Progress training_bar("train");
  program::Progress evaluation_bar("evaluate");
  program::catch_stop_signals();
  TrainingResult result =
      fine_tune(task.training(), o.training, callbacks(training_bar, evaluation_bar), o.resumable.options());
  training_bar.finish();
  evaluation_bar.finish();
  return result;
}

void finetune(Options& o) {
  set_thread_count(o.threads);
  check_folders(o);
  const RecipeMap recipes = read_recipes(o.recipe);
  if (recipes.fallback.arithmetic == Arithmetic::BF16 && !has_native_bf16())
    program::notice("this CPU has no BF16 products; they run as FP32 products of BF16-rounded operands");
  const std::unique_ptr<program::TrainedTask> task = read_task(o);
  if (o.resumable.is_wanted()) {
    o.resumable.begin(o.out, describe(o, *task, recipes));
    if (o.resumable.is_finished()) {
      program::notice(fmt::format("{}: the run is already finished", o.out));
      return;
    }
  }
  task->open({o.model, recipes, o.max_length, o.training.seed});
  fmt::print("{}: {} training and {} evaluation examples, recipe {}, {} threads, INT8 kernel {}\n", o.task.task,
             task->training_examples(), task->evaluation_examples(), o.recipe, thread_count(),
             name(active_packed_kernel()));
  const TrainingResult result = train(o, *task);
  if (result.stopped) o.resumable.stop();
  if (result.epochs.empty()) program::notice("0 epochs: nothing was trained");
  save(o, *task, recipes, result);
  fmt::print("{:.0f} tokens/s, peak memory {:.0f} MiB, saved activations {:.0f} MiB; saved to {}\n",
             result.tokens_per_second(), static_cast<double>(program::peak_memory_bytes()) / 0x1p20,
             static_cast<double>(result.saved_activation_bytes) / 0x1p20, o.out);
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Fine-tune a BERT with integer linear layers", "finetune");
  Options options;
  add_options(app, options);
  return program::run(app, argc, argv, [&] {
    if (squad_version(options.task.task)) take_squad_defaults(app, options);
    finetune(options);
  });
}
