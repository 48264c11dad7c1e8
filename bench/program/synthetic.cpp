#include "program/synthetic.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "fixtune/core/parallel.h"
#include "fixtune/core/random.h"

namespace fixtune::bench {
namespace {

constexpr Index values_per_task = 1 << 14;
constexpr Index outlier_row_period = 20;
constexpr float outlier_value = 30.0F;
constexpr float code_deviation = 127.0F / 3.5F;

/// Box and Muller; |x| < 5 so that no outlier comes unasked at gamma 5.
float normal(const RandomStream& random, Index element) {
  const auto i = static_cast<std::uint64_t>(element);
  const float u = 1.0F - random.uniform(2 * i);
  const float angle = 2.0F * std::numbers::pi_v<float> * random.uniform(2 * i + 1);
  return std::min(std::sqrt(-2.0F * std::log(u)), 4.9F) * std::cos(angle);
}

}  // namespace

Tensor normal_values(Index rows, Index cols, std::uint64_t seed, float scale) {
  const RandomStream random({seed, 0, 0}, tensor_id("synthetic"));
  Tensor t(rows, cols);
  float* out = t.data();
  parallel_for(t.size(), values_per_task, [=](Index begin, Index end) {
    for (Index i = begin; i < end; ++i) out[i] = scale * normal(random, i);
  });
  return t;
}

Tensor activations(Index rows, Index cols, double density) {
  Tensor t = normal_values(rows, cols, /*seed=*/1);
  const auto columns = static_cast<Index>(std::llround(density * static_cast<double>(cols)));
  for (Index i = 0; i < columns; ++i) {
    const Index column = i * cols / columns;
    for (Index row = i % outlier_row_period; row < rows; row += outlier_row_period) t(row, column) = outlier_value;
  }
  return t;
}

AlignedBuffer<std::int8_t> normal_codes(Index size, std::uint64_t seed) {
  const RandomStream random({seed, 0, 0}, tensor_id("codes"));
  AlignedBuffer<std::int8_t> codes(size);
  parallel_for(size, values_per_task, [&](Index begin, Index end) {
    for (Index i = begin; i < end; ++i)
      codes[i] = static_cast<std::int8_t>(std::clamp(std::lround(code_deviation * normal(random, i)), -127L, 127L));
  });
  return codes;
}

}  // namespace fixtune::bench
