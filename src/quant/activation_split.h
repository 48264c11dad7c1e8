#pragma once

#include <span>
#include <string_view>

#include "fixtune/quant/outlier_split.h"
#include "quant/outlier_rows.h"

namespace fixtune {

/// Where X comes from: memory, or a function that makes its rows.
struct ActivationSource {
  Index rows = 0, cols = 0;
  const float* data = nullptr;
  Index stride = 0;
  const RowProducer* producer = nullptr;

  RowsInMemory stretch(Index begin, Index end, AlignedBuffer<float>& produced) const {
    if (producer == nullptr) return {data + begin * stride, stride, begin, end - begin, rows};
    if (produced.size() < (end - begin) * cols) produced = AlignedBuffer<float>((end - begin) * cols);
    (*producer)(begin, end, produced.data());
    return {produced.data(), cols, begin, 0, end};
  }
};

/// Whether outliers leave with all of their column.
bool moves_columns(const Recipe& recipe);

/// One activation on its way to integers: all at once, or, where quantises_each_row_alone(recipe), some stretches of rows
/// at a time, in any order and by several threads.
class ActivationSplit {
 public:
  /// Throws Error where the recipe cannot be, or the activation is too large. Source, recipe and name must outlive it.
  ActivationSplit(const ActivationSource& x, const Recipe& recipe, const RandomStream& random, std::string_view name);

  /// All of it.
  QuantizedActivation run();

  Index stretches() const { return stretches_.size(); }
  /// The row a stretch begins with; of stretches(), the number of rows.
  Index first_row(Index stretch) const;
  /// Quantises the rows of stretches [first, last), each alone.
  void split_stretches(Index first, Index last);
  /// The codes so far, their steps and sums.
  const FixedPointTensor& codes() const { return result_.inliers; }
  /// The digits of stretches [first, last), their rows counted from the first of them; throws as quantize_activation does
  /// where those rows hold NaN, infinity or a digit too large.
  WorkspaceVector<SparseDigit> checked_digits(Index first, Index last) const;
  /// The whole, once every stretch is done and checked.
  QuantizedActivation finish();

 private:
  struct Scratch;

  bool tiled() const { return recipe_.outliers == OutlierTreatment::TiledSplit; }
  std::uint64_t element(Index r) const { return static_cast<std::uint64_t>(r * x_.cols); }

  template <typename Body>
  void for_stretches(Body body);

  void split_each_alone(OutlierRows& rows, const RowsInMemory& x, Scratch& scratch);
  void find(OutlierRows& rows, const RowsInMemory& x, Scratch& scratch);
  void move_columns();
  void measure(OutlierRows& rows, const RowsInMemory& x);
  void measure_without_columns(OutlierRows& rows, const RowsInMemory& x);
  void encode(OutlierRows& rows, const RowsInMemory& x, Scratch& scratch);
  void encode_outliers(OutlierRows& rows, Index r, Scratch& scratch);
  void split_each_row();
  void split_as_one();
  void check(Index first, Index last) const;
  void count();
  QuantizedActivation joined();

  ActivationSource x_;
  const Recipe& recipe_;
  RandomStream random_;
  std::string_view name_;
  OutlierStretches stretches_;
  WorkspaceVector<row_kernels::MagnitudeBits> largest_;  ///< of each row
  WorkspaceVector<row_kernels::MagnitudeBits> rest_;     ///< of each row, of what stays INT8
  WorkspaceVector<std::uint8_t> holds_;                  ///< of each column: 1 where it holds an outlier
  QuantizedActivation result_;
};

}  // namespace fixtune
