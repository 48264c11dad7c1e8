#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <type_traits>
#include <utility>

#include "fixtune/core/workspace.h"
#include "fixtune/core/error.h"

namespace fixtune {

/// Index and extent type of every tensor; signed, as in Eigen.
using Index = std::int64_t;

/// Owned array of a trivial type on a 64-byte boundary (one cache line, one AVX-512 register).
///
/// The elements are left uninitialised. Copies copy the elements; a moved-from buffer is empty.
template <typename T>
class AlignedBuffer {
  static_assert(std::is_trivially_copyable_v<T>);

 public:
  static constexpr std::size_t alignment = 64;  ///< of the first element, in bytes: a cache line

  AlignedBuffer() = default;
  /// Allocates `size` uninitialised elements. Throws Error if the size is negative or too large to address.
  explicit AlignedBuffer(Index size) : size_(size), capacity_(size) {
    if (size < 0 || size > std::numeric_limits<Index>::max() / static_cast<Index>(sizeof(T)))
      fail("cannot allocate {} elements of {} bytes", size, sizeof(T));
    if (size > 0)
      data_ = static_cast<T*>(take_buffer(static_cast<std::size_t>(size) * sizeof(T)));
  }
  /// Copies the elements into memory of its own.
  AlignedBuffer(const AlignedBuffer& other) : AlignedBuffer(other.size_) {
    std::copy_n(other.data_, static_cast<std::size_t>(size_), data_);
  }
  AlignedBuffer(AlignedBuffer&& other) noexcept { swap(other); }  ///< Leaves `other` empty.
  /// Takes a copy over.
  AlignedBuffer& operator=(AlignedBuffer other) noexcept {
    swap(other);
    return *this;
  }
  ~AlignedBuffer() { return_buffer(data_); }

  /// Exchanges memory and size.
  void swap(AlignedBuffer& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    std::swap(capacity_, other.capacity_);
  }
  /// Changes the size; keeps the storage when it is large enough, else the contents are lost.
  void resize_discarding(Index size) {
    if (size > capacity_)
      *this = AlignedBuffer(size);
    else
      size_ = size;
  }

  T* data() { return data_; }  ///< The first element; null before anything was allocated.
  const T* data() const { return data_; }  ///< The same, read only.
  Index size() const { return size_; }  ///< in elements
  std::size_t bytes() const { return static_cast<std::size_t>(size_) * sizeof(T); }  ///< of the elements
  T& operator[](Index i) { return data_[i]; }  ///< Unchecked.
  const T& operator[](Index i) const { return data_[i]; }  ///< Unchecked.
  T* begin() { return data_; }  ///< For range-based loops.
  T* end() { return data_ + size_; }  ///< One past the last.
  const T* begin() const { return data_; }  ///< For range-based loops.
  const T* end() const { return data_ + size_; }  ///< One past the last.
  void fill(T value) { std::fill(begin(), end(), value); }  ///< Sets every element.

 private:
  T* data_ = nullptr;
  Index size_ = 0;
  Index capacity_ = 0;
};

}  // namespace fixtune
