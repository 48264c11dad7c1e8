#pragma once

#include <Eigen/Core>

#include <new>
#include <utility>

#include "fixtune/core/aligned_buffer.h"
#include "fixtune/core/error.h"

namespace fixtune {

using Matrix = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
/// Row-major view of floats that the caller owns; the outer stride may exceed the number of columns.
using MatrixMap = Eigen::Map<Matrix, Eigen::Unaligned, Eigen::OuterStride<>>;

/// The same, read only; made of any row-major matrix, which must outlive it. Assigned, it looks elsewhere.
class ConstMatrixMap : public Eigen::Map<const Matrix, Eigen::Unaligned, Eigen::OuterStride<>> {
  using Base = Eigen::Map<const Matrix, Eigen::Unaligned, Eigen::OuterStride<>>;

 public:
  ConstMatrixMap(const float* data, Index rows, Index cols, Eigen::OuterStride<> stride)
      : Base(data, rows, cols, stride) {}
  ConstMatrixMap(const ConstMatrixMap&) = default;
  ConstMatrixMap& operator=(const ConstMatrixMap& other) {
    return this == &other ? *this : *::new (this) ConstMatrixMap(other);
  }
  ConstMatrixMap(const MatrixMap& m) : Base(m.data(), m.rows(), m.cols(), Eigen::OuterStride<>(m.outerStride())) {}
  ConstMatrixMap(const Matrix& m) : Base(m.data(), m.rows(), m.cols(), Eigen::OuterStride<>(m.cols())) {}
};

/// Views of `rows` rows of `cols` floats at `data`, each `stride` floats after the one before.
inline MatrixMap map_of(float* data, Index rows, Index cols, Index stride) {
  return {data, rows, cols, Eigen::OuterStride<>(stride)};
}
inline ConstMatrixMap map_of(const float* data, Index rows, Index cols, Index stride) {
  return {data, rows, cols, Eigen::OuterStride<>(stride)};
}
inline MatrixMap map_of(Matrix& m) { return map_of(m.data(), m.rows(), m.cols(), m.cols()); }

/// FP32 matrix `[rows, cols]`, row-major, contiguous, 64-byte aligned; a vector is a tensor of one row.
class Tensor {
 public:
  Tensor() = default;
  Tensor(const Tensor&) = default;
  Tensor& operator=(const Tensor&) = default;
  /// Leaves `other` empty, of shape [0, 0].
  Tensor(Tensor&& other) noexcept
      : rows_(std::exchange(other.rows_, 0)),
        cols_(std::exchange(other.cols_, 0)),
        buffer_(std::move(other.buffer_)) {}
  Tensor& operator=(Tensor&& other) noexcept {
    rows_ = std::exchange(other.rows_, 0);
    cols_ = std::exchange(other.cols_, 0);
    buffer_ = std::move(other.buffer_);
    return *this;
  }
  /// Uninitialised `[rows, cols]`.
  Tensor(Index rows, Index cols) : rows_(rows), cols_(cols), buffer_(element_count(rows, cols)) {}
  static Tensor filled(Index rows, Index cols, float value) {
    Tensor t(rows, cols);
    t.buffer_.fill(value);
    return t;
  }
  static Tensor zeros(Index rows, Index cols) { return filled(rows, cols, 0.0F); }

  Index rows() const { return rows_; }
  Index cols() const { return cols_; }
  Index size() const { return rows_ * cols_; }
  bool empty() const { return size() == 0; }
  std::size_t bytes() const { return buffer_.bytes(); }

  float* data() { return buffer_.data(); }
  const float* data() const { return buffer_.data(); }
  float* row(Index r) { return buffer_.data() + r * cols_; }
  const float* row(Index r) const { return buffer_.data() + r * cols_; }
  float& operator()(Index r, Index c) { return buffer_[r * cols_ + c]; }
  float operator()(Index r, Index c) const { return buffer_[r * cols_ + c]; }

  MatrixMap map() { return {data(), rows_, cols_, Eigen::OuterStride<>(cols_)}; }
  ConstMatrixMap map() const { return {data(), rows_, cols_, Eigen::OuterStride<>(cols_)}; }
  /// A tensor goes wherever a read-only view is asked for.
  operator ConstMatrixMap() const { return map(); }
  void fill(float value) { buffer_.fill(value); }

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
