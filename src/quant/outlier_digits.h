#pragma once

#include <cstdint>
#include <span>

#include "quant/outlier_rows.h"

/// What leaves the INT8 codes of a split activation, as one sorted list of integers and what each of them is worth.
namespace fixtune {

/// The largest digit two INT8 planes hold: low + 254 high, each at most 127.
inline constexpr std::int32_t digit_limit = 127 * 255;

/// For what touches each outlier once.
inline constexpr Index stretches_worth_a_thread = 64;

std::int32_t largest_magnitude(std::span<const std::int32_t> digits);
/// Of stretches [first, last).
std::int32_t largest_digit(const OutlierStretches& stretches, Index first, Index last);

/// The digits of stretches [first, last), sorted, their rows counted from the first of them.
WorkspaceVector<SparseDigit> digits_of(const OutlierStretches& stretches, Index first, Index last);

/// Fills `result.digits`, and `digit_unit` or `digit_step`, from the outliers found; the INT8 codes are there already.
///
/// TiledSplit: the digits of Eq. 3. UnifiedScale: X12 of Eq. 1, quantised here with one step over all outliers.
/// Untreated: nothing to do.
void gather_digits(OutlierStretches& stretches, const Recipe& recipe, const RandomStream& random,
                   QuantizedActivation& result);

}  // namespace fixtune
