// Every recipe's layer against the same codes multiplied in double precision: the paper's Eq. 1 and Eq. 2, and the
// gradients of the design, evaluated outside the library's products.
#include "exact_linear.h"

#include "linear/output_gradient.h"
#include "on_threads.h"

namespace fixtune {
namespace {

using testing::as_double;
using testing::MatrixD;
using testing::random_tensor;
using testing::relative_difference;
using testing::view;

// FP32 rounding of an epilogue: int to float, two products, a sum.
constexpr double rounding = 1e-6;

MatrixD as_double(const PackedColumns& codes, const WorkspaceVector<float>& steps, const PackedColumns& high,
                  float high_unit) {
  MatrixD x(codes.contraction(), codes.columns());
  for (Index m = 0; m < x.rows(); ++m)
    for (Index n = 0; n < x.cols(); ++n) {
      const double above = high.empty() ? 0.0 : static_cast<double>(high_unit) * high.code(m, n);
      x(m, n) = static_cast<double>(steps[steps.size() == 1 ? 0 : static_cast<std::size_t>(n)]) *
                (codes.code(m, n) + above);
    }
  return x;
}

MatrixD as_double(const ColumnCodes& columns) {
  return as_double(columns.codes, columns.steps, columns.high, columns.high_unit);
}

Recipe named(const char* base, const std::function<void(Recipe&)>& change, const char* name) {
  Recipe recipe = preset(base);
  change(recipe);
  recipe.name = name;
  return recipe;
}

void row_gamma(Recipe& r) {
  r.gamma_rule = GammaRule::RowRms;
  r.gamma = 1.5F;
}

template <int X, int W, int Dx, int Dw>
void operand_bits(Recipe& r) {
  r.bits_x = X;
  r.bits_w = W;
  r.bits_dx = Dx;
  r.bits_dw = Dw;
}

std::vector<Recipe> recipes() {
  return {preset("int8"), preset("approach1"), preset("approach2"), preset("rowwise"),
          named("approach1", [](Recipe& r) { r.isolation = Isolation::Column; }, "approach1_column"),
          named("approach2", [](Recipe& r) { r.backward_x = BackwardX::Split; }, "approach2_split"),
          named("approach2", [](Recipe& r) { r.gamma = 3.7F; }, "approach2_odd_gamma"),
          named("approach2", [](Recipe& r) { r.step = StepKind::FullRange; }, "approach2_full_range"),
          named("rowwise", [](Recipe& r) { r.backward = BackwardCodes::Requantised; }, "rowwise_requantised"),
          named("rowwise", [](Recipe& r) { r.backward = BackwardCodes::RequantisedWeight; }, "rowwise_requantised_weight"),
          named("rowwise",
                [](Recipe& r) {
                  r.backward = BackwardCodes::RequantisedWeight;
                  r.weight_gamma = 2.0F;
                },
                "rowwise_requantised_weight_outliers"),
          named("rowwise", [](Recipe& r) { r.rounding = Rounding::Dithered; }, "rowwise_dithered"),
          named("approach2", [](Recipe& r) { r.rounding = Rounding::Dithered; }, "approach2_dithered"),
          named("rowwise",
                [](Recipe& r) {
                  r.backward = BackwardCodes::Requantised;
                  r.backward_x = BackwardX::Plain;
                },
                "rowwise_requantised_plain"),
          named("rowwise", [](Recipe& r) { r.backward_x = BackwardX::Plain; }, "rowwise_plain"),
          named("rowwise", [](Recipe& r) { r.rounding = Rounding::Stochastic; }, "rowwise_stochastic"),
          named("rowwise", [](Recipe& r) { r.step = StepKind::PowerOfTwo; }, "rowwise_power_of_two"),
          named("rowwise", [](Recipe& r) { r.outliers = OutlierTreatment::Untreated; }, "rowwise_untreated"),
          named("rowwise", [](Recipe& r) { r.bits = 6; }, "rowwise_6_bits"),
          named("rowwise", [](Recipe& r) { r.integer_bias_gradient = true; }, "rowwise_integer_bias"),
          named("rowwise", [](Recipe& r) { r.backward_x = BackwardX::Remainder; }, "rowwise_remainder"),
          named("approach1", [](Recipe& r) { r.backward_x = BackwardX::Remainder; }, "approach1_remainder"),
          named("rowwise", row_gamma, "rowwise_row_gamma"),
          named("rowwise",
                [](Recipe& r) {
                  row_gamma(r);
                  r.backward = BackwardCodes::Requantised;
                },
                "rowwise_row_gamma_requantised"),
          named("approach2",
                [](Recipe& r) {
                  r.gamma_rule = GammaRule::TensorRms;
                  r.gamma = 3.0F;
                },
                "approach2_tensor_gamma"),
          named("rowwise", [](Recipe& r) { r.rounding_dw = Rounding::Stochastic; }, "rowwise_stochastic_dw"),
          named("approach2", [](Recipe& r) { r.rounding_dx = Rounding::Nearest; }, "approach2_nearest_dx"),
          named("rowwise", operand_bits<6, 5, 7, 4>, "rowwise_6_5_7_4_bits"),
          named("rowwise", operand_bits<12, 12, 12, 12>, "rowwise_12_bits"),
          named("rowwise", operand_bits<12, 8, 8, 8>, "rowwise_12_bits_x"),
          named("rowwise", operand_bits<8, 12, 9, 8>, "rowwise_12_bits_w"),
          named("rowwise",
                [](Recipe& r) {
                  operand_bits<12, 12, 8, 12>(r);
                  r.backward = BackwardCodes::Requantised;
                },
                "rowwise_12_bits_requantised"),
          named("approach2", operand_bits<12, 12, 12, 12>, "approach2_12_bits"),
          named("int8", operand_bits<10, 11, 12, 9>, "untreated_10_bits"),
          named("rowwise", [](Recipe& r) { r.weight_gamma = 2.0F; }, "rowwise_weight_outliers"),
          named("rowwise", [](Recipe& r) { r.gradient_gamma = 2.0F; }, "rowwise_gradient_outliers"),
          named("rowwise",
                [](Recipe& r) {
                  r.weight_gamma = 2.0F;
                  r.gradient_gamma = 1.5F;
                  r.backward = BackwardCodes::Requantised;
                },
                "rowwise_all_outliers_requantised"),
          named("approach2",
                [](Recipe& r) {
                  r.weight_gamma = 2.0F;
                  r.gradient_gamma = 2.0F;
                },
                "approach2_all_outliers")};
}

MatrixD weight_codes(const QuantizedWeight& weight) { return as_double(weight.codes, weight.codes_high); }

class ExactLinear : public ::testing::TestWithParam<Recipe> {
 protected:
  static constexpr Index tokens = 37, in = 53, out = 29;
  const Recipe recipe = GetParam();
  const Tensor x = random_tensor(tokens, in, 1, 41);
  const Tensor w = random_tensor(out, in, 2);
  const Tensor dy = random_tensor(tokens, out, 3);
  const Tensor bias = random_tensor(1, out, 4);
  LinearContext context{.name = "layer", .random = {7, 3, 1}, .save = true, .observer = {}};
};

TEST_P(ExactLinear, ForwardEqualsTheCodesInDoublePrecision) {
  const QuantizedWeight weight = prepare_weight(view(w), recipe, context);
  const LinearInput input = quantize_input(view(x), recipe, context);
  ASSERT_EQ(input.forward->digits.empty(), recipe.outliers == OutlierTreatment::Untreated);
  MatrixD expected;
  if (recipe.outliers == OutlierTreatment::UnifiedScale) {
    QuantizedActivation outliers_only = *input.forward;
    outliers_only.inliers.codes8.fill(0);
    expected = as_double(input.forward->inliers) * weight_codes(weight).transpose() +
               as_double(outliers_only) * as_double(weight.outlier_codes).transpose();
  } else {
    expected = as_double(*input.forward) * weight_codes(weight).transpose();
  }
  expected.rowwise() += bias.map().cast<double>().row(0);
  const Tensor y = linear_forward(input, weight, bias.data(), context);
  EXPECT_LT(relative_difference(y, expected), rounding);
}

TEST_P(ExactLinear, InputGradientEqualsTheCodesInDoublePrecision) {
  const QuantizedWeight weight = prepare_weight(view(w), recipe, context);
  const LinearInput input = quantize_input(view(x), recipe, context);
  OutputGradientRequest request = backward_request(weight, input);
  request.by_token = true;
  const OutputGradient codes_of_dy = quantize_output_gradient(view(dy), request, recipe, context);
  const MatrixD a = as_double(codes_of_dy.by_token, codes_of_dy.by_token_high);
  MatrixD operand;
  if (!weight.backward_steps.empty()) {
    operand = as_double(weight.backward, weight.backward_steps, weight.backward_high, weight.backward_high_unit);
  } else {
    FixedPointTensor codes = weight.codes;
    // Folded: the steps of W are in A already.
    if (recipe.block == Block::Row) codes.steps.assign(1, 1.0F);
    operand = as_double(codes, weight.codes_high);
  }
  const LinearGradients g = linear_backward(view(dy), weight, input, {}, context);
  EXPECT_LT(relative_difference(g.dx, a * operand), rounding);
}

TEST_P(ExactLinear, WeightGradientEqualsTheCodesInDoublePrecision) {
  const QuantizedWeight weight = prepare_weight(view(w), recipe, context);
  const LinearInput input = quantize_input(view(x), recipe, context);
  OutputGradientRequest request = backward_request(weight, input);
  request.by_feature = true;
  const MatrixD b = as_double(quantize_output_gradient(view(dy), request, recipe, context).by_feature);
  QuantizedActivation saved = *input.backward;
  if (recipe.block == Block::Row && !input.backward_by_column) saved.inliers.steps.assign(1, 1.0F);
  if (recipe.backward_x == BackwardX::Remainder) saved.digits.clear();
  MatrixD operand = as_double(saved);
  if (input.backward_by_column) operand.transposeInPlace();
  const LinearGradients g = linear_backward(view(dy), weight, input, {}, context);
  EXPECT_LT(relative_difference(g.dw, b.transpose() * operand), rounding);
}

TEST_P(ExactLinear, GradientsApproachTheFloatOnes) {
  const QuantizedWeight weight = prepare_weight(view(w), recipe, context);
  const LinearInput input = quantize_input(view(x), recipe, context);
  const LinearGradients g = linear_backward(view(dy), weight, input, {}, context);
  const Matrix dx = dy.map() * w.map();
  const Matrix dw = dy.map().transpose() * x.map();
  const Matrix db = dy.map().colwise().sum();
  const int bits = std::min({recipe.format_x().bits, recipe.format_w().bits, recipe.format_dx().bits,
                             recipe.format_dw().bits});
  const double allowed = bits < 6 ? 0.25 : bits < 8 ? 0.1 : bits == 12 ? 0.002 : 0.05;
  EXPECT_LT((g.dx.map() - dx).norm() / dx.norm(), allowed);
  // One step over a tensor with outliers of 100 leaves little of a unit normal: the paper's reason to exist. And what
  // leaves the outliers out of dW is no approximation of this X.
  if (recipe.backward_x != BackwardX::Remainder) {
    EXPECT_LT((g.dw.map() - dw).norm() / dw.norm(), recipe.block == Block::Row ? allowed : 0.25);
  }
  EXPECT_LT((g.db.map() - db).norm() / db.norm(), allowed);
}

TEST_P(ExactLinear, SecondPlanesAreThereWhereTheRecipeHasThem) {
  const QuantizedWeight weight = prepare_weight(view(w), recipe, context);
  const LinearInput input = quantize_input(view(x), recipe, context);
  OutputGradientRequest request = backward_request(weight, input);
  request.by_token = request.by_feature = true;
  const OutputGradient codes = quantize_output_gradient(view(dy), request, recipe, context);
  EXPECT_EQ(input.rows->high.rows() > 0, recipe.format_x().bits > 8);
  EXPECT_EQ(!weight.codes_high.empty(), recipe.format_w().bits > 8 || recipe.weight_gamma > 0.0F);
  EXPECT_EQ(!codes.by_token_high.empty(), recipe.format_dx().bits > 8 || recipe.gradient_gamma > 0.0F);
  EXPECT_EQ(!codes.by_feature.high.empty(), recipe.format_dw().bits > 8 || recipe.gradient_gamma > 0.0F);
}

TEST_P(ExactLinear, SameBitsOnAnyNumberOfThreads) {
  const auto results = [&](int threads) {
    const OnThreads use(threads);
    const QuantizedWeight weight = prepare_weight(view(w), recipe, context);
    LinearResult forward = linear_forward(view(x), weight, bias.data(), context);
    LinearGradients g = linear_backward(view(dy), weight, forward.saved, {}, context);
    return std::tuple{std::move(forward.y), std::move(g.dx), std::move(g.dw), std::move(g.db)};
  };
  const auto one = results(1);
  const auto same = [](const Tensor& a, const Tensor& b) {
    return std::equal(a.data(), a.data() + a.size(), b.data());
  };
  for (const int threads : {2, 4}) {
    const auto more = results(threads);
    EXPECT_TRUE(same(std::get<0>(one), std::get<0>(more)));
    EXPECT_TRUE(same(std::get<1>(one), std::get<1>(more)));
    EXPECT_TRUE(same(std::get<2>(one), std::get<2>(more)));
    EXPECT_TRUE(same(std::get<3>(one), std::get<3>(more)));
  }
}

INSTANTIATE_TEST_SUITE_P(Recipes, ExactLinear, ::testing::ValuesIn(recipes()),
                         [](const auto& tested) { return tested.param.name; });

}  // namespace
}  // namespace fixtune
