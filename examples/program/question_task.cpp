#include "fixtune/io/checksum.h"
#include "fixtune/io/file.h"
#include "fixtune/models/bert_folder.h"
#include "fixtune/train/question_answering_task.h"
#include "program/run.h"
#include "program/sample.h"
#include "program/trained_task.h"
#include "program/used_contexts.h"

namespace fixtune::program {
namespace {

void keep_some(SquadDataset& data, Index sample, Index limit) {
  keep_sample(data.questions, sample);
  if (limit > 0 && limit < static_cast<Index>(data.questions.size()))
    data.questions.resize(static_cast<std::size_t>(limit));
  drop_unused_contexts(data);
}

/// The model and the questions as windows.
struct Opened {
  BertQuestionAnswering bert;
  QuestionWindows train;
  QuestionWindows evaluation;
};

class QuestionTask : public TrainedTask {
 public:
  QuestionTask(TaskData options, const QuestionOptions& questions, Limits limits)
      : options_(std::move(options)), questions_(questions), version_(*squad_version(options_.task)) {
    if (options_.eval_data.empty()) fail("--task {}: give --eval-data", options_.task);
    train_ = read_squad(options_.data, version_);
    evaluation_ = read_squad(options_.eval_data, version_);
    keep_some(train_, options_.sample, limits.train);
    keep_some(evaluation_, /*sample=*/0, limits.evaluation);
    if (train_.questions.empty()) fail("{}: no questions", train_.path);
  }

  Json identity() const override {
    return {{"task", options_.task},
            {"data", file_checksum(train_.path)},
            {"eval-data", file_checksum(evaluation_.path)},
            {"doc-stride", questions_.doc_stride},
            {"max-answer-length", questions_.search.max_answer_length},
            {"no-answer-threshold", questions_.search.no_answer_threshold}};
  }

  Index training_examples() const override { return static_cast<Index>(train_.questions.size()); }
  Index evaluation_examples() const override { return static_cast<Index>(evaluation_.questions.size()); }

  Json record() const override { return {{"task", options_.task}, {"doc_stride", questions_.doc_stride}}; }

  void open(const StartingModel& start) override {
    const WordPiece tokenizer = WordPiece::from_folder(start.folder, notice);
    BertOptions options;
    options.recipes = start.recipes;
    options.labels = 2;
    options.seed = start.seed;
    options.log = notice;
    options.for_training = true;
    BertQuestionAnswering bert(start.folder, options);
    check_fits(bert.config(), tokenizer.vocabulary_size(), start.max_length, start.folder);
    const WindowOptions windows{start.max_length, questions_.doc_stride};
    opened_ = std::make_unique<Opened>(Opened{std::move(bert), QuestionWindows(train_, tokenizer, windows),
                                              QuestionWindows(evaluation_, tokenizer, windows)});
    if (const Index lost = opened_->train.mark_answers(train_); lost > 0)
      notice(fmt::format("{}: no token stands for the answers to {} questions; they are trained as without an answer",
                         train_.path, lost));
    training_ = std::make_unique<QuestionAnsweringTask>(opened_->bert, opened_->train, evaluation_, opened_->evaluation,
                                                        version_, questions_.search);
  }

  TrainingTask& training() override { return *training_; }

  /// A run that was resumed at its end has answered nothing yet.
  void save(const std::filesystem::path& origin, const std::filesystem::path& folder, Index batch_size) override {
    if (!training_->answers()) training_->evaluate(batch_size, {});
    save_bert(opened_->bert, origin, folder);
    write_file_atomically(folder / "predictions.json", to_json(*training_->answers()).dump(2) + "\n");
  }

 private:
  TaskData options_;
  QuestionOptions questions_;
  SquadVersion version_;
  SquadDataset train_;
  SquadDataset evaluation_;
  std::unique_ptr<Opened> opened_;
  std::unique_ptr<QuestionAnsweringTask> training_;
};

}  // namespace

std::unique_ptr<TrainedTask> read_question_task(const TaskData& options, const QuestionOptions& questions,
                                                Limits limits) {
  return std::make_unique<QuestionTask>(options, questions, limits);
}

}  // namespace fixtune::program
