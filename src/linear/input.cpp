#include "fixtune/linear/input.h"

#include <string>

namespace fixtune {
namespace {

std::shared_ptr<const QuantizedActivation> share(QuantizedActivation activation) {
  return std::make_shared<const QuantizedActivation>(std::move(activation));
}

/// The weight gradient's codes of X where they are not the forward's.
LinearInput with_own_backward_codes(LinearInput input, ConstMatrixMap x, const Recipe& recipe,
                                    const LinearContext& context, const std::string& name) {
  Recipe backward = recipe;
  if (recipe.backward_x == BackwardX::Plain) backward.outliers = OutlierTreatment::Untreated;
  if (recipe.block == Block::Row && recipe.backward == BackwardCodes::Requantised) {
    const Matrix transposed = x.transpose();
    input.backward = share(quantize_activation(
        ConstMatrixMap(transposed.data(), transposed.rows(), transposed.cols(),
                       Eigen::OuterStride<>(transposed.cols())),
        backward, context.stream("x.by_column"), name));
    input.backward_by_column = true;
  } else {
    input.backward = share(quantize_activation(x, backward, context.stream("x.backward"), name));
  }
  return input;
}

/// Folding sx[m] into dY leaves only integers behind; a digit worth a float of its own cannot be folded.
void check_foldable(const QuantizedActivation& x, const Recipe& recipe, std::string_view name) {
  const bool split = recipe.backward_x == BackwardX::Split;
  if (split && recipe.outliers == OutlierTreatment::UnifiedScale)
    fail("{}: backward_x split needs the tiled split; with a unified scale use backward_x plain", name);
  if (split && recipe.block == Block::Row && recipe.backward == BackwardCodes::Folded && x.digit_unit == 0 &&
      !x.digits.empty())
    fail("{}: 2*gamma is no integer multiple of the step (gamma {}); use backward_x plain or a full-range step", name,
         recipe.gamma);
}

bool forward_codes_serve_backward(const Recipe& recipe) {
  if (recipe.block == Block::Row && recipe.backward == BackwardCodes::Requantised) return false;
  return recipe.outliers == OutlierTreatment::Untreated || recipe.backward_x == BackwardX::Split;
}

}  // namespace

LinearInput quantize_input(ConstMatrixMap x, const Recipe& recipe, const LinearContext& context) {
  const std::string name = std::string(context.name) + ".input";
  LinearInput input;
  input.forward = share(quantize_activation(x, recipe, context.stream("x"), name));
  if (context.observer) context.observer(context.name, input.forward->statistics);
  if (!context.save) return input;
  if (!forward_codes_serve_backward(recipe))
    return with_own_backward_codes(std::move(input), x, recipe, context, name);
  check_foldable(*input.forward, recipe, name);
  input.backward = input.forward;
  return input;
}

bool same_input_codes(const Recipe& a, const Recipe& b) {
  if (a.arithmetic != Arithmetic::Integer) return false;
  Recipe other = b;
  other.name = a.name;
  other.integer_bias_gradient = a.integer_bias_gradient;
  return a == other;
}

}  // namespace fixtune
