#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "fixtune/quant/format.h"

namespace fixtune {

/// In which arithmetic a linear layer's three products run.
enum class Arithmetic : std::uint8_t { FP32, BF16, Integer };

/// What is done with activations above gamma in the forward product.
enum class OutlierTreatment : std::uint8_t {
  Untreated,     ///< plain INT8, the paper's control
  UnifiedScale,  ///< Approach 1 (Eq. 1): outliers and the weights they meet in INT12
  TiledSplit,    ///< Approach 2 (Eq. 2-3): x = r + 2 gamma k
};

/// What gamma is measured in.
enum class GammaRule : std::uint8_t {
  Fixed,      ///< units of the activation
  TensorRms,  ///< the root mean square of the whole activation
  RowRms,     ///< the root mean square of each row (token)
};

/// What Approach 1 moves to INT12: the outlier elements, or every element of a column that has one.
enum class Isolation : std::uint8_t { Element, Column };

/// How the backward products get codes of X and W when their steps run along rows.
enum class BackwardCodes : std::uint8_t {
  Folded,       ///< the forward's codes, steps folded into dY before it is quantised
  Requantised,  ///< X and W quantised again along the other axis
  RequantisedWeight,  ///< W quantised again for dX; X's codes, their steps folded into dY, for dW
};

/// Which codes of X the weight gradient uses.
enum class BackwardX : std::uint8_t {
  Plain,  ///< a second INT8 code set of the whole X, made in the forward (the paper)
  Split,  ///< the forward's codes and outlier digits
  Remainder,  ///< the forward's codes without their digits: an outlier counts as x - 2 gamma k
};

/// The numerics of one linear layer, as a value.
struct Recipe {
  std::string name = "rowwise";  ///< of the preset it began with, or of its own
  Arithmetic arithmetic = Arithmetic::Integer;  ///< float baselines, or integers
  OutlierTreatment outliers = OutlierTreatment::TiledSplit;  ///< what becomes of them in the forward
  float gamma = 5.0F;  ///< an activation above it in magnitude is an outlier
  GammaRule gamma_rule = GammaRule::Fixed;  ///< what gamma counts
  Isolation isolation = Isolation::Element;  ///< what Approach 1 moves
  int bits = 8;  ///< of a code, 2 to 8
  int outlier_bits = 12;  ///< of Approach 1's outliers, up to 12
  Block block = Block::Row;  ///< which values share a step
  StepKind step = StepKind::FullRange;  ///< how it follows from the largest magnitude
  Rounding rounding = Rounding::Nearest;  ///< of X, W and dY where nothing else is said
  BackwardCodes backward = BackwardCodes::RequantisedWeight;  ///< where row steps go
  BackwardX backward_x = BackwardX::Split;  ///< what dW reads
  bool integer_bias_gradient = false;  ///< db from codes instead of an FP32 sum

  /// W and dY with a second digit plane for what is above that many root mean squares of its block (a row of W, a row
  /// of A8 or a column of B8; or the tensor); 0: none.
  float weight_gamma = 0.0F;
  float gradient_gamma = 0.0F;  ///< the same for dY
  /// Bits of one operand, where not `bits`: X, W, dY of dX = dY W, dY of dW = dY^T X. Above 8: two digit planes.
  ///@{
  std::optional<int> bits_x;
  std::optional<int> bits_w;
  std::optional<int> bits_dx;
  std::optional<int> bits_dw;
  ///@}
  /// Rounding of dY in one product, where not `rounding`.
  ///@{
  std::optional<Rounding> rounding_dx;
  std::optional<Rounding> rounding_dw = Rounding::Dithered;
  ///@}

  /// Formats of the codes of X, of W, of dY for dX, and of dY for dW.
  ///@{
  Format format_x() const { return {bits_x.value_or(bits), step, block, rounding}; }
  Format format_w() const { return {bits_w.value_or(bits), step, block, rounding}; }
  Format format_dx() const { return {bits_dx.value_or(bits), step, block, rounding_dx.value_or(rounding)}; }
  Format format_dw() const { return {bits_dw.value_or(bits), step, block, rounding_dw.value_or(rounding)}; }
  ///@}
  friend bool operator==(const Recipe&, const Recipe&) = default;  ///< All fields, the name too.
};

/// The recipe of that preset: fp32, bf16, int8, approach1, approach2 or rowwise. Throws Error, listing the names.
Recipe preset(std::string_view name);
/// All preset names, in the order they are shown.
const std::vector<std::string>& preset_names();
/// Throws Error when the settings contradict each other; `where` names the recipe in the message.
void validate(const Recipe& recipe, std::string_view where);

/// The word for a setting, as recipe files write it: `tiled_split`, `power_of_two`.
///@{
std::string_view to_string(Arithmetic value);
std::string_view to_string(OutlierTreatment value);
std::string_view to_string(GammaRule value);
std::string_view to_string(Isolation value);
std::string_view to_string(BackwardCodes value);
std::string_view to_string(BackwardX value);
std::string_view to_string(StepKind value);
std::string_view to_string(Block value);
std::string_view to_string(Rounding value);
///@}

/// The setting of that word. Each throws Error that lists the words it knows.
///@{
Arithmetic parse_arithmetic(std::string_view word);
OutlierTreatment parse_outlier_treatment(std::string_view word);
GammaRule parse_gamma_rule(std::string_view word);
Isolation parse_isolation(std::string_view word);
BackwardCodes parse_backward_codes(std::string_view word);
BackwardX parse_backward_x(std::string_view word);
StepKind parse_step_kind(std::string_view word);
Block parse_block(std::string_view word);
Rounding parse_rounding(std::string_view word);
///@}

}  // namespace fixtune
