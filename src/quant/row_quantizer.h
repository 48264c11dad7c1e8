#pragma once

#include <span>
#include <string_view>

#include "fixtune/core/random.h"
#include "fixtune/core/tensor.h"
#include "fixtune/quant/fixed_point_tensor.h"
#include "quant/row_kernels.h"

/// What quantising a whole tensor and splitting an activation share.
namespace fixtune {

/// Least number of rows of that width worth a thread.
Index row_grain(Index cols);

/// Throws Error where the format is not one of 2..16 bits.
void check_format(const Format& format, std::string_view name);

/// Throws Error that names the first row holding a NaN or an infinity, given the largest magnitude of each row.
void check_finite(ConstMatrixMap x, const row_kernels::MagnitudeBits* row_largest, std::string_view name);
/// Throws Error that names the first NaN or infinity of one row, where it holds one.
void check_finite(const float* x, Index cols, Index row, std::string_view name);

/// A tensor of that shape and format with room for its codes and one step per block.
FixedPointTensor allocate_codes(Index rows, Index cols, const Format& format);

/// Codes of one row by the step of `q` for it, and their sum where `q` has room for sums; element j uses random number
/// `row*cols + j`, or dither `j` from there on. `next`: see row_kernels::quantize_nearest.
void encode_row(const float* x, Index row, const RandomStream& random, FixedPointTensor& q,
                const float* next = nullptr);

/// Codes of a few elements of a row; the one of column c uses random number `first_of_row + c`, or dither
/// c from `first_of_row` on.
void encode_elements(std::span<const float> x, const std::int32_t* columns, float step, const Format& format,
                     const RandomStream& random, std::uint64_t first_of_row, std::int16_t* codes);

}  // namespace fixtune
