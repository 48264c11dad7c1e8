// The codes of a dY past the size that is stored past the caches, element by element as the design defines them.
#include "linear/output_gradient.h"

#include <cmath>

#include "exact_linear.h"
#include "on_threads.h"

namespace fixtune {
namespace {

using testing::random_tensor;
using testing::view;

int code_of(float x, float row_scale, float step) {
  const float inverse = 1.0F / step;
  return static_cast<int>(std::min(127.0F, std::max(-127.0F, std::nearbyint((x * row_scale) * inverse))));
}

TEST(OutputGradient, CodesOfManyTokensFollowTheDefinition) {
  const Recipe recipe = preset("rowwise");
  const Tensor dy = random_tensor(1603, 825, 3);
  const Tensor x = random_tensor(1603, 16, 1, 41);
  const Tensor w = random_tensor(825, 16, 2);
  const QuantizedWeight weight = prepare_weight(view(w), recipe);
  const LinearInput input = quantize_input(view(x), recipe, {});
  OutputGradientRequest request = backward_request(weight, input);
  request.by_feature = true;
  for (const int threads : {1, 2, 3}) {
    const OnThreads use(threads);
    const GradientColumns columns = quantize_output_gradient(view(dy), request, recipe, {}).by_feature;
    Index wrong = 0;
    for (Index m = 0; m < dy.rows(); ++m)
      for (Index n = 0; n < dy.cols(); ++n)
        wrong += columns.codes.code(m, n) != code_of(dy(m, n), input.backward->inliers.step(m),
                                                     columns.steps[static_cast<std::size_t>(n)]);
    EXPECT_EQ(wrong, 0) << threads << " threads";
  }
}

}  // namespace
}  // namespace fixtune
