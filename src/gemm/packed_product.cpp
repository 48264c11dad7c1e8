#include "fixtune/gemm/packed_product.h"

#include <algorithm>
#include <atomic>

#include "fixtune/core/parallel.h"
#include "packed_dispatch.h"
#include "packed_kernel.h"

namespace fixtune {

using detail::group_codes;
using detail::panel_columns;
using detail::PanelWork;
using detail::tile_rows;

namespace {

/// Rows whose codes stay in the second-level cache while the panels pass: the more, the less often the panels come from
/// further away.
Index rows_in_cache(Index contraction) {
  constexpr Index bytes = Index{384} << 10;
  return std::clamp<Index>(bytes / std::max<Index>(contraction, 1), 128, 512) / tile_rows * tile_rows;
}
/// Whether an output is worth storing past the caches, and can be: whole panels are whole lines.
bool is_streamed(const void* y, Index stride, Index rows, Index columns, const detail::PanelKernel& kernel) {
  constexpr Index value = 4, line = 64;
  const bool aligned = reinterpret_cast<std::uintptr_t>(y) % line == 0 && stride % (line / value) == 0;
  return aligned && rows * columns * value >= kernel.streamed_bytes;
}

/// How the output is cut into tasks.
struct Blocks {
  Index rows, panels;      ///< of one block
  Index row_blocks, panel_blocks;

  Index count() const { return row_blocks * panel_blocks; }
};

Blocks cut(Index rows, Index contraction, Index panels) {
  Blocks b{};
  b.rows = std::min(rows_in_cache(contraction), (rows + tile_rows - 1) / tile_rows * tile_rows);
  b.panels = panels;
  const Index wanted = thread_count() == 1 ? 1 : 4 * thread_count();
  const auto ceil = [](Index a, Index by) { return (a + by - 1) / by; };
  while (ceil(rows, b.rows) * ceil(panels, b.panels) < wanted) {
    if (b.panels > 4)
      b.panels = ceil(b.panels, 2);
    else if (b.rows > 4 * tile_rows)
      b.rows = ceil(b.rows / 2, tile_rows) * tile_rows;
    else if (b.panels > 1)
      b.panels = ceil(b.panels, 2);
    else
      break;
  }
  b.row_blocks = ceil(rows, b.rows);
  b.panel_blocks = ceil(panels, b.panels);
  return b;
}

}  // namespace

/// Products of one left operand on their way through the blocks.
class PackedProduct {
 public:
  PackedProduct(const PackedRows& a, const DigitRows& digits, const SparseRows& sparse)
      : a_(a), digits_(digits), sparse_(sparse) {
    if (a.contraction() > max_contraction_8x8)
      fail("packed product: contracts {} values; sums stay exact in 32 bits up to {}", a.contraction(),
           max_contraction_8x8);
    mark_wide_tiles();
  }

  void add(const ProductPart& part) {
    PanelWork work = work_of(part.output, part.columns->columns());
    if (part.sparse != nullptr && !sparse_.empty()) add_sparse_part(*part.sparse, work);
    add(*part.columns, work, part.sparse);
  }
  void add(const PackedColumns& b, std::int32_t* c, Index ldc) {
    PanelWork work = work_of({}, b.columns());
    work.last = false;
    work.sums = c;
    work.sums_stride = ldc;
    work.stream = is_streamed(c, ldc, a_.rows(), b.columns(), kernel_);
    add(b, work, nullptr);
  }

  void run() const {
    if (a_.rows() == 0 || panels_ == 0) return;
    const Blocks blocks = cut(a_.rows(), a_.contraction(), panels_);
    const Index threads = std::min<Index>(thread_count(), blocks.count());
    Rooms rooms(kernel_, blocks, groups_, threads);
    std::atomic<Index> next{0};
    parallel_for(threads, 1, [&](Index first, Index last) {
      for (Index thread = first; thread < last; ++thread)
        for (Index i = next++; i < blocks.count(); i = next++) run_block(blocks, i, rooms.of(thread));
    });
  }

 private:
  /// A right operand, its panels numbered after those of the operands before it.
  struct Operand {
    const PackedColumns* columns;
    const SparseColumns* sparse;  ///< read where `work` has a sparse part
    PanelWork work;
    Index first_panel;
  };

  /// What a thread needs beside operands and output.
  struct Room {
    std::int32_t* sums = nullptr;  ///< of a block, where its contraction runs in parts
    std::uint8_t* prepared = nullptr;
  };

  /// Room for every thread, in one piece.
  class Rooms {
   public:
    Rooms(const detail::PanelKernel& kernel, const Blocks& blocks, Index groups, Index threads) {
      if (groups > kernel.most_groups)
        sums_ = in_lines(blocks.rows * blocks.panels * panel_columns * Index{sizeof(std::int32_t)});
      if (kernel.prepare != nullptr)
        prepared_ = in_lines(kernel.prepared_bytes(blocks.rows, std::min(groups, kernel.most_groups)));
      memory_ = AlignedBuffer<std::uint8_t>(threads * (sums_ + prepared_));
    }

    Room of(Index thread) {
      std::uint8_t* at = memory_.data() + thread * (sums_ + prepared_);
      return {reinterpret_cast<std::int32_t*>(at), at + sums_};
    }

   private:
    static Index in_lines(Index bytes) { return (bytes + 63) / 64 * 64; }

    Index sums_ = 0, prepared_ = 0;  ///< bytes of a thread
    AlignedBuffer<std::uint8_t> memory_;
  };

  void add_sparse_part(const SparseColumns& columns, PanelWork& work) const {
    static_assert(sizeof(SparseRows::Code) == sizeof(detail::SparseCode));
    work.sparse_starts = sparse_.starts_.data();
    work.sparse_codes = reinterpret_cast<const detail::SparseCode*>(sparse_.codes_.data());
    work.sparse_row_step = sparse_.step();
    work.sparse_column_step = columns.step();
  }

  void add(const PackedColumns& b, const PanelWork& work, const SparseColumns* sparse) {
    if (a_.contraction() != b.contraction())
      fail("packed product: the contraction of A [{}, {}] and B [{}, {}] differs", a_.rows(), a_.contraction(),
           b.contraction(), b.columns());
    if (work.sparse_starts != nullptr &&
        (sparse_.rows() != a_.rows() || sparse->columns() != b.columns() ||
         sparse->slots() != static_cast<Index>(sparse_.columns().size())))
      fail("packed product: a sparse part [{}, {}] by [{}, {}] beside A [{}, {}] and B [{}, {}]", sparse_.rows(),
           sparse_.columns().size(), sparse->slots(), sparse->columns(), a_.rows(), a_.contraction(), b.contraction(),
           b.columns());
    operands_.push_back({&b, sparse, work, panels_});
    panels_ += b.panels();
    groups_ = a_.codes_ == nullptr ? 0 : b.groups();
  }

  void mark_wide_tiles() {
    if (digits_.empty()) return;
    const auto most = std::int64_t{1} << 31;
    wide_.assign(static_cast<std::size_t>((a_.rows() + tile_rows - 1) / tile_rows), 0);
    for (Index r = 0; r < a_.rows(); ++r) {
      const std::int64_t digits = digits_.magnitudes_[static_cast<std::size_t>(r)];
      if (127 * (std::int64_t{digits_.unit_} * digits + 127 * a_.contraction()) >= most)
        wide_[static_cast<std::size_t>(r / tile_rows)] = 1;
      if (127 * digits >= most) fail("packed product: the outlier digits of row {} sum past 32 bits", r);
    }
  }

  PanelWork work_of(const ProductOutput& o, Index columns) const {
    PanelWork w;
    w.tile_stride = a_.tile_stride_;
    w.row_stride = a_.row_stride_;
    w.group_stride = a_.group_stride_;
    if (!digits_.empty()) {
      static_assert(sizeof(DigitRows::Group) == sizeof(detail::DigitGroup));
      w.unit = digits_.unit_;
      w.digits = reinterpret_cast<const detail::DigitGroup*>(digits_.groups_.data());
    }
    w.row_step = o.row_step;
    w.column_step = o.column_step;
    w.row_steps = o.row_steps;
    w.column_steps = o.column_steps;
    w.bias = o.bias;
    w.y = o.y;
    w.y_stride = o.stride;
    w.transposed = o.transposed;
    w.add = o.add;
    w.stream = !o.add && !o.transposed && is_streamed(o.y, o.stride, a_.rows(), columns, kernel_);
    return w;
  }

  void run_block(const Blocks& blocks, Index index, const Room& room) const {
    const Index row = index / blocks.panel_blocks * blocks.rows;
    const Index row_count = std::min(blocks.rows, a_.rows() - row);
    const Index panel = index % blocks.panel_blocks * blocks.panels;
    const Index last_panel = std::min(panel + blocks.panels, panels_);
    const bool in_parts = groups_ > kernel_.most_groups;
    for (Index begin = 0; begin == 0 || begin < groups_; begin += kernel_.most_groups) {
      const Index end = std::min(begin + kernel_.most_groups, groups_);
      const void* prepared = prepare(row, row_count, begin, end, room.prepared);
      for (Index p = panel; p < last_panel; ++p) {
        const Operand& operand = operand_of(p);
        PanelWork part = at_panel(at_row(operand.work, row, row_count), operand, p - operand.first_panel);
        part.begin = begin;
        part.end = end;
        part.first = begin == 0;
        part.last = operand.work.last && end == groups_;
        part.stream = operand.work.stream && end == groups_;
        part.prepared = prepared;
        if (in_parts && operand.work.last) {
          part.sums = room.sums + (p - panel) * row_count * panel_columns;
          part.sums_stride = panel_columns;
        }
        kernel_.run(part);
      }
    }
  }

  const void* prepare(Index row, Index count, Index begin, Index end, std::uint8_t* room) const {
    if (kernel_.prepare == nullptr) return nullptr;
    PanelWork rows = at_row(operands_.front().work, row, count);
    rows.begin = begin;
    rows.end = end;
    return kernel_.prepare(rows, room);
  }

  const Operand& operand_of(Index panel) const {
    std::size_t i = operands_.size() - 1;
    while (operands_[i].first_panel > panel) --i;
    return operands_[i];
  }

  PanelWork at_row(PanelWork w, Index row, Index count) const {
    const auto r = static_cast<std::size_t>(row);
    w.row_count = count;
    w.rows = a_.codes_ + row / tile_rows * a_.tile_stride_;
    w.row_sums = a_.sums_.data() + r;
    if (w.digits != nullptr) {
      w.digit_starts = digits_.starts_.data() + r;
      w.digit_sums = digits_.sums_.data() + r;
      w.wide_tiles = wide_.data() + row / tile_rows;
    }
    if (w.sparse_starts != nullptr) w.sparse_starts += row;
    if (w.row_steps != nullptr) w.row_steps += row;
    if (w.y != nullptr) w.y += w.transposed ? row : row * w.y_stride;
    if (w.sums != nullptr) w.sums += row * w.sums_stride;
    return w;
  }

  static PanelWork at_panel(PanelWork w, const Operand& b, Index panel) {
    const Index column = panel * panel_columns;
    w.panel = b.columns->group(panel, 0);
    w.columns = std::min(panel_columns, b.columns->columns() - column);
    if (w.sparse_starts != nullptr) w.sparse_panel = b.sparse->panel(panel);
    if (w.column_steps != nullptr) w.column_steps += column;
    if (w.bias != nullptr) w.bias += column;
    if (w.y != nullptr) w.y += w.transposed ? column * w.y_stride : column;
    if (w.sums != nullptr) w.sums += column;
    return w;
  }

  const detail::PanelKernel kernel_ = detail::active_panel_kernel();
  const PackedRows& a_;
  const DigitRows& digits_;
  const SparseRows& sparse_;
  WorkspaceVector<std::uint8_t> wide_;
  WorkspaceVector<Operand> operands_;
  Index panels_ = 0;
  Index groups_ = 0;
};

void packed_product(const PackedRows& a, const DigitRows& digits, std::span<const ProductPart> parts,
                    const SparseRows& sparse) {
  PackedProduct product(a, digits, sparse);
  for (const ProductPart& part : parts) product.add(part);
  product.run();
}

void packed_product(const PackedRows& a, const DigitRows& digits, const PackedColumns& b, const ProductOutput& output) {
  const ProductPart part{&b, output};
  packed_product(a, digits, std::span(&part, 1));
}

void packed_product(const PackedRows& a, const PackedColumns& b, std::int32_t* c, Index ldc) {
  const DigitRows no_digits;
  const SparseRows no_sparse_part;
  PackedProduct product(a, no_digits, no_sparse_part);
  product.add(b, c, ldc);
  product.run();
}

}  // namespace fixtune
