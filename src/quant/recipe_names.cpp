#include <array>

#include "fixtune/core/error.h"
#include "fixtune/quant/recipe.h"
#include "quant/word_list.h"

namespace fixtune {
namespace {

/// The words for the values of an enumeration, in the order of its values.
template <std::size_t N>
using Words = std::array<std::string_view, N>;

constexpr Words<3> arithmetic_words{"fp32", "bf16", "integer"};
constexpr Words<3> treatment_words{"untreated", "unified_scale", "tiled_split"};
constexpr Words<3> gamma_rule_words{"fixed", "tensor_rms", "row_rms"};
constexpr Words<2> isolation_words{"element", "column"};
constexpr Words<3> backward_words{"folded", "requantised", "requantised_weight"};
constexpr Words<3> backward_x_words{"plain", "split", "remainder"};
constexpr Words<2> step_words{"power_of_two", "full_range"};
constexpr Words<2> block_words{"tensor", "row"};
constexpr Words<3> rounding_words{"nearest", "stochastic", "dithered"};

template <typename Enum, std::size_t N>
std::string_view word_of(Enum value, const Words<N>& words) {
  return words.at(static_cast<std::size_t>(value));
}

template <typename Enum, std::size_t N>
Enum parse(std::string_view word, const Words<N>& words, std::string_view what) {
  for (std::size_t i = 0; i < N; ++i)
    if (words[i] == word) return static_cast<Enum>(i);
  fail("unknown {} '{}'; it must be one of {}", what, word, word_list(words));
}

}  // namespace

std::string_view to_string(Arithmetic value) { return word_of(value, arithmetic_words); }
std::string_view to_string(OutlierTreatment value) { return word_of(value, treatment_words); }
std::string_view to_string(GammaRule value) { return word_of(value, gamma_rule_words); }
std::string_view to_string(Isolation value) { return word_of(value, isolation_words); }
std::string_view to_string(BackwardCodes value) { return word_of(value, backward_words); }
std::string_view to_string(BackwardX value) { return word_of(value, backward_x_words); }
std::string_view to_string(StepKind value) { return word_of(value, step_words); }
std::string_view to_string(Block value) { return word_of(value, block_words); }
std::string_view to_string(Rounding value) { return word_of(value, rounding_words); }

Arithmetic parse_arithmetic(std::string_view word) { return parse<Arithmetic>(word, arithmetic_words, "arithmetic"); }
OutlierTreatment parse_outlier_treatment(std::string_view word) {
  return parse<OutlierTreatment>(word, treatment_words, "outlier treatment");
}
GammaRule parse_gamma_rule(std::string_view word) { return parse<GammaRule>(word, gamma_rule_words, "gamma rule"); }
Isolation parse_isolation(std::string_view word) { return parse<Isolation>(word, isolation_words, "isolation"); }
BackwardCodes parse_backward_codes(std::string_view word) {
  return parse<BackwardCodes>(word, backward_words, "backward");
}
BackwardX parse_backward_x(std::string_view word) { return parse<BackwardX>(word, backward_x_words, "backward_x"); }
StepKind parse_step_kind(std::string_view word) { return parse<StepKind>(word, step_words, "step"); }
Block parse_block(std::string_view word) { return parse<Block>(word, block_words, "block"); }
Rounding parse_rounding(std::string_view word) { return parse<Rounding>(word, rounding_words, "rounding"); }

}  // namespace fixtune
