#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "fixtune/core/random.h"
#include "fixtune/core/tensor.h"
#include "fixtune/quant/fixed_point_tensor.h"

/// The specification of dynamic fixed point, one scalar at a time.
namespace fixtune::reference {

inline float step(float a, int bits, StepKind kind) {
  if (a == 0.0F) return 1.0F;
  const float smallest = std::numeric_limits<float>::min();
  const int max_code = (1 << (bits - 1)) - 1;
  if (kind == StepKind::FullRange) return std::max(smallest, a / static_cast<float>(max_code));
  return std::max(smallest, std::ldexp(1.0F, std::ilogb(a) - (bits - 2)));
}

/// The random number of value `c` of row `r` in a matrix of that many columns, as its rounding takes it.
inline float number(const RandomStream& random, Rounding rounding, Index r, Index c, Index cols) {
  const auto first = static_cast<std::uint64_t>(r * cols);
  if (rounding == Rounding::Dithered) return random.dither(first, static_cast<std::uint32_t>(c));
  return random.uniform(first + static_cast<std::uint64_t>(c));
}

inline std::int32_t code(float x, float step, const Format& format, float number) {
  const float inverse = 1.0F / step;
  const float y = x * inverse;
  const float rounded = format.rounding == Rounding::Nearest    ? std::nearbyint(y)
                        : format.rounding == Rounding::Dithered ? std::nearbyint(y + number)
                                                                : std::floor(y) + (number < y - std::floor(y) ? 1.0F : 0.0F);
  const auto limit = static_cast<float>(format.max_code());
  return static_cast<std::int32_t>(std::clamp(rounded, -limit, limit));
}

inline float largest(ConstMatrixMap x) { return x.size() == 0 ? 0.0F : x.cwiseAbs().maxCoeff(); }

inline float step_of_row(ConstMatrixMap x, Index r, const Format& format) {
  float a = 0.0F;
  for (Index i = 0; i < x.rows(); ++i)
    if (format.block == Block::Tensor || i == r)
      for (Index c = 0; c < x.cols(); ++c) a = std::max(a, std::abs(x(i, c)));
  return step(a, format.bits, format.step);
}

}  // namespace fixtune::reference

namespace fixtune {

inline ConstMatrixMap view(const Tensor& x) { return x.map(); }

/// Roughly bell-shaped values of that scale, about one in a hundred of them 20 times as large.
inline Tensor heavy_tailed(Index rows, Index cols, float scale, std::uint64_t seed) {
  const RandomStream random({seed, 0, 0}, tensor_id("heavy_tailed"));
  Tensor x(rows, cols);
  for (Index i = 0; i < x.size(); ++i) {
    const auto n = static_cast<std::uint64_t>(i) * 4;
    const float bell = random.uniform(n) + random.uniform(n + 1) + random.uniform(n + 2) - 1.5F;
    x.data()[i] = scale * bell * (random.uniform(n + 3) < 0.01F ? 20.0F : 1.0F);
  }
  return x;
}

}  // namespace fixtune
