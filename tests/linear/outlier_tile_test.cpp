// Approach 1 where outliers fill their rows and columns: a product of their own, against 64-bit sums.
#include <gtest/gtest.h>

#include "exact_linear.h"
#include "linear/unified_scale.h"

namespace fixtune {
namespace {

using testing::random_tensor;
using testing::view;

/// Outliers in all of 256 columns and in every second row; elsewhere none.
Tensor filled_rows(Index rows, Index cols) {
  Tensor x = random_tensor(rows, cols, 1);
  for (Index r = 0; r < rows; r += 2)
    for (Index c = 0; c < std::min<Index>(cols, 256); ++c) x(r, c) = (c % 3 == 0 ? -7.0F : 9.0F) + x(r, c);
  return x;
}

TEST(OutlierTile, EqualsTheSumsInSixtyFourBits) {
  const Tensor x = filled_rows(9, 300), w = random_tensor(21, 300, 2), bias = random_tensor(1, 21, 3);
  const QuantizedWeight weight = prepare_weight(view(w), preset("approach1"));
  const LinearInput input = quantize_input(view(x), preset("approach1"), {});
  const SparseRows& outliers = input.rows->sparse;
  ASSERT_TRUE(fill_a_tile(outliers));
  const Tensor y = linear_forward(input, weight, bias.data());
  const QuantizedActivation& q = *input.forward;
  for (Index r = 0; r < x.rows(); ++r)
    for (Index n = 0; n < w.rows(); ++n) {
      std::int64_t inliers = 0, sum = 0;
      for (Index k = 0; k < x.cols(); ++k) inliers += q.inliers.code(r, k) * weight.codes.code(n, k);
      for (const SparseDigit& d : q.digits)
        if (d.row == r) sum += std::int64_t{d.digit} * weight.outlier_codes.code(n, d.column);
      float expected = (static_cast<float>(inliers) * q.inliers.steps[0]) * weight.codes.steps[0] + bias(0, n);
      if (r % 2 == 0) expected += (static_cast<float>(sum) * q.digit_step) * weight.outlier_codes.steps[0];
      ASSERT_EQ(y(r, n), expected) << r << ", " << n;
    }
}

TEST(OutlierTile, IsNotWhereOutliersAreFewOrNone) {
  const auto fills = [](const Tensor& x) {
    return fill_a_tile(quantize_input(view(x), preset("approach1"), {}).rows->sparse);
  };
  EXPECT_TRUE(fills(filled_rows(9, 256)));
  EXPECT_FALSE(fills(filled_rows(9, 100)));
  EXPECT_FALSE(fills(random_tensor(9, 300, 1)));
}

}  // namespace
}  // namespace fixtune
