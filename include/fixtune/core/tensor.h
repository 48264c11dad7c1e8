#pragma once

#include <Eigen/Core>

#include <new>
#include <utility>

#include "fixtune/core/aligned_buffer.h"
#include "fixtune/core/error.h"

namespace fixtune {

/// Row-major FP32 matrix that owns its memory, for callers' own code; the library's is Tensor.
using Matrix = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
/// Row-major view of floats that the caller owns; the outer stride may exceed the number of columns.
using MatrixMap = Eigen::Map<Matrix, Eigen::Unaligned, Eigen::OuterStride<>>;

/// The same, read only; made of any row-major matrix, which must outlive it. Assigned, it looks elsewhere.
class ConstMatrixMap : public Eigen::Map<const Matrix, Eigen::Unaligned, Eigen::OuterStride<>> {
  using Base = Eigen::Map<const Matrix, Eigen::Unaligned, Eigen::OuterStride<>>;

 public:
  /// Rows are `stride` floats apart.
  ConstMatrixMap(const float* data, Index rows, Index cols, Eigen::OuterStride<> stride)
      : Base(data, rows, cols, stride) {}
  ConstMatrixMap(const ConstMatrixMap&) = default;  ///< Looks at the same floats.
  /// Looks at the floats of `other` from now on; copies none.
  ConstMatrixMap& operator=(const ConstMatrixMap& other) {
    return this == &other ? *this : *::new (this) ConstMatrixMap(other);
  }
  /// Of a view that may be written through.
  ConstMatrixMap(const MatrixMap& m) : Base(m.data(), m.rows(), m.cols(), Eigen::OuterStride<>(m.outerStride())) {}
  /// Of a matrix, which must outlive it.
  ConstMatrixMap(const Matrix& m) : Base(m.data(), m.rows(), m.cols(), Eigen::OuterStride<>(m.cols())) {}
};

/// Views of `rows` rows of `cols` floats at `data`, each `stride` floats after the one before.
inline MatrixMap map_of(float* data, Index rows, Index cols, Index stride) {
  return {data, rows, cols, Eigen::OuterStride<>(stride)};
}
/// The same, read only.
inline ConstMatrixMap map_of(const float* data, Index rows, Index cols, Index stride) {
  return {data, rows, cols, Eigen::OuterStride<>(stride)};
}
/// The whole of a matrix, which must outlive the view.
inline MatrixMap map_of(Matrix& m) { return map_of(m.data(), m.rows(), m.cols(), m.cols()); }

/// FP32 matrix `[rows, cols]`, row-major, contiguous, 64-byte aligned; a vector is a tensor of one row.
class Tensor {
 public:
  Tensor() = default;
  Tensor(const Tensor&) = default;  ///< Copies the elements.
  Tensor& operator=(const Tensor&) = default;  ///< Copies the elements.
  /// Leaves `other` empty, of shape [0, 0].
  Tensor(Tensor&& other) noexcept
      : rows_(std::exchange(other.rows_, 0)),
        cols_(std::exchange(other.cols_, 0)),
        buffer_(std::move(other.buffer_)) {}
  /// Leaves `other` empty, of shape [0, 0].
  Tensor& operator=(Tensor&& other) noexcept {
    rows_ = std::exchange(other.rows_, 0);
    cols_ = std::exchange(other.cols_, 0);
    buffer_ = std::move(other.buffer_);
    return *this;
  }
  /// Uninitialised `[rows, cols]`.
  Tensor(Index rows, Index cols) : rows_(rows), cols_(cols), buffer_(element_count(rows, cols)) {}
  /// `[rows, cols]` of one value.
  static Tensor filled(Index rows, Index cols, float value) {
    Tensor t(rows, cols);
    t.buffer_.fill(value);
    return t;
  }
  static Tensor zeros(Index rows, Index cols) { return filled(rows, cols, 0.0F); }  ///< `[rows, cols]` of 0.

  Index rows() const { return rows_; }  ///< of the matrix
  Index cols() const { return cols_; }  ///< of the matrix
  Index size() const { return rows_ * cols_; }  ///< in elements
  bool empty() const { return size() == 0; }  ///< True where there is no element, whatever the shape.
  std::size_t bytes() const { return buffer_.bytes(); }  ///< of the elements

  float* data() { return buffer_.data(); }  ///< The first element.
  const float* data() const { return buffer_.data(); }  ///< The first element.
  float* row(Index r) { return buffer_.data() + r * cols_; }  ///< The first element of a row.
  const float* row(Index r) const { return buffer_.data() + r * cols_; }  ///< The first element of a row.
  float& operator()(Index r, Index c) { return buffer_[r * cols_ + c]; }  ///< Unchecked.
  float operator()(Index r, Index c) const { return buffer_[r * cols_ + c]; }  ///< Unchecked.

  MatrixMap map() { return {data(), rows_, cols_, Eigen::OuterStride<>(cols_)}; }  ///< The whole as an Eigen view.
  /// The whole as an Eigen view, read only.
  ConstMatrixMap map() const { return {data(), rows_, cols_, Eigen::OuterStride<>(cols_)}; }
  /// A tensor goes wherever a read-only view is asked for.
  operator ConstMatrixMap() const { return map(); }
  void fill(float value) { buffer_.fill(value); }  ///< Sets every element.

 private:
  static Index element_count(Index rows, Index cols) {
    if (rows < 0 || cols < 0 || (cols > 0 && rows > std::numeric_limits<Index>::max() / cols))
      fail("a tensor cannot have shape [{}, {}]", rows, cols);
    return rows * cols;
  }

  Index rows_ = 0;
  Index cols_ = 0;
  AlignedBuffer<float> buffer_;
};

/// `X^T`, a copy.
inline Tensor transposed(ConstMatrixMap x) {
  Tensor t(x.cols(), x.rows());
  t.map() = x.transpose();
  return t;
}

}  // namespace fixtune
