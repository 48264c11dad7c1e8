#pragma once

#include <CLI/CLI.hpp>
#include <filesystem>
#include <string>
#include <vector>

#include "fixtune/core/aligned_buffer.h"

namespace fixtune::bench {

/// The options of bench_step.
struct StepOptions {
  std::filesystem::path model;
  std::vector<std::string> sections = {"step"};
  std::vector<std::string> recipes;  ///< empty: as each section has it
  std::vector<std::string> rivals;   ///< NAME=COMMAND
  Index batch = 32;
  Index length = 128;
  std::string lengths = "fixed";
  std::string task;
  std::string data;
  Index warmup = 1;
  Index steps = 500;
  Index sweep_tokens = 8192;
  std::string memory_of;

  void add_to(CLI::App& app);
  /// --recipes, or these where it was not given.
  std::vector<std::string> recipes_or(std::vector<std::string> others) const;
  /// The folder's own name.
  std::string model_name() const;
  /// What the batches hold, in words.
  std::string batch_words() const;
};

}  // namespace fixtune::bench
