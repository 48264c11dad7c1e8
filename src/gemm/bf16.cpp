#include "bf16.h"

#include "fixtune/core/multiversion.h"

namespace fixtune::detail {

FIXTUNE_MULTIVERSION
void convert_to_bf16(const float* in, std::uint16_t* out, std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) out[i] = bf16_bits(in[i]);
}

FIXTUNE_MULTIVERSION
void round_values_to_bf16(const float* in, float* out, std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) out[i] = bf16_value(bf16_bits(in[i]));
}

}  // namespace fixtune::detail
