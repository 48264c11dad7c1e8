#pragma once

#include <cstdint>

/// Plain loops over rows of dY, compiled once per instruction set; every copy computes the same bits.
namespace fixtune::gradient_kernels {

/// One row of dY as three readers need it, in one pass.
struct RowPass {
  const float* dy = nullptr;
  std::int64_t count = 0;
  const float* next = nullptr;          ///< as many values to have in cache soon; null: none
  const float* column_scale = nullptr;  ///< folded into the row's codes; null: none
  float row_scale = 1.0F;               ///< folded into the columns' codes
  float* scaled = nullptr;              ///< out: dy[n]*column_scale[n]; null: not wanted
  std::int32_t* column_largest = nullptr;  ///< bits of max |dy[n]*row_scale| so far, by column; null: not wanted
  float* column_sum = nullptr;             ///< += dy[n]; null: not wanted
};

/// Runs it; returns the bits of the row's largest magnitude, scaled by column where that is wanted.
std::int32_t read_row(const RowPass& pass);

/// Four rows of dY and the columns of one panel.
struct GroupPass {
  const float* rows[4] = {};
  float row_scale[4] = {1.0F, 1.0F, 1.0F, 1.0F};
  const float* inverse = nullptr;  ///< 1/step by column
  std::int64_t columns = 0;
  float limit = 127.0F;
  std::uint8_t* out = nullptr;  ///< `[column][4]`, code plus 128
  bool stream = false;          ///< whole groups past the caches; `out` is then aligned to 16 bytes
};
/// Random numbers of a group: column n of row t uses the one at first[t] + n, which wraps.
struct GroupNumbers {
  std::uint32_t low = 0, high[4] = {}, first[4] = {};
};
/// Dither of a group: row t of column n is t golden sections on from start[n] + turn.
struct GroupDither {
  const std::uint32_t* start = nullptr;
  std::uint32_t turn = 0;
};
void encode_nearest(const GroupPass& pass);
void encode_stochastic(const GroupPass& pass, const GroupNumbers& numbers);
void encode_dithered(const GroupPass& pass, const GroupDither& dither);

/// into[i] = max(into[i], other[i])
void join_largest(std::int32_t* into, const std::int32_t* other, std::int64_t count);
/// into[i] += other[i]
void add(float* into, const float* other, std::int64_t count);

}  // namespace fixtune::gradient_kernels
