#pragma once

#include <string>
#include <vector>

#include "program/program.h"
#include "step/turns.h"

namespace fixtune::bench {

/// How a step's time per token grows with the tokens a step, or with the tokens a sentence.
class Growth {
 public:
  explicit Growth(const StepOptions& options) : options_(options) {}

  /// Registers the steps of 2048 to 16384 tokens.
  void measure_tokens(Program& program);
  /// Registers the sentences of 16 to 512 tokens.
  void measure_sentences(Program& program);
  /// What those gave; no tables for what was not measured.
  std::vector<ClosingTable> tables();

 private:
  /// What one point took, by recipe.
  struct Point {
    Index tokens = 0;
    Index length = 0;
    std::string recipe;
    StepTimes times;
    double prepare = 0.0;

    /// Microseconds that forward and backward take per token, without what a step costs however few its tokens.
    double per_token() const {
      return 1e6 * (times.forward - prepare + times.backward) / static_cast<double>(tokens);
    }
  };
  using Points = std::vector<Point>;
  /// `per_token = base + slope * length`.
  struct Line {
    double base = 0.0, slope = 0.0;
  };

  void measure(benchmark::State& state, Points& points, Index tokens, Index length);
  static Points of_recipe(const Points& points, const std::string& recipe);
  static Line least_squares(const Points& points);
  ClosingTable token_table() const;
  ClosingTable sentence_table() const;

  const StepOptions& options_;
  std::vector<Turn> turns_;
  Points token_points_, sentence_points_;
};

}  // namespace fixtune::bench
