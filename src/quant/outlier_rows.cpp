#include "quant/outlier_rows.h"

#include <algorithm>
#include <bit>
#include <utility>

namespace fixtune {

namespace {

/// Outliers of a row that a stretch has room for from the start: of 3072 columns, 1 % with one in 20 rows make 1.6.
constexpr std::size_t room_of_row = 4;

/// A stretch is read several times over: it stays in a first-level cache of 32 KiB.
Index rows_of_stretch(Index cols) {
  constexpr Index most_elements = 6144;
  return std::clamp<Index>(most_elements / std::max<Index>(cols, 1), 1, OutlierRows::most_rows);
}

}  // namespace

OutlierStretches::OutlierStretches(Index rows, Index cols) {
  const Index rows_each = rows_of_stretch(cols);
  const std::size_t room = room_of_row * static_cast<std::size_t>(rows_each);
  stretches_.resize(static_cast<std::size_t>((rows + rows_each - 1) / rows_each));
  memory_ = AlignedBuffer<std::uint32_t>(size() * static_cast<Index>(OutlierRows::words * room));
  Index begin = 0;
  std::uint32_t* at = memory_.data();
  for (OutlierRows& stretch : stretches_) {
    stretch.begin = begin;
    begin = stretch.end = std::min(rows, begin + rows_each);
    stretch.at_ = at;
    stretch.capacity_ = room;
    at += OutlierRows::words * room;
  }
}

void OutlierRows::clear() {
  size_ = 0;
  starts_.fill(0);
}

void OutlierRows::grow(std::size_t least) {
  const std::size_t capacity = std::max(least, 2 * capacity_);
  AlignedBuffer<std::uint32_t> larger(static_cast<Index>(words * capacity));
  for (std::size_t part = 0; part < words; ++part)
    std::copy_n(at_ + part * capacity_, size_, larger.data() + part * capacity);
  own_ = std::move(larger);
  at_ = own_.data();
  capacity_ = capacity;
}

void OutlierRows::append(Index r, const std::int32_t* row_columns, std::int32_t count, const float* row) {
  const std::size_t size = size_ + static_cast<std::size_t>(count);
  if (size > capacity_) grow(size);
  std::copy_n(row_columns, count, part<std::int32_t>(0) + size_);
  float* values = part<float>(1) + size_;
  for (std::int32_t i = 0; i < count; ++i) values[i] = row[row_columns[i]];
  size_ = size;
  end_row(r);
}

// Rows that share a gamma are split at once: a row has few outliers.
void OutlierRows::split() {
  for (Index r = begin; r < end;) {
    const float gamma = gamma_of(r);
    const std::size_t first = first_of(r);
    while (r < end && gamma_of(r) == gamma) ++r;
    row_kernels::split_values(values().data() + first, static_cast<std::int32_t>(first_of(r) - first), gamma,
                              digits().data() + first, remainders().data() + first);
  }
}

void find_outliers(const RowsInMemory& x, Index cols, OutlierRows& rows, const FindScratch& scratch,
                   row_kernels::MagnitudeBits* largest, row_kernels::MagnitudeBits* inliers) {
  for (Index r = rows.begin; r < rows.end; ++r) {
    const auto threshold = std::bit_cast<row_kernels::MagnitudeBits>(rows.gamma_of(r));
    const float* row = x.row(r);
    const row_kernels::Magnitudes magnitudes =
        row_kernels::max_magnitudes(row, cols, threshold, scratch.largest_of_stretches, x.coming(r));
    largest[r] = magnitudes.all;
    inliers[r] = magnitudes.inliers;
    if (largest[r] > threshold)
      rows.append(r, scratch.positions,
                  row_kernels::find_above(row, static_cast<std::int32_t>(cols), threshold, scratch.largest_of_stretches,
                                          scratch.positions),
                  row);
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
