#pragma once

#include <cstdint>

#if defined(__AVX512F__) || defined(__FMA__)
#include <immintrin.h>
#endif

#include "vector_math.h"

// Vectors of floats in the width of the instruction set that the including file is compiled for. Everything is
// inlined and lies in the namespace FIXTUNE_LANES_NAMESPACE, which that file names: copies never meet in the linker.
//
// Sums over a row always run in 16 lanes, `sum_lanes` of them side by side in 16 / width vectors, so that every
// instruction set adds in the same order.

namespace fixtune::detail::FIXTUNE_LANES_NAMESPACE {

#if defined(__AVX512F__)
constexpr int width = 16;
#elif defined(__AVX2__)
constexpr int width = 8;
#else
constexpr int width = 4;
#endif
constexpr int sum_lanes = 16;
constexpr int sum_vectors = sum_lanes / width;

using Vector = float __attribute__((vector_size(4 * width)));
using Bits = std::uint32_t __attribute__((vector_size(4 * width)));
using HalfBits = std::uint16_t __attribute__((vector_size(2 * width)));

FIXTUNE_ALWAYS_INLINE Vector splat(float x) { return x - Vector{}; }
FIXTUNE_ALWAYS_INLINE Bits splat_bits(std::uint32_t x) { return x + Bits{}; }

// Copies, not dereferenced pointers: Clang takes a vector type to be aligned whatever its attributes say.
template <typename V>
FIXTUNE_ALWAYS_INLINE V load_as(const void* p) {
  V x;
  __builtin_memcpy(&x, p, sizeof x);
  return x;
}
template <typename V>
FIXTUNE_ALWAYS_INLINE void store_as(void* p, V x) {
  __builtin_memcpy(p, &x, sizeof x);
}
FIXTUNE_ALWAYS_INLINE Vector load(const float* p) { return load_as<Vector>(p); }
FIXTUNE_ALWAYS_INLINE void store(float* p, Vector x) { store_as(p, x); }
FIXTUNE_ALWAYS_INLINE Bits load_bits(const std::uint32_t* p) { return load_as<Bits>(p); }

FIXTUNE_ALWAYS_INLINE Bits bits_of(Vector x) { return __builtin_bit_cast(Bits, x); }
FIXTUNE_ALWAYS_INLINE Vector value_of(Bits x) { return __builtin_bit_cast(Vector, x); }

/// The first `count` elements, zeros behind them.
FIXTUNE_ALWAYS_INLINE Vector load_part(const float* p, std::int64_t count) {
  if (count >= width) return load(p);
  float lane[width] = {};
  for (std::int64_t l = 0; l < count; ++l) lane[l] = p[l];
  return load(lane);
}
FIXTUNE_ALWAYS_INLINE void store_part(float* p, Vector x, std::int64_t count) {
  if (count >= width) return store(p, x);
  float lane[width];
  store(lane, x);
  for (std::int64_t l = 0; l < count; ++l) p[l] = lane[l];
}

/// a * b + c, rounded once where the CPU can.
FIXTUNE_ALWAYS_INLINE Vector multiply_add(Vector a, Vector b, Vector c) {
#if defined(__AVX512F__)
  return reinterpret_cast<Vector>(_mm512_fmadd_ps(reinterpret_cast<__m512>(a), reinterpret_cast<__m512>(b),
                                                  reinterpret_cast<__m512>(c)));
#elif defined(__AVX2__) && defined(__FMA__)
  return reinterpret_cast<Vector>(_mm256_fmadd_ps(reinterpret_cast<__m256>(a), reinterpret_cast<__m256>(b),
                                                  reinterpret_cast<__m256>(c)));
#else
  return a * b + c;
#endif
}

/// BF16 of x, nearest even, in the upper half of each lane; a NaN stays one.
FIXTUNE_ALWAYS_INLINE Bits rounded_to_bf16(Vector x) {
  const Bits bits = bits_of(x);
  const Bits rounded = bits + 0x7fffU + ((bits >> 16U) & 1U);
  return (x == x ? rounded : bits | 0x400000U) & 0xffff0000U;
}
FIXTUNE_ALWAYS_INLINE void store_bf16(std::uint16_t* p, Vector x) {
  store_as(p, __builtin_convertvector(rounded_to_bf16(x) >> 16U, HalfBits));
}
FIXTUNE_ALWAYS_INLINE Vector load_bf16(const std::uint16_t* p) {
  return value_of(__builtin_convertvector(load_as<HalfBits>(p), Bits) << 16U);
}
FIXTUNE_ALWAYS_INLINE Vector load_bf16_part(const std::uint16_t* p, std::int64_t count) {
  if (count >= width) return load_bf16(p);
  std::uint16_t lane[width] = {};
  for (std::int64_t l = 0; l < count; ++l) lane[l] = p[l];
  return load_bf16(lane);
}
FIXTUNE_ALWAYS_INLINE void store_bf16_part(std::uint16_t* p, Vector x, std::int64_t count) {
  if (count >= width) return store_bf16(p, x);
  std::uint16_t lane[width];
  store_bf16(lane, x);
  for (std::int64_t l = 0; l < count; ++l) p[l] = lane[l];
}

using Quad = float __attribute__((vector_size(16)));

FIXTUNE_ALWAYS_INLINE Quad load_quad(const float* p) { return load_as<Quad>(p); }
FIXTUNE_ALWAYS_INLINE void store_quad(float* p, Quad x) { store_as(p, x); }

/// The 16 lanes in a tree: lane l with l + 8, then l + 4, l + 2, l + 1. Written out, as a loop over the halves stays one.
template <typename Operation>
FIXTUNE_ALWAYS_INLINE float folded(const Vector (&part)[sum_vectors], Operation operation) {
  float lane[sum_lanes];
  for (int v = 0; v < sum_vectors; ++v) store(lane + v * width, part[v]);
  const Quad four = operation(operation(load_quad(lane), load_quad(lane + 8)),
                              operation(load_quad(lane + 4), load_quad(lane + 12)));
  const Quad two = operation(four, __builtin_shufflevector(four, four, 2, 3, 0, 1));
  return operation(two, __builtin_shufflevector(two, two, 1, 0, 3, 2))[0];
}

/// A sum in 16 lanes.
struct LaneSum {
  Vector part[sum_vectors] = {};
  FIXTUNE_ALWAYS_INLINE float total() const {
    return folded(part, [](Quad a, Quad b) __attribute__((always_inline)) { return a + b; });
  }
};

/// Calls body(first element, which of the sum's vectors, elements) over [0, n).
template <typename Body>
FIXTUNE_ALWAYS_INLINE void for_vectors(std::int64_t n, Body body) {
  std::int64_t i = 0;
  for (; i + sum_lanes <= n; i += sum_lanes)
#pragma GCC unroll 4
    for (int v = 0; v < sum_vectors; ++v) body(i + v * width, v, std::int64_t{width});
  for (int v = 0; i < n; i += width, ++v) body(i, v, n - i < width ? n - i : std::int64_t{width});
}

// A lambda is always_inline by hand: for_vectors' body is to be part of the loop.
#define FIXTUNE_BODY [&](std::int64_t i, [[maybe_unused]] int v, [[maybe_unused]] std::int64_t count) \
  __attribute__((always_inline))

/// 2^x of each lane for x in [-126, 127] to 2e-7 relative, exactly where x is whole; NaN stays NaN, other x give no
/// number of use. 2^r is the polynomial of degree 5 of least relative error on [-1/2, 1/2] (9.1e-8, reweighted least
/// squares).
FIXTUNE_ALWAYS_INLINE Vector power_of_two(Vector x) {
  const Vector round_shift = splat(0x1.8p23F);  // adding it leaves the nearest integer in the low mantissa bits
  const Vector shifted = x + round_shift;
  const Vector r = x - (shifted - round_shift);
  Vector p = multiply_add(r, splat(1.3264727e-3F), splat(9.671513e-3F));
  p = multiply_add(p, r, splat(5.5507336e-2F));
  p = multiply_add(p, r, splat(2.4022242e-1F));
  p = multiply_add(p, r, splat(6.93147e-1F));
  p = multiply_add(p, r, splat(1.0F));
  return value_of(bits_of(p) + (bits_of(shifted) << 23U));
}

/// mix32 of each lane.
FIXTUNE_ALWAYS_INLINE Bits mix(Bits x) {
  x ^= x >> 16U;
  x *= 0x7feb352dU;
  x ^= x >> 15U;
  x *= 0x846ca68bU;
  x ^= x >> 16U;
  return x;
}

FIXTUNE_ALWAYS_INLINE Bits lane_numbers() {
  Bits lanes;
  for (int l = 0; l < width; ++l) lanes[l] = static_cast<std::uint32_t>(l);
  return lanes;
}

/// `x` where `random >= threshold`, else 0.
FIXTUNE_ALWAYS_INLINE Vector kept_where(Bits random, std::uint32_t threshold, Vector x) {
  return random >= splat_bits(threshold) ? x : Vector{};
}

}  // namespace fixtune::detail::FIXTUNE_LANES_NAMESPACE
