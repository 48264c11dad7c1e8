#include "quant/outlier_digits.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdlib>

#include "fixtune/core/parallel.h"
#include "quant/row_quantizer.h"

namespace fixtune {
namespace {

/// X12 of Eq. 1: one step over all outliers.
void encode_unified_digits(OutlierStretches& stretches, const Recipe& recipe, const RandomStream& random,
                           QuantizedActivation& result) {
  const bool any = std::any_of(stretches.begin(), stretches.end(), [](const OutlierRows& s) { return s.size() > 0; });
  // The largest magnitude of all is an outlier, where there are any.
  result.digit_step = step_for(any ? result.statistics.largest : 0.0F, recipe.outlier_bits, recipe.step);
  Format format = recipe.format_x();
  format.bits = recipe.outlier_bits;
  const Index cols = result.inliers.cols;
  // Random numbers that the INT8 codes have not used.
  const auto unused = static_cast<std::uint64_t>(result.inliers.rows * cols);
  parallel_for(stretches.size(), 1, [&](Index begin, Index end) {
    WorkspaceVector<std::int16_t> codes;
    for (Index i = begin; i < end; ++i) {
      OutlierRows& rows = stretches[i];
      for (Index r = rows.begin; r < rows.end; ++r) {
        if (codes.size() < rows.count_of(r)) codes.resize(rows.count_of(r));
        encode_elements(rows.values_of(r), rows.columns_of(r).data(), result.digit_step, format, random,
                        unused + static_cast<std::uint64_t>(r * cols), codes.data());
        std::copy_n(codes.data(), rows.count_of(r), rows.digits_of(r).data());
      }
    }
  });
}

/// The digits of some rows, which are counted from `first_row`; returns where the next go.
SparseDigit* write_digits(const OutlierRows& rows, Index first_row, SparseDigit* out) {
  for (Index r = rows.begin; r < rows.end; ++r)
    for (std::size_t i = rows.first_of(r); i < rows.first_of(r + 1); ++i)
      *out++ = {static_cast<std::int32_t>(r - first_row), rows.columns()[i], rows.digits()[i]};
  return out;
}

void join_digits(OutlierStretches& stretches, QuantizedActivation& result) {
  WorkspaceVector<std::size_t> starts(static_cast<std::size_t>(stretches.size()) + 1);
  for (Index i = 0; i < stretches.size(); ++i)
    starts[static_cast<std::size_t>(i) + 1] = starts[static_cast<std::size_t>(i)] + stretches[i].size();
  result.digits.resize(starts.back());
  parallel_for(stretches.size(), stretches_worth_a_thread, [&](Index begin, Index end) {
    for (Index s = begin; s < end; ++s)
      write_digits(stretches[s], 0, result.digits.data() + starts[static_cast<std::size_t>(s)]);
  });
}

/// What a digit is worth: an integer of the INT8 codes' steps where there is one, else a float of its own.
void choose_digit_unit(const OutlierStretches& stretches, const Recipe& recipe, QuantizedActivation& result) {
  if (recipe.step == StepKind::FullRange) {
    result.digit_unit = 2 * recipe.format_x().max_code();
    return;
  }
  const float step = recipe.block == Block::Tensor ? result.inliers.steps[0]
                                                   : step_for(recipe.gamma, recipe.format_x().bits, recipe.step);
  // As far as two INT8 planes reach: an activation stays a 24-bit integer.
  constexpr double most = 254.0 * digit_limit;
  const double unit = 2.0 * recipe.gamma / step;
  if (unit == std::floor(unit) && unit * std::max(largest_digit(stretches, 0, stretches.size()), 1) <= most)
    result.digit_unit = static_cast<std::int32_t>(unit);
  else
    result.digit_step = 2.0F * recipe.gamma;
}

}  // namespace

std::int32_t largest_magnitude(std::span<const std::int32_t> digits) {
  std::int32_t largest = 0;
  for (const std::int32_t digit : digits) largest = std::max(largest, std::abs(digit));
  return largest;
}

std::int32_t largest_digit(const OutlierStretches& stretches, Index first, Index last) {
  std::atomic<std::int32_t> largest{0};
  parallel_for(last - first, stretches_worth_a_thread, [&](Index begin, Index end) {
    std::int32_t own = 0;
    for (Index s = first + begin; s < first + end; ++s) own = std::max(own, largest_magnitude(stretches[s].digits()));
    std::int32_t before = largest.load();
    while (own > before && !largest.compare_exchange_weak(before, own)) {
    }
  });
  return largest;
}

WorkspaceVector<SparseDigit> digits_of(const OutlierStretches& stretches, Index first, Index last) {
  std::size_t count = 0;
  for (Index s = first; s < last; ++s) count += stretches[s].size();
  WorkspaceVector<SparseDigit> digits(count);
  SparseDigit* out = digits.data();
  for (Index s = first; s < last; ++s) out = write_digits(stretches[s], stretches[first].begin, out);
  return digits;
}

void gather_digits(OutlierStretches& stretches, const Recipe& recipe, const RandomStream& random,
                   QuantizedActivation& result) {
  switch (recipe.outliers) {
    case OutlierTreatment::Untreated:
      return;
    case OutlierTreatment::UnifiedScale:
      encode_unified_digits(stretches, recipe, random, result);
      join_digits(stretches, result);
      return;
    case OutlierTreatment::TiledSplit:
      join_digits(stretches, result);
      choose_digit_unit(stretches, recipe, result);
      return;
  }
}

}  // namespace fixtune
