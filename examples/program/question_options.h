#pragma once

#include <CLI/CLI.hpp>

#include "fixtune/data/question_windows.h"
#include "fixtune/train/span_search.h"

namespace fixtune::program {

/// How the questions of squad and squad2 are cut into windows and answered: --doc-stride, --max-answer-length ...
struct QuestionOptions {
  Index doc_stride = WindowOptions{}.doc_stride;
  SpanSearchOptions search;

  void add_options(CLI::App& app);
};

}  // namespace fixtune::program
