#include "linear/digit_columns.h"

#include <algorithm>

namespace fixtune {
namespace {

/// For each column of `count`: its place among the columns that hold a digit, or -1; and those columns in order.
std::vector<Index> number_columns(const QuantizedActivation& x, std::vector<Index>& columns) {
  std::vector<Index> slot(static_cast<std::size_t>(x.inliers.cols), -1);
  for (const SparseDigit& d : x.digits) slot[static_cast<std::size_t>(d.column)] = 0;
  for (std::size_t c = 0; c < slot.size(); ++c) {
    if (slot[c] < 0) continue;
    slot[c] = static_cast<Index>(columns.size());
    columns.push_back(static_cast<Index>(c));
  }
  return slot;
}

}  // namespace

DigitColumns DigitColumns::of(const QuantizedActivation& x, const FixedPointTensor& weight) {
  DigitColumns result;
  if (x.treatment != OutlierTreatment::TiledSplit || x.digits.empty()) return result;
  std::vector<Index> columns;
  result.digits_ = x.digits;
  result.slot_ = number_columns(x, columns);
  result.out_features_ = weight.rows;
  result.codes_ = AlignedBuffer<std::int8_t>(static_cast<Index>(columns.size()) * weight.rows);
  for (std::size_t c = 0; c < columns.size(); ++c)
    for (Index n = 0; n < weight.rows; ++n)
      result.codes_[static_cast<Index>(c) * weight.rows + n] = weight.codes8[n * weight.cols + columns[c]];
  result.row_starts_.assign(static_cast<std::size_t>(x.inliers.rows) + 1, 0);
  for (const SparseDigit& d : x.digits) ++result.row_starts_[static_cast<std::size_t>(d.row) + 1];
  for (std::size_t r = 1; r < result.row_starts_.size(); ++r) result.row_starts_[r] += result.row_starts_[r - 1];
  return result;
}

std::span<const SparseDigit> DigitColumns::digits_of_row(Index row) const {
  if (row_starts_.empty()) return {};
  const auto r = static_cast<std::size_t>(row);
  return digits_.subspan(static_cast<std::size_t>(row_starts_[r]),
                         static_cast<std::size_t>(row_starts_[r + 1] - row_starts_[r]));
}

OutlierTile OutlierTile::of(const QuantizedActivation& x, const FixedPointTensor& weight12) {
  OutlierTile tile;
  const std::vector<Index> slot = number_columns(x, tile.columns);
  for (const SparseDigit& d : x.digits)
    if (tile.rows.empty() || tile.rows.back() != d.row) tile.rows.push_back(d.row);
  const std::size_t width = tile.columns.size();
  tile.activations.assign(tile.rows.size() * width, 0);
  std::size_t row = 0;
  for (const SparseDigit& d : x.digits) {
    while (tile.rows[row] != d.row) ++row;
    tile.activations[row * width + static_cast<std::size_t>(slot[static_cast<std::size_t>(d.column)])] =
        static_cast<std::int16_t>(d.digit);
  }
  tile.weights.resize(static_cast<std::size_t>(weight12.rows) * width);
  for (Index n = 0; n < weight12.rows; ++n)
    for (std::size_t c = 0; c < width; ++c)
      tile.weights[static_cast<std::size_t>(n) * width + c] =
          static_cast<std::int16_t>(weight12.code(n, tile.columns[c]));
  return tile;
}

}  // namespace fixtune
