#include <algorithm>
#include <vector>

#include "fixtune/core/parallel.h"
#include "fixtune/gemm/epilogue.h"
#include "fixtune/gemm/float_product.h"
#include "fixtune/gemm/integer_product.h"
#include "fixtune/linear/linear.h"
#include "linear/digit_columns.h"

namespace fixtune {
namespace {

RowEpilogue row_epilogue(const FixedPointTensor& x, const FixedPointTensor& w, Index row, const float* bias) {
  RowEpilogue epilogue;
  epilogue.row_step = x.step(row);
  if (w.steps.size() == 1)
    epilogue.column_step = w.steps[0];
  else
    epilogue.column_steps = w.steps.data();
  epilogue.bias = bias;
  return epilogue;
}

void check_shapes(const QuantizedActivation& x, const QuantizedWeight& weight, std::string_view name) {
  if (x.inliers.cols != weight.in_features())
    fail("{}: input [{}, {}] does not fit weight [{}, {}]", name, x.inliers.rows, x.inliers.cols,
         weight.out_features(), weight.in_features());
}

/// Rows of Y from accumulators; rows with outlier digits join them first: acc + u * sum_k k'[m,k] W8[n,k].
void finish_rows(const QuantizedActivation& x, const QuantizedWeight& weight, const float* bias,
                 const std::int32_t* acc, Tensor& y) {
  const Index n = y.cols();
  const DigitColumns columns = DigitColumns::of(x, weight.codes);
  parallel_for(y.rows(), 8, [&](Index begin, Index end) {
    std::vector<std::int64_t> sum(static_cast<std::size_t>(n));
    std::vector<std::int64_t> joined(static_cast<std::size_t>(n));
    std::vector<float> part(static_cast<std::size_t>(n));
    for (Index m = begin; m < end; ++m) {
      const RowEpilogue epilogue = row_epilogue(x.inliers, weight.codes, m, bias);
      const auto digits = columns.digits_of_row(m);
      if (digits.empty()) {
        apply_epilogue(acc + m * n, n, epilogue, y.row(m));
        continue;
      }
      std::fill(sum.begin(), sum.end(), 0);
      for (const SparseDigit& d : digits) accumulate_digit(sum.data(), d.digit, columns.codes(d.column), n);
      if (x.digit_unit != 0) {
        join_digits(acc + m * n, x.digit_unit, sum.data(), n, joined.data());
        apply_epilogue(joined.data(), n, epilogue, y.row(m));
        continue;
      }
      apply_epilogue(acc + m * n, n, epilogue, y.row(m));
      RowEpilogue outliers = epilogue;
      outliers.row_step = x.digit_step;
      outliers.bias = nullptr;
      apply_epilogue(sum.data(), n, outliers, part.data());
      for (Index i = 0; i < n; ++i) y(m, i) += part[static_cast<std::size_t>(i)];
    }
  });
}

/// Adds Approach 1's INT12 part: s_o s_w12 sum over outlier columns of X12 W12, for the rows that hold outliers.
void add_unified_scale_part(const QuantizedActivation& x, const FixedPointTensor& w12, Tensor& y) {
  if (x.digits.empty()) return;
  const OutlierTile tile = OutlierTile::of(x, w12);
  const Index n = y.cols();
  AlignedBuffer<std::int64_t> acc(tile.row_count() * n);
  integer_product_12bit(tile.activations.data(), tile.weights.data(), tile.row_count(), n, tile.column_count(),
                        acc.data());
  parallel_for(tile.row_count(), 8, [&](Index begin, Index end) {
    std::vector<float> part(static_cast<std::size_t>(n));
    for (Index i = begin; i < end; ++i) {
      RowEpilogue epilogue;
      epilogue.row_step = x.digit_step;
      epilogue.column_step = w12.steps[0];
      apply_epilogue(acc.data() + i * n, n, epilogue, part.data());
      float* row = y.row(tile.rows[static_cast<std::size_t>(i)]);
      for (Index j = 0; j < n; ++j) row[j] += part[static_cast<std::size_t>(j)];
    }
  });
}

FloatKind float_kind(const Recipe& recipe) {
  return recipe.arithmetic == Arithmetic::BF16 ? FloatKind::BF16 : FloatKind::FP32;
}

}  // namespace

Tensor linear_forward(const LinearInput& input, const QuantizedWeight& weight, const float* bias,
                      const LinearContext& context) {
  const QuantizedActivation& x = *input.forward;
  check_shapes(x, weight, context.name);
  const Index tokens = x.inliers.rows;
  const Index out = weight.out_features();
  AlignedBuffer<std::int32_t> acc(tokens * out);
  integer_product({x.inliers.codes8.data(), tokens, x.inliers.cols, x.inliers.cols}, Transpose::No,
                  {weight.codes.codes8.data(), out, weight.in_features(), weight.in_features()}, Transpose::Yes,
                  acc.data(), out);
  Tensor y(tokens, out);
  finish_rows(x, weight, bias, acc.data(), y);
  if (x.treatment == OutlierTreatment::UnifiedScale) add_unified_scale_part(x, weight.outlier_codes, y);
  return y;
}

Tensor float_linear_forward(ConstMatrixMap x, const QuantizedWeight& weight, const float* bias) {
  Tensor y(x.rows(), weight.out_features());
  float_product(float_kind(weight.recipe), x, Transpose::No, weight.source, Transpose::Yes, y.map());
  if (bias != nullptr)
    parallel_for(y.rows(), 64, [&](Index begin, Index end) {
      const Eigen::Map<const Eigen::RowVectorXf> b(bias, y.cols());
      y.map().middleRows(begin, end - begin).rowwise() += b;
    });
  return y;
}

LinearResult linear_forward(ConstMatrixMap x, const QuantizedWeight& weight, const float* bias,
                            const LinearContext& context) {
  if (weight.recipe.arithmetic != Arithmetic::Integer) return {float_linear_forward(x, weight, bias), {}};
  LinearInput input = quantize_input(x, weight.recipe, context);
  Tensor y = linear_forward(input, weight, bias, context);
  input.forward.reset();
  return {std::move(y), std::move(input)};
}

}  // namespace fixtune
