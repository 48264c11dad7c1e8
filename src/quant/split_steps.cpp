#include "quant/split_steps.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "fixtune/core/parallel.h"
#include "quant/outlier_digits.h"

namespace fixtune {
namespace {

/// A step on the grid gamma / max_code / 2^shift, and the shift that makes digits count in it.
struct GridStep {
  float step = 1.0F;
  int shift = 0;
};

/// The finest grid step that holds the remainders and keeps the digits in one plane; shift 0 where none does.
GridStep grid_step(float largest_rest, std::int32_t digit, float gamma, const Recipe& recipe) {
  const std::int32_t max_code = recipe.format_x().max_code();
  const float coarsest = gamma / static_cast<float>(max_code);
  const std::int64_t digit_or_one = std::max(digit, 1);
  const auto fits = [&](int shift) {
    return (digit_or_one << shift) <= max_code &&
           largest_rest <= max_code * std::ldexp(static_cast<double>(coarsest), -shift);
  };
  int shift = 0;
  while (fits(shift + 1)) ++shift;
  return {std::ldexp(coarsest, -shift), shift};
}

void scale_digits(std::span<std::int32_t> digits, int shift) {
  for (std::int32_t& digit : digits) digit *= 1 << shift;
}

bool tiled(const Recipe& recipe) { return recipe.outliers == OutlierTreatment::TiledSplit; }

}  // namespace

void choose_row_steps(OutlierRows& rows, const row_kernels::MagnitudeBits* rest, const Recipe& recipe,
                      FixedPointTensor& codes) {
  for (Index r = rows.begin; r < rows.end; ++r) {
    float& step = codes.steps[static_cast<std::size_t>(r)];
    const auto largest = std::bit_cast<float>(rest[r]);
    if (!tiled(recipe) || rows.count_of(r) == 0) {
      step = step_for(largest, recipe.format_x().bits, recipe.step);
    } else if (recipe.step == StepKind::PowerOfTwo) {
      // One step for all rows with outliers, so that 2 gamma is worth the same integer in each of them.
      step = step_for(recipe.gamma, recipe.format_x().bits, recipe.step);
    } else {
      const GridStep grid = grid_step(largest, largest_magnitude(rows.digits_of(r)), rows.gamma_of(r), recipe);
      step = grid.step;
      scale_digits(rows.digits_of(r), grid.shift);
    }
  }
}

void choose_tensor_step(OutlierStretches& stretches, std::span<const row_kernels::MagnitudeBits> rest,
                        const Recipe& recipe, FixedPointTensor& codes) {
  const auto bits = rest.empty() ? 0 : *std::max_element(rest.begin(), rest.end());
  const auto largest = std::bit_cast<float>(bits);
  float& step = codes.steps[0];
  step = step_for(largest, recipe.format_x().bits, recipe.step);
  if (!tiled(recipe) || recipe.step == StepKind::PowerOfTwo) return;
  const std::int32_t digit = largest_digit(stretches, 0, stretches.size());
  if (digit == 0) return;
  const GridStep grid = grid_step(largest, digit, recipe.gamma, recipe);
  step = grid.step;
  parallel_for(stretches.size(), stretches_worth_a_thread, [&](Index begin, Index end) {
    for (Index s = begin; s < end; ++s) scale_digits(stretches[s].digits(), grid.shift);
  });
}

}  // namespace fixtune
