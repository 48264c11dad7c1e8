#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "fixtune/gemm/integer_product.h"
#include "fixtune/gemm/sparse_part.h"
#include "fixtune/quant/outlier_split.h"

namespace fixtune {

/// The right operand `B[k, n]` of a packed product, laid out as its kernels read it; made once, used often.
///
/// Panels of 48 columns; in each, groups of 4 codes along the contraction: `[panel][group][column][4]`, a byte holding
/// the code plus 128. Codes past the edges are 0.
class PackedColumns {
 public:
  PackedColumns() = default;
  /// Room for k x n codes, to be filled through `group()`.
  PackedColumns(Index contraction, Index columns);
  /// Packs codes stored `[k, n]` (Transpose::No), or `[n, k]` (Transpose::Yes) as a weight is for X W^T.
  static PackedColumns pack(const Int8View& codes, Transpose transpose);

  Index contraction() const { return contraction_; }  ///< k, the length of the sums
  Index columns() const { return columns_; }  ///< n
  Index panels() const;  ///< of 48 columns, the last perhaps not full
  Index groups() const { return groups_; }  ///< of four codes along the contraction
  /// Group `g` of a panel: 48 columns of 4 bytes.
  std::uint8_t* group(Index panel, Index g);
  const std::uint8_t* group(Index panel, Index g) const;  ///< The same, read only.
  /// B[k, n], for tests and rare paths.
  std::int32_t code(Index k, Index n) const;
  std::size_t bytes() const { return data_.bytes(); }  ///< of the packed codes
  bool empty() const { return columns_ == 0; }  ///< True before anything was packed.

 private:
  Index contraction_ = 0;
  Index columns_ = 0;
  Index groups_ = 0;
  AlignedBuffer<std::uint8_t> data_;
};

/// The left operand `A[m, k]` of a packed product: codes by row, and what each row sums to.
///
/// The codes must outlive it. Sums that are not given, and the rows of a transpose, are made by each product, a block of
/// rows at a time where they are then found in cache.
class PackedRows {
 public:
  /// Rows as stored, `[m, k]`. Read in place where k is a multiple of 4, else copied. `row_sums` are those of the codes
  /// where they are known already, else empty.
  static PackedRows view(const Int8View& codes, std::span<const std::int32_t> row_sums = {});
  /// Rows of the transpose of codes stored `[k, m]`.
  static PackedRows transpose(const Int8View& codes);
  /// No codes at all: a product of outlier digits alone.
  static PackedRows zeros(Index rows, Index contraction);

  Index rows() const { return rows_; }  ///< m
  Index contraction() const { return contraction_; }  ///< k, the length of the sums

 private:
  friend class PackedProduct;
  bool waits() const;  ///< Whether the sums, and the rows of a transpose, are still to be made.
  bool has_codes() const { return codes_ != nullptr || is_transposed(); }
  bool is_transposed() const { return stored_by_column_.data != nullptr; }
  Index bytes_to_make(Index rows) const;  ///< Room for the codes of so many rows; none where they are read in place.
  /// Makes the codes and sums of rows [row, row + count), `row` where a tile begins; sums in whole tiles of a transpose.
  void make(Index row, Index count, bool stream, std::int8_t* codes, std::int32_t* sums) const;
  PackedRows made() const;  ///< With all codes and sums.

  Index rows_ = 0;
  Index contraction_ = 0;
  Index tile_stride_ = 0, row_stride_ = 0, group_stride_ = 0;
  const std::int8_t* codes_ = nullptr;
  Int8View stored_by_column_;  ///< of a transpose that waits
  AlignedBuffer<std::int8_t> copy_;
  WorkspaceVector<std::int32_t> sums_;  ///< by row; none: they wait
};

/// The sparse outlier digits of A: `A = codes + unit * digits`.
class DigitRows {
 public:
  DigitRows() = default;
  /// Digits by their row (token); or, with `by_column`, by their column (feature), for the transposed activation.
  /// `digits` are sorted by (row, column). Digits past INT8 are held as several.
  DigitRows(std::span<const SparseDigit> digits, Index rows, std::int32_t unit, bool by_column = false);

  bool empty() const { return groups_.empty(); }  ///< True where no row has a digit.

 private:
  friend class PackedProduct;
  struct Group {
    std::int32_t group;
    std::int32_t codes;
  };
  std::int32_t unit_ = 0;
  WorkspaceVector<std::int32_t> starts_;
  WorkspaceVector<Group> groups_;
  WorkspaceVector<std::int32_t> sums_;
  WorkspaceVector<std::int64_t> magnitudes_;  ///< sum of |digit| by row
};

/// What becomes of a sum, and where it goes: `y = (sum * row_step) * column_step + bias`, int32 (or, where the outlier
/// digits need it, 64 bits) to FP32 once.
struct ProductOutput {
  float* y = nullptr;  ///< the first element
  Index stride = 0;  ///< floats from row to row of y as it lies
  bool transposed = false;  ///< y is `[n, m]`, else `[m, n]`
  const float* row_steps = nullptr;  ///< null: `row_step` for every row
  float row_step = 1.0F;  ///< of every row, where `row_steps` is null
  const float* column_steps = nullptr;  ///< null: `column_step` for every column
  float column_step = 1.0F;  ///< of every column, where `column_steps` is null
  const float* bias = nullptr;  ///< per column; null: none
  bool add = false;             ///< to what y holds
  Index whole_rows = 0;  ///< of the output that this is a part of, where several products make it; 0: it is the whole
};

/// `Y = epilogue((A + unit D) B)`, the sums exact: no pass over the output after the product, no digit saturates.
///
/// Digits join inside the accumulators where `127*(unit*sum|d| + 127*K) < 2^31` for the row, in 64 bits elsewhere.
/// Threads share blocks of rows and columns; who computes what changes no bit. Throws Error when shapes disagree, when
/// the contraction exceeds max_contraction_8x8, or where a row's digits alone pass 32 bits.
void packed_product(const PackedRows& a, const DigitRows& digits, const PackedColumns& b, const ProductOutput& output);
/// Without outlier digits.
inline void packed_product(const PackedRows& a, const PackedColumns& b, const ProductOutput& output) {
  packed_product(a, {}, b, output);
}

/// One of several products that share their left operand: its right operand, and what becomes of it.
struct ProductPart {
  const PackedColumns* columns = nullptr;  ///< the right operand
  ProductOutput output;  ///< where the product goes
  const SparseColumns* sparse = nullptr;  ///< right operand of its sparse part; null: none
};

/// `Y_i = epilogue_i((A + unit D) B_i)`, as one product whose columns are those of all B_i: the same bits as one after
/// the other, but the threads share the work once, and A is in cache.
///
/// Where a part has sparse columns F, rows with sparse codes E get `+ (float(E F) * step_E) * step_F` as they are
/// stored, E F summed exactly and rounded once (Approach 1, Eq. 1: two units joined in the epilogue).
void packed_product(const PackedRows& a, const DigitRows& digits, std::span<const ProductPart> parts,
                    const SparseRows& sparse = {});

/// `C[m, n] = A B` in int32, exact. Throws Error past max_contraction_8x8.
void packed_product(const PackedRows& a, const PackedColumns& b, std::int32_t* c, Index ldc);
/// The same for codes of B stored `[k, n]` (Transpose::No) or `[n, k]` (Transpose::Yes), packed on the way: panel by
/// panel where the rows of A are few, so that each is multiplied while it is in cache.
void packed_product(const PackedRows& a, const Int8View& b, Transpose transpose, std::int32_t* c, Index ldc);

/// The instruction set whose kernel runs packed products; every one gives the same bits.
enum class PackedKernel : std::uint8_t { Portable, Avx2, AvxVnni, Avx512Vnni };
/// The best one of this CPU that passed a start-up check, at most what the environment's FIXTUNE_KERNEL
/// (portable, avx2, avx_vnni, avx512_vnni) allows.
PackedKernel active_packed_kernel();
std::string_view name(PackedKernel kernel);  ///< As FIXTUNE_KERNEL writes it: portable, avx2, avx_vnni, avx512_vnni.
/// Those this CPU can run.
std::vector<PackedKernel> available_packed_kernels();
/// Holds every packed product to one kernel, for tests and comparisons. Throws Error where the CPU cannot run it.
void use_packed_kernel(PackedKernel kernel);

}  // namespace fixtune
