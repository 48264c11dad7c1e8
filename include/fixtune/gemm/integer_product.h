#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "fixtune/core/aligned_buffer.h"
#include "fixtune/core/log.h"

namespace fixtune {

/// Whether an operand is stored as it is multiplied, or as its transpose.
enum class Transpose : bool { No = false, Yes = true };

/// INT8 matrix the caller owns; `stride` elements from row to row as stored.
struct Int8View {
  const std::int8_t* data = nullptr;  ///< the first code
  Index rows = 0;  ///< as stored
  Index cols = 0;  ///< as stored
  Index stride = 0;  ///< codes from row to row
};

/// Longest contraction whose s8 x s8 sum always fits int32: floor((2^31-1) / 127^2).
inline constexpr Index max_contraction_8x8 = 133144;

/// A way to compute integer products; every one gives the same integers.
enum class IntegerBackend : std::uint8_t {
  Reference,   ///< three loops; the specification
  OneDnn,      ///< oneDNN's INT8 product; exact on CPUs with VNNI
  Packed,      ///< own kernels over operands packed for the call; exact with and without VNNI
  OneDnnFp32,  ///< oneDNN's FP32 product over chunks short enough to be exact, for CPUs where INT8 saturates
};

/// `C[M,N] = op(A) op(B)`, exact: s8 x s8 summed in int32. `C` has row stride `ldc` and is overwritten.
/// Throws Error when shapes disagree or the contraction exceeds max_contraction_8x8.
void integer_product(IntegerBackend backend, const Int8View& a, Transpose transpose_a, const Int8View& b,
                     Transpose transpose_b, std::int32_t* c, Index ldc);

/// Same on the back end that integer_backend_for names.
void integer_product(const Int8View& a, Transpose transpose_a, const Int8View& b, Transpose transpose_b,
                     std::int32_t* c, Index ldc);

/// Back end in use: the fastest whose integers were right in a worst-case product tried once (a pair sum that
/// saturates, as on some CPUs without VNNI, shows there) and whose implementation is no reference kernel.
IntegerBackend active_integer_backend();
/// The back end of a product `C[m, n]` that contracts k: the one in use, unless on this kind of CPU another is faster
/// for such a shape.
IntegerBackend integer_backend_for(Index m, Index n, Index k);
std::string_view name(IntegerBackend backend);  ///< As integer_backend_report() writes it.
/// What the start-up check found: one line per back end tried (implementation name, chosen or why not).
std::vector<std::string> integer_backend_report();

/// `C[M,N] = A[M,K] B[N,K]^T` of b-bit codes up to 12 bits held in int16, exact, in int64.
/// Each operand is split into balanced digits of base 64 (q = q1*64 + q0, |digit| <= 32) and the products of
/// the digits run as INT8 tiles, joined in int64. Throws Error past 12 bits (|q| > 2047) or past
/// max_contraction_8x8.
void integer_product_12bit(const std::int16_t* a, const std::int16_t* b, Index m, Index n, Index k,
                           std::int64_t* c);

}  // namespace fixtune
