#include "fixtune/quant/code_planes.h"

#include <cstdlib>

#include "fixtune/quant/outlier_split.h"

namespace fixtune {
namespace {

constexpr std::int32_t base = 64;

/// The digits as a plane of their own.
HighPlane plane_of_digits(const QuantizedActivation& q, std::string_view name) {
  HighPlane plane;
  if (q.digits.empty()) return plane;
  plane.codes = AlignedBuffer<std::int8_t>(q.inliers.rows * q.inliers.cols);
  plane.codes.fill(0);
  for (const SparseDigit& d : q.digits) {
    if (std::abs(d.digit) > 127) fail("{}: the outlier digit {} at row {} passes INT8", name, d.digit, d.row);
    plane.codes[d.row * q.inliers.cols + d.column] = static_cast<std::int8_t>(d.digit);
  }
  plane.unit = q.digit_unit != 0 ? static_cast<float>(q.digit_unit) : q.digit_step / q.inliers.steps[0];
  return plane;
}

CodePlanes split_outliers(ConstMatrixMap x, const Format& format, float outliers_above, const RandomStream& random,
                          std::string_view name) {
  Recipe split;
  split.gamma_rule = format.block == Block::Row ? GammaRule::RowRms : GammaRule::TensorRms;
  split.gamma = outliers_above;
  split.bits = format.bits;
  split.block = format.block;
  split.step = format.step;
  split.rounding = format.rounding;
  QuantizedActivation q = quantize_activation(x, split, random, name);
  HighPlane high = plane_of_digits(q, name);
  return {std::move(q.inliers), std::move(high)};
}

}  // namespace

CodePlanes planes_of(const FixedPointTensor& wide) {
  const Index count = wide.rows * wide.cols;
  CodePlanes planes;
  planes.low.rows = wide.rows;
  planes.low.cols = wide.cols;
  planes.low.format = wide.format;
  planes.low.format.bits = 8;
  planes.low.steps = wide.steps;
  planes.low.codes8 = AlignedBuffer<std::int8_t>(count);
  planes.high = {AlignedBuffer<std::int8_t>(count), static_cast<float>(base)};
  for (Index i = 0; i < count; ++i) {
    const std::int32_t code = wide.codes16[i];
    // To the nearest multiple of the base, so that the rest is balanced.
    const std::int32_t high = (code + (code < 0 ? -base / 2 : base / 2)) / base;
    planes.high.codes[i] = static_cast<std::int8_t>(high);
    planes.low.codes8[i] = static_cast<std::int8_t>(code - base * high);
  }
  return planes;
}

CodePlanes quantize_in_planes(ConstMatrixMap x, const Format& format, float outliers_above, const RandomStream& random,
                              std::string_view name) {
  if (outliers_above > 0.0F) return split_outliers(x, format, outliers_above, random, name);
  FixedPointTensor codes = quantize(x, format, random, name);
  if (format.bits > 8) return planes_of(codes);
  return {std::move(codes), {}};
}

}  // namespace fixtune
