// X quantised a slab of rows at a time, beside the product of the slab before, against X quantised first.
#include "linear/input_slabs.h"

#include <gmock/gmock.h>

#include <cstring>
#include <limits>

#include "exact_linear.h"
#include "on_threads.h"

namespace fixtune {
namespace {

using ::testing::HasSubstr;
using testing::random_tensor;

constexpr Index tokens = 1111, in = 332, out = 101, stride = 340;

Recipe recipe_of(const std::string& name) {
  Recipe recipe = preset("rowwise");
  recipe.name = name;
  if (name == "untreated") recipe.outliers = OutlierTreatment::Untreated;
  if (name == "tiled") recipe.outliers = OutlierTreatment::TiledSplit;
  if (name == "row gamma") {
    recipe.outliers = OutlierTreatment::TiledSplit;
    recipe.gamma_rule = GammaRule::RowRms;
  }
  if (name == "stochastic") {
    recipe.outliers = OutlierTreatment::TiledSplit;
    recipe.rounding = Rounding::Stochastic;
  }
  if (name == "remainder") {
    recipe.outliers = OutlierTreatment::TiledSplit;
    recipe.backward_x = BackwardX::Remainder;
  }
  return recipe;
}

/// Values with outliers in every slab, some of them of more than one INT8 plane.
Tensor loud(Index cols) {
  Tensor x = random_tensor(tokens, cols, 1);
  for (Index r = 0; r < tokens; r += 5) x(r, r % in) = 20.0F + static_cast<float>(r);
  x(700, 3) = -9000.0F;
  return x;
}

bool same_bits(const Tensor& a, const Tensor& b) {
  return a.rows() == b.rows() && a.cols() == b.cols() && std::memcmp(a.data(), b.data(), a.bytes()) == 0;
}

struct Pass {
  Tensor y, z;
  LinearGradients gradients;
  OutlierStatistics statistics;
};

class InputSlabsOf : public ::testing::TestWithParam<std::string> {
 protected:
  /// Two layers on one X; `at_once` in the call that may use slabs, else X first.
  Pass pass(ConstMatrixMap x, bool at_once) const {
    Pass result;
    LinearContext context;
    context.observer = [&](std::string_view, const OutlierStatistics& s) { result.statistics = s; };
    const QuantizedWeight weight = prepare_weight(w_.map(), recipe_), other = prepare_weight(v_.map(), recipe_);
    result.y = Tensor(tokens, out);
    result.z = Tensor(tokens, 48);
    const std::vector<LinearForward> layers{{&weight, bias_.data(), result.y.map()}, {&other, nullptr, result.z.map()}};
    EXPECT_TRUE(runs_in_slabs(x, layers) || !kernel_asks());
    LinearInput saved;
    if (at_once) {
      saved = linear_forward(x, layers, context);
    } else {
      saved = quantize_input(x, recipe_, context);
      linear_forward(saved, layers, context);
    }
    result.gradients = linear_backward(dy_.map(), weight, saved, {}, context);
    return result;
  }

  static bool kernel_asks() { return active_packed_kernel() == PackedKernel::Avx512Vnni; }

  void expect_same(ConstMatrixMap x) const {
    const OnThreads one(1);
    const Pass a = pass(x, true), b = pass(x, false);
    EXPECT_TRUE(same_bits(a.y, b.y));
    EXPECT_TRUE(same_bits(a.z, b.z));
    EXPECT_TRUE(same_bits(a.gradients.dx, b.gradients.dx));
    EXPECT_TRUE(same_bits(a.gradients.dw, b.gradients.dw));
    EXPECT_EQ(a.statistics.elements, tokens * in);
    EXPECT_EQ(a.statistics.outliers, b.statistics.outliers);
    EXPECT_EQ(a.statistics.outlier_columns, b.statistics.outlier_columns);
    EXPECT_EQ(a.statistics.largest, b.statistics.largest);
    EXPECT_EQ(a.statistics.step, b.statistics.step);
  }

  const Recipe recipe_ = recipe_of(GetParam());
  const Tensor w_ = random_tensor(out, in, 2), v_ = random_tensor(48, in, 3), dy_ = random_tensor(tokens, out, 4);
  const Tensor bias_ = random_tensor(1, out, 5);
};

TEST_P(InputSlabsOf, GiveTheBitsOfOneQuantisation) { expect_same(loud(in).map()); }

TEST_P(InputSlabsOf, ReadRowsThatLieApart) {
  const Tensor x = loud(stride);
  expect_same(ConstMatrixMap(x.data(), tokens, in, Eigen::OuterStride<>(stride)));
}

INSTANTIATE_TEST_SUITE_P(Recipes, InputSlabsOf,
                         ::testing::Values("rowwise", "untreated", "tiled", "row gamma", "stochastic", "remainder"),
                         [](const auto& recipe) {
                           std::string name = recipe.param;
                           std::replace(name.begin(), name.end(), ' ', '_');
                           return name;
                         });

std::string message_of(ConstMatrixMap x, std::span<const LinearForward> layers) {
  try {
    linear_forward(x, layers, {.name = "dense"});
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

struct TwoLayers {
  Tensor w = random_tensor(out, in, 2), y = Tensor(tokens, out), z = Tensor(tokens, out);
  QuantizedWeight first, second;
  std::vector<LinearForward> layers;

  TwoLayers(const Recipe& a, const Recipe& b) : first(prepare_weight(w.map(), a)), second(prepare_weight(w.map(), b)) {
    layers = {{&first, nullptr, y.map()}, {&second, nullptr, z.map()}};
  }
};

TEST(InputSlabs, NameWhatIsWrongInALaterSlab) {
  const OnThreads one(1);
  const TwoLayers two(recipe_of("tiled"), recipe_of("tiled"));
  Tensor x = loud(in);
  x(900, 17) = std::numeric_limits<float>::quiet_NaN();
  EXPECT_THAT(message_of(x.map(), two.layers), HasSubstr("dense.input: the value at row 900, column 17 is nan"));
  x(900, 17) = 3e6F;
  EXPECT_THAT(message_of(x.map(), two.layers), HasSubstr("row 900, column 17 is past two INT8 planes"));
}

TEST(InputSlabs, AreNotForRecipesThatLookAtTheWholeTensor) {
  const OnThreads one(1);
  const Tensor x = loud(in);
  for (const char* name : {"int8", "approach1", "approach2"}) {
    const TwoLayers two(preset(name), preset(name));
    EXPECT_FALSE(runs_in_slabs(x.map(), two.layers)) << name;
  }
}

TEST(LinearForwardAtOnce, RefusesRecipesThatDoNotGoTogether) {
  const Tensor x = loud(in);
  EXPECT_THAT(message_of(x.map(), {}), HasSubstr("dense: no layers"));
  const TwoLayers unlike(preset("rowwise"), preset("int8"));
  EXPECT_THAT(message_of(x.map(), unlike.layers), HasSubstr("recipes rowwise and int8"));
  const TwoLayers floats(preset("fp32"), preset("fp32"));
  EXPECT_THAT(message_of(x.map(), floats.layers), HasSubstr("recipe fp32 has no integer codes"));
  const Tensor narrow = random_tensor(tokens, in - 1, 1);
  const TwoLayers two(preset("rowwise"), preset("rowwise"));
  EXPECT_THAT(message_of(narrow.map(), two.layers), HasSubstr("[1111, 331] does not fit weight [101, 332]"));
}

}  // namespace
}  // namespace fixtune
