#include "linear/column_codes.h"

#include <algorithm>
#include <bit>

#include "fixtune/core/parallel.h"

namespace fixtune {
namespace {

using gradient_kernels::GroupPass;

constexpr Index panel_width = 48;
constexpr Index group_rows = 4;
/// Groups of a piece: their bytes in a panel lie together.
constexpr Index piece_groups = 2;
/// From so many elements on, neither dY nor its codes are found in the second-level cache again.
constexpr Index streamed_elements = Index{1} << 20;

}  // namespace

ColumnEncoder::ColumnEncoder(const Source& source, WorkspaceVector<float> steps)
    : source_(source), inverse_(source.cols) {
  columns_.codes = PackedColumns(source.rows, source.cols);
  for (Index n = 0; n < source.cols; ++n) inverse_[n] = 1.0F / steps[steps.size() == 1 ? 0 : static_cast<std::size_t>(n)];
  columns_.steps = std::move(steps);
  if (source.format.rounding != Rounding::Dithered) return;
  start_ = AlignedBuffer<std::uint32_t>(source.cols);
  for (Index n = 0; n < source.cols; ++n) start_[n] = source.random.bits(static_cast<std::uint64_t>(n * source.rows));
}

Index ColumnEncoder::pieces() const { return (columns_.codes.groups() + piece_groups - 1) / piece_groups; }

bool ColumnEncoder::is_streamed() const { return source_.rows * source_.cols >= streamed_elements; }

/// The last tokens come first: what was read last, for the steps, may still be in a cache.
ColumnEncoder::Rows ColumnEncoder::rows_of(Index first, Index last) const {
  constexpr Index rows = piece_groups * group_rows;
  return {(pieces() - last) * rows, std::min(source_.rows, (pieces() - first) * rows)};
}

std::span<const std::byte> ColumnEncoder::memory(Index first, Index last) const {
  if (!is_streamed() || source_.stride != source_.cols) return {};
  const Rows rows = rows_of(first, last);
  return std::as_bytes(std::span(row(rows.begin), static_cast<std::size_t>((rows.end - rows.begin) * source_.cols)));
}

void ColumnEncoder::run(Index first, Index last) {
  for (Index piece = first; piece < last; ++piece) {
    const Rows rows = rows_of(piece, piece + 1);
    for (Index p = 0; p < columns_.codes.panels(); ++p)
      for (Index m = rows.begin; m < rows.end; m += group_rows) encode_group(p, m / group_rows);
  }
}

void ColumnEncoder::run_all() {
  constexpr Index pieces_worth_a_thread = 8;
  parallel_for(pieces(), pieces_worth_a_thread, [&](Index begin, Index end) {
    const Index panels = columns_.codes.panels();
    if (is_streamed()) fetch_rows(rows_of(begin, begin + 1), 0, 1);
    for (Index piece = begin; piece < end; ++piece) {
      const Rows rows = rows_of(piece, piece + 1);
      const Rows next = piece + 1 < end ? rows_of(piece + 1, piece + 2) : Rows{};
      for (Index p = 0; p < panels; ++p) {
        if (is_streamed()) fetch_rows(next, p, panels);
        for (Index m = rows.begin; m < rows.end; m += group_rows) encode_group(p, m / group_rows);
      }
    }
  });
}

/// Asks for one of the parts that rows are cut into, in the order of memory, while the rows before them are encoded: by
/// panels they are three lines here and three there, which no CPU foresees.
void ColumnEncoder::fetch_rows(Rows rows, Index part, Index parts) const {
  constexpr Index line = 64 / sizeof(float);
  const Index lines_of_row = (source_.cols + line - 1) / line;
  const Index lines = (rows.end - rows.begin) * lines_of_row;
  Index i = lines * part / parts;
  const Index stop = lines * (part + 1) / parts;
  for (Index m = rows.begin + i / lines_of_row, of_row = i % lines_of_row; i < stop; ++m, of_row = 0)
    for (; of_row < lines_of_row && i < stop; ++of_row, ++i)
      __builtin_prefetch(row(m) + of_row * line, /*write=*/0, /*second level=*/2);
}

void ColumnEncoder::encode_group(Index panel, Index group) {
  const Index column = panel * panel_width;
  GroupPass pass;
  pass.columns = std::min(panel_width, source_.cols - column);
  pass.inverse = inverse_.data() + column;
  pass.limit = static_cast<float>(source_.format.max_code());
  pass.out = columns_.codes.group(panel, group);
  pass.stream = is_streamed();
  for (Index t = 0; t < group_rows; ++t) {
    const Index m = group * group_rows + t;
    // Past the last token: any row, times 0.
    const bool exists = m < source_.rows;
    pass.rows[t] = row(exists ? m : source_.rows - 1) + column;
    pass.row_scale[t] = !exists ? 0.0F : source_.row_scale != nullptr ? source_.row_scale[m] : 1.0F;
  }
  switch (source_.format.rounding) {
    case Rounding::Nearest: return gradient_kernels::encode_nearest(pass);
    case Rounding::Stochastic: return gradient_kernels::encode_stochastic(pass, numbers_of(group, column));
    case Rounding::Dithered:
      return gradient_kernels::encode_dithered(
          pass, {start_.data() + column, static_cast<std::uint32_t>(group * group_rows) * RandomStream::golden_section});
  }
}

gradient_kernels::GroupNumbers ColumnEncoder::numbers_of(Index group, Index column) const {
  gradient_kernels::GroupNumbers numbers;
  numbers.low = source_.random.low();
  for (Index t = 0; t < group_rows; ++t) {
    const auto element = static_cast<std::uint64_t>((group * group_rows + t) * source_.cols + column);
    numbers.high[t] = source_.random.high() ^ (static_cast<std::uint32_t>(element >> 32U) * 0x9e3779b9U);
    numbers.first[t] = static_cast<std::uint32_t>(element);
  }
  return numbers;
}

WorkspaceVector<float> column_steps(AlignedBuffer<std::int32_t>& largest, Index blocks, Index cols, const Format& format) {
  WorkspaceVector<float> steps(static_cast<std::size_t>(cols), 1.0F);
  if (blocks == 0) return steps;
  for (Index b = 1; b < blocks; ++b) gradient_kernels::join_largest(largest.data(), largest.data() + b * cols, cols);
  for (Index n = 0; n < cols; ++n)
    steps[static_cast<std::size_t>(n)] = step_for(std::bit_cast<float>(largest[n]), format.bits, format.step);
  return steps;
}

ColumnCodes quantize_by_column(ConstMatrixMap x, const Format& format, const RandomStream& random) {
  constexpr Index block_rows = 64;
  const Index blocks = (x.rows() + block_rows - 1) / block_rows;
  AlignedBuffer<std::int32_t> largest(blocks * x.cols());
  parallel_for(blocks, 1, [&](Index begin, Index end) {
    std::fill_n(largest.data() + begin * x.cols(), (end - begin) * x.cols(), 0);
    gradient_kernels::RowPass pass;
    pass.count = x.cols();
    for (Index m = begin * block_rows; m < std::min(end * block_rows, x.rows()); ++m) {
      pass.dy = x.data() + m * x.outerStride();
      pass.next = m + 1 < x.rows() ? pass.dy + x.outerStride() : nullptr;
      pass.column_largest = largest.data() + m / block_rows * x.cols();
      gradient_kernels::read_row(pass);
    }
  });
  ColumnEncoder encoder({x.data(), x.outerStride(), x.rows(), x.cols(), nullptr, format, random},
                        column_steps(largest, blocks, x.cols(), format));
  encoder.run_all();
  return encoder.take();
}

}  // namespace fixtune
