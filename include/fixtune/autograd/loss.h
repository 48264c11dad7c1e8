#pragma once

#include <cstdint>
#include <span>

#include "fixtune/autograd/tape.h"

namespace fixtune {

/// The label of a row that has none, as in PyTorch.
inline constexpr std::int32_t ignored_label = -100;

/// Mean negative log-likelihood of the labels, over the rows that have one.
///
/// \f[ L = \operatorname{mean}_i \Bigl( \log \sum_c e^{z_{ic}} - z_{i,t_i} \Bigr), \f]
/// z the logits and t the labels, over i with `labels[i] != ignore`, summed in double; logits `[n, classes]`, loss
/// `[1, 1]`. With no such row the loss and its gradient are 0. Throws Error if the counts differ, or a label is outside
/// the classes (naming its row).
Variable cross_entropy(Tape& tape, const Variable& logits, std::span<const std::int32_t> labels,
                       std::int32_t ignore = ignored_label);

/// \f$ L = \operatorname{mean}_i\, (p_i - t_i)^2 \f$ of predictions p and targets t, summed in double.
///
/// Predictions `[n, 1]`, loss `[1, 1]`, 0 for n = 0. Throws Error if the counts differ or there is more than one
/// column.
Variable mean_squared_error(Tape& tape, const Variable& predictions, std::span<const float> targets);

}  // namespace fixtune
