#pragma once

#include <benchmark/benchmark.h>

#include <chrono>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace fixtune::bench {

/// One of the things measured against each other.
struct Contestant {
  std::string name;
  std::function<void()> run;
};

/// Median seconds by name.
using Medians = std::map<std::string, double>;

/// Runs every contestant once a round, a round per iteration of `state`, and gives the median time of each.
///
/// Interleaved, so that a machine that slows down slows all of them; each round in another order (the same in every run
/// of the program), so that none always finds the caches as the same one left them; each has a workspace of its own. A
/// contestant of under 2 ms runs several times in a row and the mean counts. The medians also become counters of
/// `state`, in milliseconds.
Medians interleaved_medians(benchmark::State& state, const std::vector<Contestant>& all);

/// The median of at least one value (of an even number, the upper one).
double median(std::vector<double> values);
/// The geometric mean of at least one positive value.
double geometric_mean(const std::vector<double>& values);

/// Seconds that `run` takes.
template <typename Run>
double seconds(Run&& run) {
  const auto start = std::chrono::steady_clock::now();
  std::forward<Run>(run)();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

}  // namespace fixtune::bench
