#include "fixtune/gemm/packed_product.h"

#include <algorithm>
#include <atomic>

#include "fixtune/core/parallel.h"
#include "packed_dispatch.h"
#include "packed_kernel.h"
#include "panel_packing.h"
#include "product_blocks.h"
#include "product_companion.h"
#include "product_room.h"

namespace fixtune {

using detail::group_codes;
using detail::panel_columns;
using detail::panel_group_bytes;
using detail::PanelWork;
using detail::ProductBlocks;
using detail::ProductCompanion;
using detail::ProductRoom;
using detail::ProductRoomBytes;
using detail::ProductRooms;
using detail::StoredColumns;
using detail::tile_rows;

namespace {

/// Whether an output is worth storing past the caches, and can be: whole panels are whole lines.
bool is_streamed(const void* y, Index stride, Index rows, Index columns, const detail::PanelKernel& kernel) {
  constexpr Index value = 4, line = 64;
  const bool aligned = reinterpret_cast<std::uintptr_t>(y) % line == 0 && stride % (line / value) == 0;
  return aligned && rows * columns * value >= kernel.streamed_bytes;
}

}  // namespace

/// Products of one left operand on their way through the blocks.
class PackedProduct {
 public:
  PackedProduct(const PackedRows& a, const DigitRows& digits, const SparseRows& sparse)
      : a_(&a), digits_(digits), sparse_(sparse) {
    if (a.contraction() > max_contraction_8x8)
      fail("packed product: contracts {} values; sums stay exact in 32 bits up to {}", a.contraction(),
           max_contraction_8x8);
    mark_wide_tiles();
  }

  void add(const ProductPart& part) {
    PanelWork work = work_of(part.output, part.columns->columns());
    if (part.sparse != nullptr && !sparse_.empty()) add_sparse_part(*part.sparse, work);
    add({part.columns, {}, part.sparse, work, panels_}, part.columns->contraction(), part.columns->columns());
  }
  void add(const PackedColumns& b, std::int32_t* c, Index ldc) {
    add({&b, {}, nullptr, work_of(c, ldc, b.columns()), panels_}, b.contraction(), b.columns());
  }
  void add(const StoredColumns& b, std::int32_t* c, Index ldc) {
    add({nullptr, b, nullptr, work_of(c, ldc, b.columns()), panels_}, b.contraction(), b.columns());
  }

  void run_beside(ProductCompanion& companion) {
    if (kernel_.asks && a_->rows() > 0 && panels_ > 0)
      companion_ = &companion;
    else
      companion.run_all();
    run();
  }

  void run() {
    if (a_->rows() == 0 || panels_ == 0) return;
    const ProductBlocks blocks = detail::cut_product(a_->rows(), a_->contraction(), panels_);
    make_operands(blocks);
    const Index threads = std::min<Index>(thread_count(), blocks.count());
    ProductRooms rooms(room_for(blocks), threads);
    std::atomic<Index> next{0};
    parallel_for(threads, 1, [&](Index first, Index last) {
      for (Index thread = first; thread < last; ++thread)
        for (Index i = next++; i < blocks.count(); i = next++) run_block(blocks, i, rooms.of(thread));
    });
  }

 private:
  /// A right operand, its panels numbered after those of the operands before it.
  struct Operand {
    const PackedColumns* columns;  ///< null: not packed
    StoredColumns stored;          ///< what is packed panel by panel
    const SparseColumns* sparse;   ///< read where `work` has a sparse part
    PanelWork work;
    Index first_panel;
  };

  ProductRoomBytes room_for(const ProductBlocks& blocks) const {
    constexpr Index sum = sizeof(std::int32_t);
    ProductRoomBytes bytes;
    if (in_parts()) bytes.sums = blocks.rows * blocks.panels * panel_columns * sum;
    if (kernel_.prepare != nullptr)
      bytes.prepared = kernel_.prepared_bytes(blocks.rows, std::min(groups_, kernel_.most_groups));
    if (a_->waits()) {
      bytes.codes = a_->bytes_to_make(blocks.rows);
      bytes.row_sums = blocks.rows * sum;
    }
    if (operands_.front().columns == nullptr) bytes.panel = groups_ * panel_group_bytes;
    return bytes;
  }

  bool in_parts() const { return groups_ > kernel_.most_groups; }

  /// Makes beforehand what more than one block would have to make for itself.
  void make_operands(const ProductBlocks& blocks) {
    if (a_->waits() && (blocks.panel_blocks > 1 || in_parts())) {
      made_rows_ = a_->made();
      a_ = &made_rows_;
    }
    Operand& first = operands_.front();
    if (first.columns == nullptr && (blocks.row_blocks > 1 || in_parts())) {
      packed_ = PackedColumns::pack(first.stored.codes, first.stored.transpose);
      first.columns = &packed_;
    }
  }

  void add_sparse_part(const SparseColumns& columns, PanelWork& work) const {
    static_assert(sizeof(SparseRows::Code) == sizeof(detail::SparseCode));
    work.sparse_starts = sparse_.starts_.data();
    work.sparse_codes = reinterpret_cast<const detail::SparseCode*>(sparse_.codes_.data());
    work.sparse_row_step = sparse_.step();
    work.sparse_column_step = columns.step();
  }

  void add(const Operand& b, Index contraction, Index columns) {
    const SparseColumns* sparse = b.sparse;
    if (a_->contraction() != contraction)
      fail("packed product: the contraction of A [{}, {}] and B [{}, {}] differs", a_->rows(), a_->contraction(),
           contraction, columns);
    if (b.work.sparse_starts != nullptr && (sparse_.rows() != a_->rows() || sparse->columns() != columns ||
                                            sparse->slots() != static_cast<Index>(sparse_.columns().size())))
      fail("packed product: a sparse part [{}, {}] by [{}, {}] beside A [{}, {}] and B [{}, {}]", sparse_.rows(),
           sparse_.columns().size(), sparse->slots(), sparse->columns(), a_->rows(), a_->contraction(), contraction,
           columns);
    operands_.push_back(b);
    panels_ += (columns + panel_columns - 1) / panel_columns;
    groups_ = a_->has_codes() ? (contraction + group_codes - 1) / group_codes : 0;
  }

  void mark_wide_tiles() {
    if (digits_.empty()) return;
    const auto most = std::int64_t{1} << 31;
    wide_.assign(static_cast<std::size_t>((a_->rows() + tile_rows - 1) / tile_rows), 0);
    for (Index r = 0; r < a_->rows(); ++r) {
      const std::int64_t digits = digits_.magnitudes_[static_cast<std::size_t>(r)];
      if (127 * (std::int64_t{digits_.unit_} * digits + 127 * a_->contraction()) >= most)
        wide_[static_cast<std::size_t>(r / tile_rows)] = 1;
      if (127 * digits >= most) fail("packed product: the outlier digits of row {} sum past 32 bits", r);
    }
  }

  PanelWork work_of(std::int32_t* c, Index ldc, Index columns) const {
    PanelWork w = work_of({}, columns);
    w.last = false;
    w.sums = c;
    w.sums_stride = ldc;
    w.stream = is_streamed(c, ldc, a_->rows(), columns, kernel_);
    return w;
  }

  PanelWork work_of(const ProductOutput& o, Index columns) const {
    PanelWork w;
    w.tile_stride = a_->tile_stride_;
    w.row_stride = a_->row_stride_;
    w.group_stride = a_->group_stride_;
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
    w.stream = !o.add && !o.transposed && is_streamed(o.y, o.stride, std::max(a_->rows(), o.whole_rows), columns, kernel_);
    return w;
  }

  void run_block(const ProductBlocks& blocks, Index index, const ProductRoom& room) const {
    const Index row = index / blocks.panel_blocks * blocks.rows;
    const Index row_count = std::min(blocks.rows, a_->rows() - row);
    const Index panel = index % blocks.panel_blocks * blocks.panels;
    const Index last_panel = std::min(panel + blocks.panels, panels_);
    const Pieces pieces = pieces_of(index, blocks.count());
    if (a_->waits()) a_->make(row, row_count, /*stream=*/false, room.codes, room.row_sums);
    for (Index begin = 0; begin == 0 || begin < groups_; begin += kernel_.most_groups) {
      const Index end = std::min(begin + kernel_.most_groups, groups_);
      const void* prepared = prepare(row, row_count, begin, end, room);
      for (Index p = panel; p < last_panel; ++p) {
        const Operand& operand = operand_of(p);
        PanelWork part = at_panel(at_row(operand.work, row, row_count, room), operand, p - operand.first_panel, room);
        part.begin = begin;
        part.end = end;
        part.first = begin == 0;
        part.last = operand.work.last && end == groups_;
        part.stream = operand.work.stream && end == groups_;
        part.prepared = prepared;
        if (in_parts() && operand.work.last) {
          part.sums = room.sums + (p - panel) * row_count * panel_columns;
          part.sums_stride = panel_columns;
        }
        run_panel(part, begin == 0 ? pieces.part(p - panel, last_panel - panel) : Pieces{});
      }
    }
  }

  /// Of the companion's work.
  struct Pieces {
    Index first = 0, last = 0;

    Pieces part(Index i, Index of) const {
      const Index count = last - first;
      return {first + count * i / of, first + count * (i + 1) / of};
    }
  };

  Pieces pieces_of(Index block, Index blocks) const {
    return companion_ == nullptr ? Pieces{} : Pieces{0, companion_->pieces()}.part(block, blocks);
  }

  void run_panel(PanelWork& part, Pieces pieces) const {
    if (pieces.first == pieces.last) return kernel_.run(part);
    const auto memory = companion_->memory(pieces.first, pieces.last);
    part.ask = memory.data();
    part.ask_lines = static_cast<Index>(memory.size()) / 64;
    kernel_.run(part);
    companion_->run(pieces.first, pieces.last);
  }

  const void* prepare(Index row, Index count, Index begin, Index end, const ProductRoom& room) const {
    if (kernel_.prepare == nullptr) return nullptr;
    PanelWork rows = at_row(operands_.front().work, row, count, room);
    rows.begin = begin;
    rows.end = end;
    return kernel_.prepare(rows, room.prepared);
  }

  const Operand& operand_of(Index panel) const {
    std::size_t i = operands_.size() - 1;
    while (operands_[i].first_panel > panel) --i;
    return operands_[i];
  }

  PanelWork at_row(PanelWork w, Index row, Index count, const ProductRoom& room) const {
    const auto r = static_cast<std::size_t>(row);
    w.row_count = count;
    w.rows = a_->is_transposed() ? room.codes : a_->codes_ + row / tile_rows * a_->tile_stride_;
    w.row_sums = a_->waits() ? room.row_sums : a_->sums_.data() + r;
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

  /// Where a panel lies; packed into the room first where it is not.
  static const std::uint8_t* packed_panel(const Operand& b, Index panel, const ProductRoom& room) {
    if (b.columns != nullptr) return b.columns->group(panel, 0);
    detail::clear_edges(b.stored.contraction(), b.stored.columns(), panel, room.panel);
    detail::pack_panels(b.stored, panel, panel + 1, room.panel);
    return room.panel;
  }

  static PanelWork at_panel(PanelWork w, const Operand& b, Index panel, const ProductRoom& room) {
    const Index column = panel * panel_columns;
    w.panel = packed_panel(b, panel, room);
    w.columns = std::min(panel_columns, (b.columns == nullptr ? b.stored.columns() : b.columns->columns()) - column);
    if (w.sparse_starts != nullptr) w.sparse_panel = b.sparse->panel(panel);
    if (w.column_steps != nullptr) w.column_steps += column;
    if (w.bias != nullptr) w.bias += column;
    if (w.y != nullptr) w.y += w.transposed ? column * w.y_stride : column;
    if (w.sums != nullptr) w.sums += column;
    return w;
  }

  const detail::PanelKernel kernel_ = detail::active_panel_kernel();
  const PackedRows* a_;
  const DigitRows& digits_;
  const SparseRows& sparse_;
  WorkspaceVector<std::uint8_t> wide_;
  WorkspaceVector<Operand> operands_;
  PackedRows made_rows_;
  PackedColumns packed_;
  ProductCompanion* companion_ = nullptr;
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

void packed_product(const PackedRows& a, const DigitRows& digits, std::span<const ProductPart> parts,
                    ProductCompanion& companion) {
  const SparseRows no_sparse_part;
  PackedProduct product(a, digits, no_sparse_part);
  for (const ProductPart& part : parts) product.add(part);
  product.run_beside(companion);
}

void packed_product(const PackedRows& a, const PackedColumns& b, const ProductOutput& output,
                    ProductCompanion& companion) {
  const DigitRows no_digits;
  const ProductPart part{&b, output};
  packed_product(a, no_digits, std::span(&part, 1), companion);
}

void packed_product(const PackedRows& a, const PackedColumns& b, std::int32_t* c, Index ldc) {
  const DigitRows no_digits;
  const SparseRows no_sparse_part;
  PackedProduct product(a, no_digits, no_sparse_part);
  product.add(b, c, ldc);
  product.run();
}

void packed_product(const PackedRows& a, const Int8View& b, Transpose transpose, std::int32_t* c, Index ldc) {
  const DigitRows no_digits;
  const SparseRows no_sparse_part;
  PackedProduct product(a, no_digits, no_sparse_part);
  product.add(StoredColumns{b, transpose}, c, ldc);
  product.run();
}

}  // namespace fixtune
