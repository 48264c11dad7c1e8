#include "fixtune/linear/input.h"

#include <span>
#include <utility>

#include "fixtune/core/parallel.h"
#include "linear/saved_input.h"

namespace fixtune {
namespace {

std::shared_ptr<const QuantizedActivation> share(QuantizedActivation activation) {
  return std::allocate_shared<const QuantizedActivation>(WorkspaceAllocator<QuantizedActivation>(),
                                                         std::move(activation));
}

/// The weight gradient's codes of X where they are not the forward's.
LinearInput with_own_backward_codes(LinearInput input, ConstMatrixMap x, const Recipe& recipe,
                                    const LinearContext& context, std::string_view name) {
  Recipe backward = recipe;
  if (recipe.backward_x == BackwardX::Plain) backward.outliers = OutlierTreatment::Untreated;
  if (recipe.backward_x == BackwardX::Plain && recipe.block == Block::Tensor) {
    // The forward has seen that X is finite, and its largest magnitude.
    QuantizedActivation plain;
    plain.inliers =
        quantize(x, recipe.format_x(), input.forward->statistics.largest, context.stream("x.backward"), name);
    input.backward = share(std::move(plain));
  } else if (recipe.block == Block::Row && recipe.backward == BackwardCodes::Requantised) {
    input.backward = share(quantize_activation(transposed(x), backward, context.stream("x.by_column"), name));
    input.backward_by_column = true;
    input.backward_has_digits = recipe.backward_x != BackwardX::Remainder;
  } else {
    input.backward = share(quantize_activation(x, backward, context.stream("x.backward"), name));
  }
  return input;
}

Int8View view(const FixedPointTensor& t) { return {t.codes8.data(), t.rows, t.cols, t.cols}; }

/// The digits of a tiled split by row, in whichever of the two they belong.
void add_digits(const QuantizedActivation& x, std::span<const SparseDigit> digits, bool by_column, InputRows& rows) {
  if (x.treatment != OutlierTreatment::TiledSplit) return;
  if (x.digit_unit != 0)
    rows.digits = DigitRows(digits, rows.codes.rows(), x.digit_unit, by_column);
  else
    rows.float_digits = DigitRows(digits, rows.codes.rows(), 1, by_column);
}

/// Views of X8, or of the two planes of X12.
void view_codes(const FixedPointTensor& x, InputRows& rows) {
  if (x.format.bits <= 8) {
    rows.codes = PackedRows::view(view(x), x.row_sums);
    return;
  }
  rows.wide = planes_of(x);
  rows.codes = PackedRows::view(view(rows.wide.low));
  rows.high = PackedRows::view({rows.wide.high.codes.data(), x.rows, x.cols, x.cols});
  rows.high_unit = rows.wide.high.unit;
}

/// Rows of X^T for those tokens, from codes stored `[tokens, in]` or, by column, `[in, tokens]`.
PackedRows transposed_rows(const std::int8_t* codes, Index rows, Index cols, bool by_column, Index first, Index count) {
  return by_column ? PackedRows::view({codes + first, rows, count, cols})
                   : PackedRows::transpose({codes + first * cols, count, cols, cols});
}

void transpose_codes(const FixedPointTensor& x, bool by_column, Index first, Index count, InputRows& rows) {
  if (x.format.bits <= 8) {
    rows.codes = transposed_rows(x.codes8.data(), x.rows, x.cols, by_column, first, count);
    return;
  }
  rows.wide = planes_of(x);
  rows.codes = transposed_rows(rows.wide.low.codes8.data(), x.rows, x.cols, by_column, first, count);
  rows.high = transposed_rows(rows.wide.high.codes.data(), x.rows, x.cols, by_column, first, count);
  rows.high_unit = rows.wide.high.unit;
}

std::shared_ptr<const InputRows> forward_rows(const QuantizedActivation& x) {
  auto rows = std::allocate_shared<InputRows>(WorkspaceAllocator<InputRows>());
  view_codes(x.inliers, *rows);
  add_digits(x, x.digits, /*by_column=*/false, *rows);
  if (x.treatment == OutlierTreatment::UnifiedScale)
    rows->sparse = SparseRows(x.digits, x.inliers.rows, x.inliers.cols, x.digit_step);
  return rows;
}

/// Digits of those tokens, their tokens counted from `first`.
WorkspaceVector<SparseDigit> digits_of_tokens(const LinearInput& saved, Index first, Index count) {
  WorkspaceVector<SparseDigit> digits;
  for (SparseDigit d : saved.backward->digits) {
    std::int32_t& token = saved.backward_by_column ? d.column : d.row;
    if (token < first || token >= first + count) continue;
    token -= static_cast<std::int32_t>(first);
    digits.push_back(d);
  }
  return digits;
}

/// Folding sx[m] into dY leaves only integers behind; a digit worth a float of its own cannot be folded.
void check_foldable(const QuantizedActivation& x, const Recipe& recipe, std::string_view name) {
  const bool split = recipe.backward_x == BackwardX::Split;
  if (split && recipe.outliers == OutlierTreatment::UnifiedScale)
    fail("{}: backward_x split needs the tiled split; with a unified scale use backward_x plain", name);
  if (split && recipe.block == Block::Row && recipe.backward != BackwardCodes::Requantised && x.digit_unit == 0 &&
      !x.digits.empty())
    fail("{}: 2*gamma is no integer multiple of the step (gamma {}); use backward_x plain or a full-range step", name,
         recipe.gamma);
}

bool forward_codes_serve_backward(const Recipe& recipe) {
  if (recipe.block == Block::Row && recipe.backward == BackwardCodes::Requantised) return false;
  return recipe.outliers == OutlierTreatment::Untreated || recipe.backward_x != BackwardX::Plain;
}

LinearInput of_forward(QuantizedActivation x, const LinearContext& context) {
  LinearInput input;
  input.forward = share(std::move(x));
  input.rows = forward_rows(*input.forward);
  if (context.observer) context.observer(context.name, input.forward->statistics);
  return input;
}

void serve_backward(LinearInput& input, const Recipe& recipe, std::string_view name) {
  check_foldable(*input.forward, recipe, name);
  input.backward = input.forward;
  input.backward_has_digits = recipe.backward_x != BackwardX::Remainder;
}

}  // namespace

LinearInput saved_input(QuantizedActivation x, const Recipe& recipe, const LinearContext& context) {
  LinearInput input;
  input.forward = share(std::move(x));
  if (context.observer) context.observer(context.name, input.forward->statistics);
  if (context.save) serve_backward(input, recipe, context.name_of("input"));
  input.forward_is_done();
  return input;
}

LinearInput quantize_input(ConstMatrixMap x, const Recipe& recipe, const LinearContext& context) {
  const UseWorkspace use(context.workspace);
  const WorkspaceString name = context.name_of("input");
  LinearInput input = of_forward(quantize_activation(x, recipe, context.stream("x"), name), context);
  if (context.save && !forward_codes_serve_backward(recipe))
    return with_own_backward_codes(std::move(input), x, recipe, context, name);
  if (context.save) serve_backward(input, recipe, name);
  return input;
}

bool quantises_by_row(const Recipe& recipe) {
  return recipe.arithmetic == Arithmetic::Integer && quantises_each_row_alone(recipe) &&
         forward_codes_serve_backward(recipe);
}

LinearInput quantize_input(Index tokens, Index in, const RowProducer& producer, const Recipe& recipe,
                           const LinearContext& context) {
  if (!quantises_by_row(recipe)) {
    Tensor x(tokens, in);
    parallel_for(tokens, 16, [&](Index begin, Index end) { producer(begin, end, x.row(begin)); });
    return quantize_input(std::as_const(x).map(), recipe, context);
  }
  const UseWorkspace use(context.workspace);
  const WorkspaceString name = context.name_of("input");
  LinearInput input =
      of_forward(quantize_activation(tokens, in, producer, recipe, context.stream("x"), name), context);
  if (context.save) serve_backward(input, recipe, name);
  return input;
}

InputRows transposed_input(const LinearInput& saved, Index first, Index count) {
  const FixedPointTensor& x = saved.backward->inliers;
  InputRows rows;
  transpose_codes(x, saved.backward_by_column, first, count, rows);
  if (!saved.backward_has_digits) return rows;
  const bool by_column = !saved.backward_by_column;
  if (count == (by_column ? x.rows : x.cols))
    add_digits(*saved.backward, saved.backward->digits, by_column, rows);
  else
    add_digits(*saved.backward, digits_of_tokens(saved, first, count), by_column, rows);
  return rows;
}

bool same_input_codes(const Recipe& a, const Recipe& b) {
  if (a.arithmetic != Arithmetic::Integer) return false;
  Recipe other = b;
  other.name = a.name;
  other.integer_bias_gradient = a.integer_bias_gradient;
  other.weight_gamma = a.weight_gamma;
  other.gradient_gamma = a.gradient_gamma;
  other.bits_w = a.bits_w;
  other.bits_dx = a.bits_dx;
  other.bits_dw = a.bits_dw;
  other.rounding_dx = a.rounding_dx;
  other.rounding_dw = a.rounding_dw;
  return a == other;
}

}  // namespace fixtune
