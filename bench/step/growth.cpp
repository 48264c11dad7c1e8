#include "step/growth.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "step/linears_alone.h"

namespace fixtune::bench {
namespace {

constexpr Index tokens_a_step[] = {2048, 4096, 8192, 16384};
constexpr Index tokens_a_sentence[] = {16, 32, 64, 128, 256, 512};
constexpr Index usual_length = 128;

/// Seconds that quantising the weights takes: the better of two, since the first finds cold caches.
double prepare_seconds(Bert& bert) {
  const double first = time_linears_alone(bert, /*tokens=*/1).prepare;
  return std::min(first, time_linears_alone(bert, /*tokens=*/1).prepare);
}

}  // namespace

void Growth::measure(benchmark::State& state, Points& points, Index tokens, Index length) {
  if (turns_.empty()) turns_ = recipe_turns(options_, options_.recipes_or({"fp32", "rowwise"}));
  const BertConfig& config = turns_.front().own->bert().config();
  take_turns(state, turns_, random_batches(config, tokens / length, length, length), options_.warmup);
  for (Turn& turn : turns_)
    points.push_back({tokens, length, turn.name, turn.medians(), prepare_seconds(turn.own->bert())});
}

void Growth::measure_tokens(Program& program) {
  for (const Index tokens : tokens_a_step)
    program.measure(fmt::format("step of {} tokens: {}", tokens, options_.model_name()),
                    [=, this](benchmark::State& state) { measure(state, token_points_, tokens, usual_length); });
}

void Growth::measure_sentences(Program& program) {
  for (const Index length : tokens_a_sentence)
    program.measure(fmt::format("sentences of {} tokens: {}", length, options_.model_name()),
                    [=, this](benchmark::State& state) {
                      measure(state, sentence_points_, options_.sweep_tokens / length * length, length);
                    });
}

std::vector<ClosingTable> Growth::tables() {
  std::vector<ClosingTable> tables;
  if (!token_points_.empty()) tables.push_back(token_table());
  if (!sentence_points_.empty()) tables.push_back(sentence_table());
  return tables;
}

Growth::Points Growth::of_recipe(const Points& points, const std::string& recipe) {
  Points selected;
  for (const Point& point : points)
    if (point.recipe == recipe) selected.push_back(point);
  return selected;
}

ClosingTable Growth::token_table() const {
  ClosingTable table("Time per token by tokens a step",
                     {"recipe", "tokens", "forward s", "backward s", "us/token", "over the smallest", "optimiser s",
                      "quantising W s"},
                     fmt::format("Sentences of {} tokens. us/token: forward and backward without quantising W, which "
                                 "costs the same however few the tokens, as the optimiser does.",
                                 usual_length));
  for (const Turn& turn : turns_) {
    const Points points = of_recipe(token_points_, turn.name);
    double smallest = std::numeric_limits<double>::max();
    for (const Point& p : points) smallest = std::min(smallest, p.per_token());
    for (const Point& p : points)
      table.add({p.recipe, p.tokens, p.times.forward, p.times.backward, p.per_token(), p.per_token() / smallest,
                 p.times.optimiser, p.prepare});
  }
  return table;
}

Growth::Line Growth::least_squares(const Points& points) {
  double n = 0, x = 0, y = 0, xx = 0, xy = 0;
  for (const Point& p : points) {
    const auto length = static_cast<double>(p.length);
    n += 1;
    x += length;
    y += p.per_token();
    xx += length * length;
    xy += length * p.per_token();
  }
  const double determinant = n * xx - x * x;
  if (determinant == 0) return {y / n, 0.0};
  const double slope = (n * xy - x * y) / determinant;
  return {(y - slope * x) / n, slope};
}

ClosingTable Growth::sentence_table() const {
  ClosingTable table("Time per token by tokens a sentence",
                     {"recipe", "tokens a sentence", "us/token", "base us", "attention us", "over base + attention"},
                     fmt::format("About {} tokens a step. Attention's square is a part that grows with the length: "
                                 "us/token fitted as base + slope * length; flat is 1.00 in the last column.",
                                 options_.sweep_tokens));
  for (const Turn& turn : turns_) {
    const Points points = of_recipe(sentence_points_, turn.name);
    const Line line = least_squares(points);
    for (const Point& p : points) {
      const double attention = line.slope * static_cast<double>(p.length);
      table.add({p.recipe, p.length, p.per_token(), line.base, attention, p.per_token() / (line.base + attention)});
    }
  }
  return table;
}

}  // namespace fixtune::bench
