#include "fixtune/io/checksum.h"
#include "fixtune/models/bert_folder.h"
#include "fixtune/train/classification_task.h"
#include "program/run.h"
#include "program/trained_task.h"

namespace fixtune::program {
namespace {

/// The model and the data as token ids.
struct Opened {
  Bert bert;
  EncodedDataset train;
  EncodedDataset evaluation;
};

class SentenceTask : public TrainedTask {
 public:
  SentenceTask(TaskData options, TrainingData data) : options_(std::move(options)), data_(std::move(data)) {}

  Json identity() const override {
    return {{"task", options_.task},
            {"regression", options_.is_regression_task()},
            {"data", file_checksum(data_.train.path)},
            {"eval-data", file_checksum(data_.evaluation.path)},
            {"text-column", options_.text_column},
            {"pair-column", options_.pair_column},
            {"label-column", options_.label_column},
            {"labels", data_.train.label_names}};
  }

  Index training_examples() const override { return static_cast<Index>(data_.train.examples.size()); }
  Index evaluation_examples() const override { return static_cast<Index>(data_.evaluation.examples.size()); }

  Json record() const override {
    return {{"task", options_.task},
            {"regression", options_.is_regression_task()},
            {"text_column", options_.text_column},
            {"pair_column", options_.pair_column},
            {"label_column", options_.label_column}};
  }

  void open(const StartingModel& start) override {
    const WordPiece tokenizer = WordPiece::from_folder(start.folder, notice);
    BertOptions options;
    options.recipes = start.recipes;
    options.labels = options_.is_regression_task() ? 1 : static_cast<Index>(data_.train.label_names.size());
    options.seed = start.seed;
    options.log = notice;
    options.for_training = true;
    Bert bert(start.folder, options);
    check_fits(bert.config(), tokenizer.vocabulary_size(), start.max_length, start.folder);
    opened_ = std::make_unique<Opened>(Opened{std::move(bert), encode(data_.train, tokenizer, start.max_length),
                                              encode(data_.evaluation, tokenizer, start.max_length)});
    training_ = std::make_unique<ClassificationTask>(opened_->bert, opened_->train, opened_->evaluation,
                                                     options_.parsed_task(), options_.is_regression_task());
  }

  TrainingTask& training() override { return *training_; }

  void save(const std::filesystem::path& origin, const std::filesystem::path& folder, Index) override {
    save_bert(opened_->bert, {data_.train.label_names, options_.is_regression_task()}, origin, folder);
  }

 private:
  TaskData options_;
  TrainingData data_;
  std::unique_ptr<Opened> opened_;
  std::unique_ptr<ClassificationTask> training_;
};

}  // namespace

std::unique_ptr<TrainedTask> read_sentence_task(const TaskData& options, std::uint64_t seed, Limits limits) {
  return std::make_unique<SentenceTask>(
      options, read_training_data(options, seed, limits.train, limits.evaluation, notice));
}

}  // namespace fixtune::program
