#include "linear/unified_scale.h"

#include <algorithm>
#include <span>

#include "fixtune/core/parallel.h"
#include "fixtune/gemm/integer_product.h"
#include "linear/outlier_kernels.h"

namespace fixtune {
namespace {

/// Products of two 12-bit codes whose sum always fits int32.
constexpr std::size_t products_in_32_bits = 512;
/// The tile of rows and columns with an outlier is as fast as its elements where one in `dense_share` of it is one, and a
/// row has `dense_terms` of them in the mean: below that a row costs more to join than to add up.
constexpr Index dense_share = 4, dense_terms = 16;

/// The rows and columns that hold outliers.
struct Occupied {
  WorkspaceVector<Index> slot;  ///< of each column among those that hold one, or -1
  WorkspaceVector<Index> columns;
  WorkspaceVector<Index> rows;
  WorkspaceVector<std::size_t> starts;  ///< where the digits of rows[i] begin; one more at the end

  explicit Occupied(const QuantizedActivation& x) : slot(static_cast<std::size_t>(x.inliers.cols), -1) {
    for (const SparseDigit& d : x.digits) slot[static_cast<std::size_t>(d.column)] = 0;
    for (std::size_t c = 0; c < slot.size(); ++c) {
      if (slot[c] < 0) continue;
      slot[c] = static_cast<Index>(columns.size());
      columns.push_back(static_cast<Index>(c));
    }
    for (std::size_t i = 0; i < x.digits.size(); ++i) {
      if (!rows.empty() && rows.back() == x.digits[i].row) continue;
      rows.push_back(x.digits[i].row);
      starts.push_back(i);
    }
    starts.push_back(x.digits.size());
  }
  Index width() const { return static_cast<Index>(columns.size()); }
  Index height() const { return static_cast<Index>(rows.size()); }
};

/// W12[:, column] of the occupied columns, `[width, out]`; a few output features at a time, whole cache lines.
AlignedBuffer<std::int16_t> occupied_weights(const Occupied& occupied, const FixedPointTensor& w12) {
  AlignedBuffer<std::int16_t> weights(occupied.width() * w12.rows);
  constexpr Index line = 32;
  parallel_for((w12.rows + line - 1) / line, 1, [&](Index begin, Index end) {
    for (Index n0 = begin * line; n0 < std::min(end * line, w12.rows); n0 += line)
      for (Index c = 0; c < occupied.width(); ++c)
        for (Index n = n0; n < std::min(n0 + line, w12.rows); ++n)
          weights[c * w12.rows + n] =
              static_cast<std::int16_t>(w12.code(n, occupied.columns[static_cast<std::size_t>(c)]));
  });
  return weights;
}

/// One row of the sparse product, added to y.
class SparseRow {
 public:
  SparseRow(const Occupied& occupied, const AlignedBuffer<std::int16_t>& weights, Index out)
      : occupied_(occupied), weights_(weights), out_(out) {}

  void add(std::span<const SparseDigit> digits, float row_step, float column_step, float* y) {
    terms_.clear();
    for (const SparseDigit& d : digits)
      terms_.push_back({weights_.data() + occupied_.slot[static_cast<std::size_t>(d.column)] * out_, d.digit});
    if (terms_.size() <= products_in_32_bits)
      outlier_kernels::add_sparse_row(terms_.data(), static_cast<Index>(terms_.size()), row_step, column_step, out_, y);
    else
      add_wide(row_step, column_step, y);
  }

 private:
  void add_wide(float row_step, float column_step, float* y) const {
    WorkspaceVector<std::int64_t> sums(static_cast<std::size_t>(out_));
    for (std::size_t begin = 0; begin < terms_.size(); begin += products_in_32_bits)
      outlier_kernels::accumulate(terms_.data() + begin,
                                  static_cast<Index>(std::min(products_in_32_bits, terms_.size() - begin)), out_,
                                  sums.data());
    outlier_kernels::add_scaled(sums.data(), row_step, column_step, out_, y);
  }

  const Occupied& occupied_;
  const AlignedBuffer<std::int16_t>& weights_;
  Index out_;
  WorkspaceVector<outlier_kernels::Term> terms_;
};

void add_sparse(const QuantizedActivation& x, const Occupied& occupied, const FixedPointTensor& w12,
                const AlignedBuffer<std::int16_t>& weights, MatrixMap y) {
  parallel_for(occupied.height(), 8, [&](Index begin, Index end) {
    SparseRow row(occupied, weights, w12.rows);
    for (auto i = static_cast<std::size_t>(begin); i < static_cast<std::size_t>(end); ++i) {
      const std::span digits(x.digits.data() + occupied.starts[i], occupied.starts[i + 1] - occupied.starts[i]);
      row.add(digits, x.digit_step, w12.steps[0], y.data() + occupied.rows[i] * y.outerStride());
    }
  });
}

void add_dense(const QuantizedActivation& x, const Occupied& occupied, const FixedPointTensor& w12, MatrixMap y) {
  const Index width = occupied.width();
  WorkspaceVector<std::int16_t> activations(static_cast<std::size_t>(occupied.height() * width));
  for (std::size_t i = 0; i < occupied.rows.size(); ++i)
    for (std::size_t d = occupied.starts[i]; d < occupied.starts[i + 1]; ++d)
      activations[i * static_cast<std::size_t>(width) +
                  static_cast<std::size_t>(occupied.slot[static_cast<std::size_t>(x.digits[d].column)])] =
          static_cast<std::int16_t>(x.digits[d].digit);
  WorkspaceVector<std::int16_t> weights(static_cast<std::size_t>(w12.rows * width));
  for (Index n = 0; n < w12.rows; ++n)
    for (Index c = 0; c < width; ++c)
      weights[static_cast<std::size_t>(n * width + c)] =
          static_cast<std::int16_t>(w12.code(n, occupied.columns[static_cast<std::size_t>(c)]));
  AlignedBuffer<std::int64_t> sums(occupied.height() * w12.rows);
  integer_product_12bit(activations.data(), weights.data(), occupied.height(), w12.rows, width, sums.data());
  parallel_for(occupied.height(), 8, [&](Index begin, Index end) {
    for (Index i = begin; i < end; ++i)
      outlier_kernels::add_scaled(sums.data() + i * w12.rows, x.digit_step, w12.steps[0], w12.rows,
                                  y.data() + occupied.rows[static_cast<std::size_t>(i)] * y.outerStride());
  });
}

}  // namespace

void add_unified_scale_part(const QuantizedActivation& x, const FixedPointTensor& w12, MatrixMap y) {
  if (x.digits.empty()) return;
  const Occupied occupied(x);
  const auto elements = static_cast<Index>(x.digits.size());
  if (elements * dense_share > occupied.height() * occupied.width() && elements >= dense_terms * occupied.height())
    add_dense(x, occupied, w12, y);
  else
    add_sparse(x, occupied, w12, occupied_weights(occupied, w12), y);
}

}  // namespace fixtune
