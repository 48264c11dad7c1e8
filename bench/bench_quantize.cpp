// Quantising an activation against copying it: the codes of X by recipe rowwise (outlier digits found on the way), by
// other treatments, and plain codes, nearest and stochastic; tensors beyond the caches and within them.
//
// The rival is a memcpy of the FP32 input into memory that is already there, by as many threads. The library's
// functions allocate what they return.
#include <fmt/format.h>

#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "fixtune/core/parallel.h"
#include "fixtune/linear/input.h"
#include "fixtune/quant/outlier_split.h"
#include "program/program.h"
#include "program/rounds.h"
#include "program/synthetic.h"

namespace {

using namespace fixtune;
using namespace fixtune::bench;

struct Shape {
  Index rows, cols;
};
constexpr Shape shapes[] = {{16384, 3072}, {16384, 768}, {4096, 768}, {1024, 768}};
constexpr double outlier_density = 0.01;
constexpr Index rows_per_copy = 64;

struct Measurement {
  Shape shape;
  std::vector<std::string> order;
  Medians medians;
};
std::vector<Measurement> measurements;

void copy(const Tensor& from, Tensor& to) {
  parallel_for(from.rows(), rows_per_copy, [&](Index begin, Index end) {
    std::memcpy(to.row(begin), from.row(begin),
                static_cast<std::size_t>((end - begin) * from.cols()) * sizeof(float));
  });
}

Contestant split(const std::string& name, const Tensor& x, const std::string& recipe) {
  return {name, [&x, recipe = preset(recipe)] {
            benchmark::DoNotOptimize(quantize_activation(x, recipe, RandomStream(), "x").inliers.codes8.data());
          }};
}

Contestant plain(const std::string& name, const Tensor& x, const Format& format) {
  return {name, [&x, format] { benchmark::DoNotOptimize(quantize(x, format, RandomStream(), "x").codes8.data()); }};
}

void measure(benchmark::State& state, const Shape& shape) {
  const Tensor x = activations(shape.rows, shape.cols, 0.0);
  const Tensor with_outliers = activations(shape.rows, shape.cols, outlier_density);
  Tensor target = Tensor::zeros(shape.rows, shape.cols);
  const Format rows = preset("rowwise").format_x();
  Format rows_stochastic = rows;
  rows_stochastic.rounding = Rounding::Stochastic;
  const std::vector<Contestant> contestants = {
      {"memcpy of the FP32 input", [&] { copy(x, target); }},
      split("rowwise, no outliers", x, "rowwise"),
      split("rowwise, outliers in 1 % of columns", with_outliers, "rowwise"),
      {"rowwise, the same, as a layer's operand",
       [&, recipe = preset("rowwise")] {
         benchmark::DoNotOptimize(quantize_input(with_outliers, recipe, {}).forward.get());
       }},
      split("approach2, outliers in 1 % of columns", with_outliers, "approach2"),
      split("approach1, outliers in 1 % of columns", with_outliers, "approach1"),
      plain("plain codes, row steps, nearest", x, rows),
      plain("plain codes, row steps, stochastic", x, rows_stochastic),
      plain("plain codes, one step, power of two, stochastic", x, preset("int8").format_x())};
  Measurement m{shape, {}, interleaved_medians(state, contestants)};
  for (const Contestant& contestant : contestants) m.order.push_back(contestant.name);
  measurements.push_back(std::move(m));
}

ClosingTable table() {
  ClosingTable closing("Quantising against memcpy",
                       {"what", "rows", "columns", "input MiB", "ms", "GB/s of input", "times memcpy"},
                       "Outlier columns have one outlier in 20 rows.");
  for (const Measurement& m : measurements) {
    const double bytes = 4.0 * static_cast<double>(m.shape.rows) * static_cast<double>(m.shape.cols);
    for (const std::string& name : m.order) {
      const double time = m.medians.at(name);
      closing.add({name, m.shape.rows, m.shape.cols, bytes / 1048576.0, 1e3 * time, 1e-9 * bytes / time,
                   time / m.medians.at(m.order.front())});
    }
  }
  return closing;
}

}  // namespace

int main(int argc, char** argv) {
  Program program("bench_quantize", "Quantising activations against a memcpy of them.", /*rounds=*/15);
  const auto prepare = [&] {
    for (const Shape& shape : shapes)
      program.measure(fmt::format("{} x {}", shape.rows, shape.cols),
                      [=](benchmark::State& state) { measure(state, shape); });
  };
  return program.run(argc, argv, prepare, [&] { program.close_with(table()); });
}
