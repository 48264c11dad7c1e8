#include "linear/outlier_kernels.h"

#include "fixtune/core/multiversion.h"

namespace fixtune::outlier_kernels {

FIXTUNE_MULTIVERSION void add_scaled(const std::int64_t* __restrict sum, float row_step, float column_step,
                                     std::int64_t count, float* __restrict y) {
  for (std::int64_t i = 0; i < count; ++i) y[i] += (static_cast<float>(sum[i]) * row_step) * column_step;
}

}  // namespace fixtune::outlier_kernels
