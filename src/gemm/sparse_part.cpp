#include "fixtune/gemm/sparse_part.h"

#include <algorithm>

#include "fixtune/core/parallel.h"
#include "packed_kernel.h"

namespace fixtune {

using detail::panel_columns;

SparseRows::SparseRows(std::span<const SparseDigit> codes, Index rows, Index contraction, float step)
    : contraction_(contraction), step_(step) {
  if (codes.empty()) return;
  WorkspaceVector<std::int32_t> slots(static_cast<std::size_t>(contraction), -1);
  for (const SparseDigit& d : codes) slots[static_cast<std::size_t>(d.column)] = 0;
  for (std::size_t c = 0; c < slots.size(); ++c) {
    if (slots[c] < 0) continue;
    slots[c] = static_cast<std::int32_t>(columns_.size());
    columns_.push_back(static_cast<std::int32_t>(c));
  }
  starts_.assign(static_cast<std::size_t>(rows) + 1, 0);
  codes_.reserve(codes.size());
  for (const SparseDigit& d : codes) {
    codes_.push_back({slots[static_cast<std::size_t>(d.column)], d.digit});
    ++starts_[static_cast<std::size_t>(d.row) + 1];
  }
  for (std::size_t r = 1; r < starts_.size(); ++r) {
    occupied_rows_ += starts_[r] > 0 ? 1 : 0;
    starts_[r] += starts_[r - 1];
  }
}

SparseColumns::SparseColumns(const FixedPointTensor& w, const SparseRows& rows)
    : columns_(w.rows), slots_(static_cast<Index>(rows.columns().size())), step_(w.steps[0]) {
  if (w.steps.size() != 1 || w.cols != rows.contraction())
    fail("sparse part: W [{}, {}] with {} steps for a contraction of {} and one step", w.rows, w.cols, w.steps.size(),
         rows.contraction());
  const Index panels = (columns_ + panel_columns - 1) / panel_columns;
  codes_ = AlignedBuffer<std::int16_t>(panels * slots_ * panel_columns);
  constexpr Index panels_worth_a_thread = 4;
  parallel_for(panels, panels_worth_a_thread, [&](Index begin, Index end) {
    for (Index p = begin; p < end; ++p) {
      std::int16_t* panel = codes_.data() + p * slots_ * panel_columns;
      const Index first = p * panel_columns;
      for (Index n = 0; n < panel_columns; ++n)
        for (Index s = 0; s < slots_; ++s) {
          const std::int32_t column = rows.columns()[static_cast<std::size_t>(s)];
          panel[s * panel_columns + n] =
              first + n < columns_ ? static_cast<std::int16_t>(w.code(first + n, column)) : std::int16_t{0};
        }
    }
  });
}

const std::int16_t* SparseColumns::panel(Index index) const { return codes_.data() + index * slots_ * panel_columns; }

}  // namespace fixtune
