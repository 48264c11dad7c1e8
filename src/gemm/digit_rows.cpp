#include <algorithm>
#include <cstdlib>

#include "fixtune/core/parallel.h"
#include "fixtune/gemm/packed_product.h"
#include "packed_kernel.h"

namespace fixtune {

using detail::group_codes;

namespace {

/// INT8 codes that a digit is held as.
std::int32_t parts_of(std::int32_t digit) { return (std::abs(digit) + 126) / 127; }

/// Writes a digit's parts, at place `along` of the contraction; returns where the next goes.
template <typename Group>
Group* write_parts(std::int32_t digit, std::int32_t along, Group* out) {
  while (digit != 0) {
    const std::int32_t part = std::clamp(digit, -127, 127);
    digit -= part;
    const std::uint32_t byte = static_cast<std::uint32_t>(part) & 0xffU;
    const auto shifted = static_cast<std::int32_t>(byte << (8 * (along % group_codes)));
    *out++ = {static_cast<std::int32_t>(along / group_codes), shifted};
  }
  return out;
}

/// Calls body(row, its digits) for every row of digits that are sorted by row.
template <typename Body>
void for_rows(std::span<const SparseDigit> digits, Index rows, Body body) {
  constexpr Index rows_worth_a_thread = 256;
  parallel_for(rows, rows_worth_a_thread, [&](Index begin, Index end) {
    const auto before = [](const SparseDigit& d, Index row) { return d.row < row; };
    auto at = std::lower_bound(digits.begin(), digits.end(), begin, before);
    for (Index r = begin; r < end; ++r) {
      const auto first = at;
      while (at != digits.end() && at->row == r) ++at;
      body(static_cast<std::size_t>(r), std::span(first, at));
    }
  });
}

}  // namespace

DigitRows::DigitRows(std::span<const SparseDigit> digits, Index rows, std::int32_t unit, bool by_column)
    : unit_(unit) {
  if (digits.empty()) return;
  const auto count = static_cast<std::size_t>(rows);
  starts_.assign(count + 1, 0);
  sums_.assign(count, 0);
  magnitudes_.assign(count, 0);
  const auto add = [&](std::size_t row, const SparseDigit& d) {
    starts_[row + 1] += parts_of(d.digit);
    sums_[row] += d.digit;
    magnitudes_[row] += std::abs(d.digit);
  };
  if (by_column)
    for (const SparseDigit& d : digits) add(static_cast<std::size_t>(d.column), d);
  else
    for_rows(digits, rows, [&](std::size_t row, std::span<const SparseDigit> of_row) {
      for (const SparseDigit& d : of_row) add(row, d);
    });
  for (std::size_t r = 0; r < count; ++r) starts_[r + 1] += starts_[r];
  groups_.resize(static_cast<std::size_t>(starts_.back()));
  if (by_column) {
    WorkspaceVector<Group*> next(count);
    for (std::size_t r = 0; r < count; ++r) next[r] = groups_.data() + starts_[r];
    for (const SparseDigit& d : digits) {
      Group*& out = next[static_cast<std::size_t>(d.column)];
      out = write_parts(d.digit, d.row, out);
    }
    return;
  }
  for_rows(digits, rows, [&](std::size_t row, std::span<const SparseDigit> of_row) {
    Group* out = groups_.data() + starts_[row];
    for (const SparseDigit& d : of_row) out = write_parts(d.digit, d.column, out);
  });
}

}  // namespace fixtune
