#include "program/rounds.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <numeric>
#include <random>

#include "fixtune/core/workspace.h"

namespace fixtune::bench {
namespace {

constexpr double shortest_timing = 2e-3;
constexpr int most_repeats = 64;

/// With a workspace of its own, as a program has that does nothing else: in a common one every contestant would find its
/// buffers given up for another's, and its time would be that of fresh pages.
Contestant in_own_workspace(const Contestant& contestant) {
  return {contestant.name, [run = contestant.run, workspace = std::make_shared<Workspace>()] {
            const UseWorkspace use(workspace.get());
            run();
          }};
}

/// How often to run in a row so that the clock and the waking of threads do not count; the first run warms up.
int repeats_for(const Contestant& contestant) {
  contestant.run();
  const double once = seconds(contestant.run);
  return std::clamp(static_cast<int>(std::ceil(shortest_timing / std::max(once, 1e-9))), 1, most_repeats);
}

double mean_seconds(const Contestant& contestant, int repeats) {
  return seconds([&] {
           for (int i = 0; i < repeats; ++i) contestant.run();
         }) /
         repeats;
}

}  // namespace

Medians interleaved_medians(benchmark::State& state, const std::vector<Contestant>& all) {
  std::vector<Contestant> contestants;
  for (const Contestant& contestant : all) contestants.push_back(in_own_workspace(contestant));
  std::vector<int> repeats;
  for (const Contestant& contestant : contestants) repeats.push_back(repeats_for(contestant));
  std::vector<std::vector<double>> times(contestants.size());
  std::vector<std::size_t> order(contestants.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::mt19937 shuffles;
  while (state.KeepRunning()) {
    std::shuffle(order.begin(), order.end(), shuffles);
    for (const std::size_t turn : order) times[turn].push_back(mean_seconds(contestants[turn], repeats[turn]));
  }
  Medians medians;
  for (std::size_t i = 0; i < contestants.size(); ++i) {
    medians[contestants[i].name] = median(times[i]);
    state.counters[contestants[i].name + " ms"] = 1e3 * medians[contestants[i].name];
  }
  return medians;
}

double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

double geometric_mean(const std::vector<double>& values) {
  const double logs = std::accumulate(values.begin(), values.end(), 0.0,
                                      [](double sum, double value) { return sum + std::log(value); });
  return std::exp(logs / static_cast<double>(values.size()));
}

}  // namespace fixtune::bench
