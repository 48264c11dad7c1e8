#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "fixtune/quant/outlier_split.h"
#include "quant/row_kernels.h"

/// Finding the outliers of a few rows, and the rows that are left without them.
namespace fixtune {

/// A few rows of X where they are read from.
struct RowsInMemory {
  const float* data = nullptr;  ///< of row `first`
  Index stride = 0;
  Index first = 0;
  Index ahead = 0;  ///< rows from one to that which is asked for while it is read; 0: none
  Index last = 0;   ///< behind the rows there are

  const float* row(Index r) const { return data + (r - first) * stride; }
  const float* coming(Index r) const { return ahead != 0 && r + ahead < last ? row(r + ahead) : nullptr; }
};

/// A stretch of rows with what the treatment takes out of them, in (row, column) order.
///
/// Stretches are the same whatever the number of threads, so joining their lists gives one sorted list.
class OutlierRows {
 public:
  static constexpr Index most_rows = 16;

  Index begin = 0;
  Index end = 0;

  std::size_t size() const { return size_; }
  std::size_t first_of(Index r) const { return starts_[static_cast<std::size_t>(r - begin)]; }
  std::size_t count_of(Index r) const { return first_of(r + 1) - first_of(r); }

  std::span<const std::int32_t> columns() const { return {part<std::int32_t>(0), size_}; }
  std::span<const float> values() const { return {part<float>(1), size_}; }  ///< as they are in X
  /// TiledSplit: k, later k'. UnifiedScale: X12.
  std::span<std::int32_t> digits() const { return {part<std::int32_t>(2), size_}; }
  std::span<float> remainders() const { return {part<float>(3), size_}; }  ///< TiledSplit: what of the value stays INT8
  std::span<const std::int32_t> columns_of(Index r) const { return columns().subspan(first_of(r), count_of(r)); }
  std::span<const float> values_of(Index r) const { return values().subspan(first_of(r), count_of(r)); }
  std::span<std::int32_t> digits_of(Index r) const { return digits().subspan(first_of(r), count_of(r)); }
  std::span<float> remainders_of(Index r) const { return remainders().subspan(first_of(r), count_of(r)); }

  /// Above which an element of row `r` is an outlier; to be set before any is looked for.
  float gamma_of(Index r) const { return gammas_[static_cast<std::size_t>(r - begin)]; }
  void set_gamma(Index r, float gamma) { gammas_[static_cast<std::size_t>(r - begin)] = gamma; }

  void clear();
  /// Appends outliers of row `r`; rows come in order.
  void append(Index r, const std::int32_t* row_columns, std::int32_t count, const float* row);
  /// To be called when row `r` has all of its outliers.
  void end_row(Index r) { starts_[static_cast<std::size_t>(r - begin) + 1] = size_; }
  /// Eq. 3 for all of them, each by the gamma of its row: fills digits and remainders.
  void split();

 private:
  friend class OutlierStretches;
  static constexpr std::size_t words = 4;  ///< that an outlier takes: column, value, digit, remainder

  template <typename T>
  T* part(std::size_t index) const {
    return reinterpret_cast<T*>(at_ + index * capacity_);
  }
  void grow(std::size_t least);

  std::array<std::size_t, most_rows + 1> starts_{};
  std::array<float, most_rows> gammas_{};
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
  std::uint32_t* at_ = nullptr;       ///< in the stretches' common memory, or in `own_`
  AlignedBuffer<std::uint32_t> own_;  ///< where they became more than fit there
};

/// The stretches that cover so many rows, with no outliers yet, and room for a few in each.
class OutlierStretches {
 public:
  OutlierStretches(Index rows, Index cols);

  Index size() const { return static_cast<Index>(stretches_.size()); }
  OutlierRows& operator[](Index i) { return stretches_[static_cast<std::size_t>(i)]; }
  const OutlierRows& operator[](Index i) const { return stretches_[static_cast<std::size_t>(i)]; }
  auto begin() { return stretches_.begin(); }
  auto end() { return stretches_.end(); }
  auto begin() const { return stretches_.begin(); }
  auto end() const { return stretches_.end(); }

 private:
  AlignedBuffer<std::uint32_t> memory_;
  WorkspaceVector<OutlierRows> stretches_;
};

/// What finding outliers writes on.
struct FindScratch {
  std::int32_t* positions = nullptr;                        ///< as many as a row has elements
  row_kernels::MagnitudeBits* largest_of_stretches = nullptr;  ///< row_kernels::stretches_of(cols)
};

/// Fills `rows` with the elements above their row's gamma, and of each row its largest magnitude and the largest of its
/// inliers.
void find_outliers(const RowsInMemory& x, Index cols, OutlierRows& rows, const FindScratch& scratch,
                   row_kernels::MagnitudeBits* largest, row_kernels::MagnitudeBits* inliers);

/// A copy of the row, 0 where its outliers were.
const float* row_without(std::span<const std::int32_t> outlier_columns, const float* row, Index cols, float* scratch);

}  // namespace fixtune
