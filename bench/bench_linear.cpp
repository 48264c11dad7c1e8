// A whole linear layer, forward and backward, all quantising included, in every recipe: time, and ratio to FP32.
//
// Recipes are interleaved, one pass of each per round, so that a machine that slows down slows all of them; the
// closing table gives medians. --threads=N before the benchmark's own options.
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <random>
#include <string>

#include "fixtune/core/parallel.h"
#include "fixtune/linear/linear.h"

namespace {

using namespace fixtune;

struct Shape {
  const char* name;
  Index tokens, out, in;
};
constexpr Shape shapes[] = {{"BERT-base attention", 4096, 768, 768},
                            {"BERT-base up", 4096, 3072, 768},
                            {"BERT-base down", 4096, 768, 3072},
                            {"MiniLM attention", 4096, 384, 384},
                            {"MiniLM up", 4096, 1536, 384},
                            {"MiniLM down", 4096, 384, 1536}};

/// Normal values; one column in a hundred has, every twentieth row, a value of 30.
Tensor activations(Index rows, Index cols) {
  std::mt19937 generator(1);
  std::normal_distribution<float> normal;
  Tensor t(rows, cols);
  for (Index i = 0; i < t.size(); ++i) t.data()[i] = normal(generator);
  for (Index r = 0; r < rows; r += 20)
    for (Index c = 50; c < cols; c += 100) t(r, c) = 30.0F;
  return t;
}

/// One forward and backward; the time of it in milliseconds.
double layer_pass(const Tensor& x, const Tensor& w, const Tensor& dy, const Recipe& recipe) {
  const auto start = std::chrono::steady_clock::now();
  const QuantizedWeight weight = prepare_weight(w, recipe);
  LinearResult result = linear_forward(x, weight, nullptr);
  LinearGradients g = recipe.arithmetic == Arithmetic::Integer ? linear_backward(dy, weight, result.saved)
                                                               : float_linear_backward(dy, weight, x);
  benchmark::DoNotOptimize(result.y.data());
  benchmark::DoNotOptimize(g.dw.data());
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
}

double median(std::vector<double> values) {
  std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2), values.end());
  return values[values.size() / 2];
}

std::map<std::string, std::map<std::string, double>> medians;

void all_recipes(benchmark::State& state, const Shape& shape) {
  const Tensor x = activations(shape.tokens, shape.in);
  const Tensor w = activations(shape.out, shape.in);
  const Tensor dy = activations(shape.tokens, shape.out);
  std::map<std::string, std::vector<double>> times;
  for (const std::string& name : preset_names()) layer_pass(x, w, dy, preset(name));
  for (auto round : state) {
    static_cast<void>(round);
    for (const std::string& name : preset_names()) times[name].push_back(layer_pass(x, w, dy, preset(name)));
  }
  for (const auto& [name, all] : times) {
    medians[shape.name][name] = median(all);
    state.counters[name] = median(all);
  }
}

void print_table() {
  fmt::print("\n{} threads; milliseconds, and in brackets FP32's time over the recipe's\n{:<20}", thread_count(), "");
  for (const std::string& name : preset_names()) fmt::print(" {:>16}", name);
  fmt::print("\n");
  for (const auto& [shape, by_recipe] : medians) {
    fmt::print("{:<20}", shape);
    for (const std::string& name : preset_names())
      fmt::print(" {:>9.2f} ({:.2f})", by_recipe.at(name), by_recipe.at("fp32") / by_recipe.at(name));
    fmt::print("\n");
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc > 1 && std::string_view(argv[1]).starts_with("--threads=")) {
    set_thread_count(std::atoi(argv[1] + 10));
    std::swap(argv[0], argv[1]);
    ++argv;
    --argc;
  }
  for (const Shape& shape : shapes)
    benchmark::RegisterBenchmark(shape.name, all_recipes, shape)->Unit(benchmark::kMillisecond)->Iterations(9)->UseRealTime();
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  benchmark::RunSpecifiedBenchmarks();
  print_table();
}
