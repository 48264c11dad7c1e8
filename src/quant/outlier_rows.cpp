#include "quant/outlier_rows.h"

#include <algorithm>
#include <bit>

namespace fixtune {

std::vector<OutlierRows> stretches_of(Index rows) {
  std::vector<OutlierRows> stretches(
      static_cast<std::size_t>((rows + OutlierRows::rows_per_stretch - 1) / OutlierRows::rows_per_stretch));
  Index begin = 0;
  for (OutlierRows& stretch : stretches) {
    stretch.begin = begin;
    begin = stretch.end = std::min(rows, begin + OutlierRows::rows_per_stretch);
  }
  return stretches;
}

void OutlierRows::clear() {
  columns.clear();
  values.clear();
  digits.clear();
  remainders.clear();
  starts_.fill(0);
}

void OutlierRows::append(Index r, const std::int32_t* row_columns, std::int32_t count, const float* row) {
  columns.insert(columns.end(), row_columns, row_columns + count);
  for (std::int32_t i = 0; i < count; ++i) values.push_back(row[row_columns[i]]);
  end_row(r);
}

void OutlierRows::split(float gamma) {
  digits.resize(size());
  remainders.resize(size());
  row_kernels::split_values(values.data(), static_cast<std::int32_t>(size()), gamma, digits.data(), remainders.data());
}

void find_outliers(const RowsInMemory& x, Index cols, float gamma, OutlierRows& rows, std::int32_t* positions,
                   row_kernels::MagnitudeBits* largest, row_kernels::MagnitudeBits* inliers) {
  const auto threshold = std::bit_cast<row_kernels::MagnitudeBits>(gamma);
  for (Index r = rows.begin; r < rows.end; ++r) {
    const float* row = x.row(r);
    const row_kernels::Magnitudes magnitudes = row_kernels::max_magnitudes(row, cols, threshold);
    largest[r] = magnitudes.all;
    inliers[r] = magnitudes.inliers;
    if (largest[r] > threshold)
      rows.append(r, positions, row_kernels::find_above(row, static_cast<std::int32_t>(cols), threshold, positions), row);
    else
      rows.end_row(r);
  }
}

const float* row_without(std::span<const std::int32_t> outlier_columns, const float* row, Index cols, float* scratch) {
  std::copy_n(row, cols, scratch);
  for (const std::int32_t column : outlier_columns) scratch[column] = 0.0F;
  return scratch;
}

}  // namespace fixtune
