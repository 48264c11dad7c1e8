#include "linear/unified_scale.h"

#include <span>

#include "fixtune/core/parallel.h"
#include "fixtune/gemm/integer_product.h"
#include "linear/outlier_kernels.h"

namespace fixtune {
namespace {

/// The tile is faster where three quarters of it and more are outliers, and rows have some 200 in the mean
/// (bench/bench_outliers.cpp).
constexpr Index least_share_in_quarters = 3, least_in_a_row = 192;

WorkspaceVector<Index> occupied_rows(const SparseRows& outliers) {
  WorkspaceVector<Index> rows;
  for (Index r = 0; r < outliers.rows(); ++r)
    if (!outliers.row(r).empty()) rows.push_back(r);
  return rows;
}

/// X12 of those rows, `[rows, slots]`.
WorkspaceVector<std::int16_t> activations_of(const SparseRows& outliers, std::span<const Index> rows) {
  const std::size_t width = outliers.columns().size();
  WorkspaceVector<std::int16_t> codes(rows.size() * width);
  for (std::size_t i = 0; i < rows.size(); ++i)
    for (const SparseRows::Code& c : outliers.row(rows[i]))
      codes[i * width + static_cast<std::size_t>(c.slot)] = static_cast<std::int16_t>(c.code);
  return codes;
}

/// W12 of the columns with an outlier, `[out, slots]`.
WorkspaceVector<std::int16_t> weights_of(const SparseRows& outliers, const FixedPointTensor& w12) {
  const std::span<const std::int32_t> columns = outliers.columns();
  WorkspaceVector<std::int16_t> codes(static_cast<std::size_t>(w12.rows) * columns.size());
  parallel_for(w12.rows, 64, [&](Index begin, Index end) {
    for (Index n = begin; n < end; ++n)
      for (std::size_t s = 0; s < columns.size(); ++s)
        codes[static_cast<std::size_t>(n) * columns.size() + s] = static_cast<std::int16_t>(w12.code(n, columns[s]));
  });
  return codes;
}

}  // namespace

bool fill_a_tile(const SparseRows& outliers) {
  const auto codes = static_cast<Index>(outliers.size());
  const Index rows = outliers.occupied_rows();
  const Index cells = rows * static_cast<Index>(outliers.columns().size());
  return codes > 0 && 4 * codes >= least_share_in_quarters * cells && codes >= least_in_a_row * rows;
}

void add_outlier_tile(const SparseRows& outliers, const FixedPointTensor& w12, MatrixMap y) {
  const WorkspaceVector<Index> rows = occupied_rows(outliers);
  const WorkspaceVector<std::int16_t> activations = activations_of(outliers, rows);
  const WorkspaceVector<std::int16_t> weights = weights_of(outliers, w12);
  const auto height = static_cast<Index>(rows.size());
  AlignedBuffer<std::int64_t> sums(height * w12.rows);
  integer_product_12bit(activations.data(), weights.data(), height, w12.rows,
                        static_cast<Index>(outliers.columns().size()), sums.data());
  parallel_for(height, 8, [&](Index begin, Index end) {
    for (Index i = begin; i < end; ++i)
      outlier_kernels::add_scaled(sums.data() + i * w12.rows, outliers.step(), w12.steps[0], w12.rows,
                                  y.data() + rows[static_cast<std::size_t>(i)] * y.outerStride());
  });
}

}  // namespace fixtune
