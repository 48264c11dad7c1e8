#pragma once

#include <string_view>

#include "fixtune/core/aligned_buffer.h"
#include "fixtune/core/random.h"
#include "fixtune/core/tensor.h"
#include "fixtune/quant/format.h"

namespace fixtune {

/// Dynamic fixed-point matrix: \f$ x_{rc} \approx s_r\, q_{rc} \f$ (the paper, section 3.1).
///
/// Codes are in `codes8` up to 8 bits and in `codes16` above; `[rows, cols]`, row-major, contiguous.
struct FixedPointTensor {
  Index rows = 0;  ///< of the matrix
  Index cols = 0;  ///< of the matrix
  Format format;  ///< of the codes
  AlignedBuffer<std::int8_t> codes8;  ///< up to 8 bits
  AlignedBuffer<std::int16_t> codes16;  ///< above 8 bits
  WorkspaceVector<float> steps;  ///< one, or one per row
  WorkspaceVector<std::int32_t> row_sums;  ///< sum of each row's INT8 codes, for who multiplies them; or empty

  float step(Index row) const { return steps[steps.size() == 1 ? 0 : static_cast<std::size_t>(row)]; }  ///< Of a row.
  /// Of an element, from whichever buffer holds it.
  std::int32_t code(Index r, Index c) const {
    return format.bits <= 8 ? codes8[r * cols + c] : codes16[r * cols + c];
  }
  /// Of codes, steps and sums.
  std::size_t bytes() const {
    return codes8.bytes() + codes16.bytes() + steps.size() * sizeof(float) + row_sums.size() * sizeof(std::int32_t);
  }
};

/// The step of a block whose largest magnitude is a: \f$ a / (2^{b-1}-1) \f$ (full range) or
/// \f$ 2^{\lfloor \log_2 a \rfloor - (b-2)} \f$ (power of two) for b bits; 1 when a == 0,
/// never below the smallest normal float.
float step_for(float a, int bits, StepKind kind);

/// Codes of x; element (r,c) uses random number r*cols+c of `random`.
/// \f[ q = \operatorname{clamp}\bigl(\operatorname{round}(x \cdot (1/s)),\, -(2^{b-1}-1),\, 2^{b-1}-1\bigr) \f]
/// Exact: dequantise returns x to s/2 (nearest) or s (stochastic); with a power-of-two step, values above
/// max_code*s are clamped and come back less than s away. The same codes for any number of threads.
/// Throws Error naming `name`, row and column on NaN or infinity.
FixedPointTensor quantize(ConstMatrixMap x, const Format& format, const RandomStream& random,
                          std::string_view name);

/// The same with one step over all, where x is known to be finite and its largest magnitude is known: x is read once.
/// Throws Error where `format` has a step per row.
FixedPointTensor quantize(ConstMatrixMap x, const Format& format, float largest, const RandomStream& random,
                          std::string_view name);

/// `x[r,c] = step(r) * q[r,c]`, rounded once to FP32.
Tensor dequantize(const FixedPointTensor& q);

/// Largest magnitude of n values; NaN or infinity gives NaN. Vectorised.
float max_magnitude(const float* x, Index n);

}  // namespace fixtune
