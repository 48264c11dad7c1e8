#include "program/question_options.h"

namespace fixtune::program {

void QuestionOptions::add_options(CLI::App& app) {
  const std::string group = "Questions (squad, squad2)";
  app.add_option("--doc-stride", doc_stride, "context tokens that neighbouring windows share")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str()
      ->group(group);
  app.add_option("--max-answer-length", search.max_answer_length, "tokens")
      ->check(CLI::PositiveNumber)
      ->capture_default_str()
      ->group(group);
  app.add_option("--no-answer-threshold", search.no_answer_threshold,
                 "squad2: no answer where its score exceeds the best answer's by more")
      ->capture_default_str()
      ->group(group);
}

}  // namespace fixtune::program
