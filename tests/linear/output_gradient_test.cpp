// The codes of a dY past the size that is stored past the caches, element by element as the design defines them.
#include "linear/output_gradient.h"

#include <cmath>

#include "exact_linear.h"
#include "on_threads.h"

namespace fixtune {
namespace {

using testing::random_tensor;
using testing::view;

int clamped(float code) { return static_cast<int>(std::min(127.0F, std::max(-127.0F, code))); }

int code_of(float y, Rounding rounding, float uniform, float dither) {
  if (rounding == Rounding::Nearest) return clamped(std::nearbyint(y));
  if (rounding == Rounding::Dithered) return clamped(std::nearbyint(y + dither));
  const float limited = std::min(127.0F, std::max(-127.0F, y));
  const float floor = std::floor(limited);
  return clamped(floor + (uniform < limited - floor ? 1.0F : 0.0F));
}

class OutputGradientCodes : public ::testing::TestWithParam<Rounding> {};

TEST_P(OutputGradientCodes, OfManyTokensFollowTheDefinition) {
  Recipe recipe = preset("rowwise");
  recipe.rounding_dw = GetParam();
  const Tensor dy = random_tensor(1603, 825, 3);
  const Tensor x = random_tensor(1603, 16, 1, 41);
  const Tensor w = random_tensor(825, 16, 2);
  const LinearContext context;
  const QuantizedWeight weight = prepare_weight(view(w), recipe, context);
  const LinearInput input = quantize_input(view(x), recipe, context);
  OutputGradientRequest request = backward_request(weight, input);
  request.by_feature = true;
  const RandomStream random = context.stream(request.column_stream);
  for (const int threads : {1, 2, 3}) {
    const OnThreads use(threads);
    const ColumnCodes columns = quantize_output_gradient(view(dy), request, recipe, context).by_feature;
    Index wrong = 0;
    for (Index m = 0; m < dy.rows(); ++m)
      for (Index n = 0; n < dy.cols(); ++n) {
        const float inverse = 1.0F / columns.steps[static_cast<std::size_t>(n)];
        const float y = (dy(m, n) * input.backward->inliers.step(m)) * inverse;
        const float uniform = random.uniform(static_cast<std::uint64_t>(m * dy.cols() + n));
        // A feature's tokens are a row of dY^T.
        const float dither =
            random.dither(static_cast<std::uint64_t>(n * dy.rows()), static_cast<std::uint32_t>(m));
        wrong += columns.codes.code(m, n) != code_of(y, GetParam(), uniform, dither);
      }
    EXPECT_EQ(wrong, 0) << threads << " threads";
  }
}

INSTANTIATE_TEST_SUITE_P(Roundings, OutputGradientCodes, ::testing::Values(Rounding::Nearest, Rounding::Stochastic, Rounding::Dithered),
                         [](const auto& tested) { return std::string(to_string(tested.param)); });

}  // namespace
}  // namespace fixtune
