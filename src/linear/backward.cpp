#include <algorithm>
#include <vector>

#include "fixtune/core/parallel.h"
#include "fixtune/gemm/epilogue.h"
#include "fixtune/gemm/float_product.h"
#include "fixtune/gemm/integer_product.h"
#include "fixtune/linear/linear.h"
#include "linear/output_gradient.h"

namespace fixtune {
namespace {

Int8View view(const FixedPointTensor& t) { return {t.codes8.data(), t.rows, t.cols, t.cols}; }

Tensor input_gradient(const FixedPointTensor& dy, const QuantizedWeight& weight) {
  const bool requantised = weight.codes_by_input.rows > 0;
  const Index in = weight.in_features();
  AlignedBuffer<std::int32_t> acc(dy.rows * in);
  if (requantised)
    integer_product(view(dy), Transpose::No, view(weight.codes_by_input), Transpose::Yes, acc.data(), in);
  else
    integer_product(view(dy), Transpose::No, view(weight.codes), Transpose::No, acc.data(), in);
  Tensor dx(dy.rows, in);
  parallel_for(dy.rows, 8, [&](Index begin, Index end) {
    for (Index m = begin; m < end; ++m) {
      RowEpilogue epilogue;
      epilogue.row_step = dy.step(m);
      if (requantised)
        epilogue.column_steps = weight.codes_by_input.steps.data();
      else if (weight.codes.steps.size() == 1)
        epilogue.column_step = weight.codes.steps[0];
      apply_epilogue(acc.data() + m * in, in, epilogue, dx.row(m));
    }
  });
  return dx;
}

/// One outlier digit as the weight gradient meets it.
struct DigitOfToken {
  Index feature;
  Index token;
  std::int32_t digit;
};

std::vector<DigitOfToken> digits_by_token(const LinearInput& saved) {
  std::vector<DigitOfToken> digits;
  digits.reserve(saved.backward->digits.size());
  for (const SparseDigit& d : saved.backward->digits) {
    if (saved.backward_by_column)
      digits.push_back({d.row, d.column, d.digit});
    else
      digits.push_back({d.column, d.row, d.digit});
  }
  return digits;
}

/// Exact sums `acc[n,k] = sum_m B8[m,n] X8[m,k]`: int32 while the tokens fit it, int64 over slices of them beyond.
class WeightGradientSums {
 public:
  WeightGradientSums(const FixedPointTensor& dy, const LinearInput& saved)
      : features_(saved.backward_by_column ? saved.backward->inliers.rows : saved.backward->inliers.cols),
        narrow_(dy.rows * features_) {
    const Index tokens = dy.cols;
    if (tokens > max_contraction_8x8) {
      wide_ = AlignedBuffer<std::int64_t>(narrow_.size());
      wide_.fill(0);
    }
    for (Index begin = 0; begin == 0 || begin < tokens; begin += max_contraction_8x8)
      add_tokens(dy, saved, begin, std::min(max_contraction_8x8, tokens - begin));
  }
  /// Row n, copied into `out` as int64.
  void copy_row(Index n, std::int64_t* out) const {
    for (Index k = 0; k < features_; ++k)
      out[k] = wide_.size() > 0 ? wide_[n * features_ + k] : narrow_[n * features_ + k];
  }
  bool wide() const { return wide_.size() > 0; }
  const std::int32_t* row(Index n) const { return narrow_.data() + n * features_; }
  Index features() const { return features_; }

 private:
  void add_tokens(const FixedPointTensor& dy, const LinearInput& saved, Index begin, Index count) {
    const FixedPointTensor& x = saved.backward->inliers;
    const Int8View gradient{dy.codes8.data() + begin, dy.rows, count, dy.cols};
    if (saved.backward_by_column)
      integer_product(gradient, Transpose::No, {x.codes8.data() + begin, x.rows, count, x.cols}, Transpose::Yes,
                      narrow_.data(), features_);
    else
      integer_product(gradient, Transpose::No, {x.codes8.data() + begin * x.cols, count, x.cols, x.cols},
                      Transpose::No, narrow_.data(), features_);
    for (Index i = 0; i < wide_.size(); ++i) wide_[i] += narrow_[i];
  }

  Index features_;
  AlignedBuffer<std::int32_t> narrow_;
  AlignedBuffer<std::int64_t> wide_;
};

/// Steps of X that are not folded into dY: one for the tensor, or one per input feature, or 1 (folded).
RowEpilogue weight_epilogue(const FixedPointTensor& dy, const LinearInput& saved, Index n) {
  const FixedPointTensor& x = saved.backward->inliers;
  RowEpilogue epilogue;
  epilogue.row_step = dy.step(n);
  if (saved.backward_by_column)
    epilogue.column_steps = x.steps.data();
  else if (x.format.block == Block::Tensor)
    epilogue.column_step = x.steps[0];
  return epilogue;
}

/// `dW[n,k] = sB[n] sum_m B8[m,n] (X8 + u k')[m,k]`, dy being B8^T `[out, tokens]`.
Tensor weight_gradient(const FixedPointTensor& dy, const LinearInput& saved) {
  const WeightGradientSums sums(dy, saved);
  const std::vector<DigitOfToken> digits = digits_by_token(saved);
  const std::int32_t unit = saved.backward->digit_unit;
  const Index features = sums.features();
  Tensor dw(dy.rows, features);
  parallel_for(dy.rows, 1, [&](Index begin, Index end) {
    std::vector<std::int64_t> row(static_cast<std::size_t>(features));
    std::vector<std::int64_t> digit_sum(static_cast<std::size_t>(features));
    std::vector<float> part(static_cast<std::size_t>(features));
    for (Index n = begin; n < end; ++n) {
      const RowEpilogue epilogue = weight_epilogue(dy, saved, n);
      if (digits.empty() && !sums.wide()) {
        apply_epilogue(sums.row(n), features, epilogue, dw.row(n));
        continue;
      }
      const std::int8_t* gradient = dy.codes8.data() + n * dy.cols;
      std::fill(digit_sum.begin(), digit_sum.end(), 0);
      for (const DigitOfToken& d : digits)
        digit_sum[static_cast<std::size_t>(d.feature)] += d.digit * static_cast<std::int32_t>(gradient[d.token]);
      sums.copy_row(n, row.data());
      if (unit != 0)
        for (std::size_t k = 0; k < row.size(); ++k) row[k] += unit * digit_sum[k];
      apply_epilogue(row.data(), features, epilogue, dw.row(n));
      if (unit != 0 || digits.empty()) continue;
      RowEpilogue outliers;
      outliers.row_step = epilogue.row_step;
      outliers.column_step = saved.backward->digit_step;
      apply_epilogue(digit_sum.data(), features, outliers, part.data());
      for (Index k = 0; k < features; ++k) dw(n, k) += part[static_cast<std::size_t>(k)];
    }
  });
  return dw;
}

void check_shapes(ConstMatrixMap dy, const QuantizedWeight& weight, std::string_view name) {
  if (dy.cols() != weight.out_features())
    fail("{}: output gradient [{}, {}] does not fit weight [{}, {}]", name, dy.rows(), dy.cols(),
         weight.out_features(), weight.in_features());
}

}  // namespace

LinearGradients linear_backward(ConstMatrixMap dy, const QuantizedWeight& weight, const LinearInput& saved,
                                const WantedGradients& wanted, const LinearContext& context) {
  check_shapes(dy, weight, context.name);
  LinearGradients gradients;
  if (wanted.dx) gradients.dx = input_gradient(quantize_for_input_gradient(dy, weight, context), weight);
  if (wanted.dw) {
    if (!saved.backward) fail("{}: the forward ran without saving, so dW cannot be computed", context.name);
    gradients.dw = weight_gradient(quantize_for_weight_gradient(dy, saved, weight.recipe, context), saved);
  }
  if (wanted.db) gradients.db = bias_gradient(dy, weight.recipe, context);
  return gradients;
}

LinearGradients float_linear_backward(ConstMatrixMap dy, const QuantizedWeight& weight, ConstMatrixMap x,
                                      const WantedGradients& wanted) {
  const FloatKind kind = weight.recipe.arithmetic == Arithmetic::BF16 ? FloatKind::BF16 : FloatKind::FP32;
  LinearGradients gradients;
  if (wanted.dx) {
    gradients.dx = Tensor(dy.rows(), weight.in_features());
    float_product(kind, dy, Transpose::No, weight.source, Transpose::No, gradients.dx.map());
  }
  if (wanted.dw) {
    gradients.dw = Tensor(weight.out_features(), weight.in_features());
    float_product(kind, dy, Transpose::Yes, x, Transpose::No, gradients.dw.map());
  }
  if (wanted.db) gradients.db = bias_gradient(dy, weight.recipe, {});
  return gradients;
}

}  // namespace fixtune
