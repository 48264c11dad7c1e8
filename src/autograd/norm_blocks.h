#pragma once

#include <algorithm>

#include "elementwise_kernels.h"
#include "fixtune/autograd/variable.h"
#include "fixtune/core/parallel.h"

namespace fixtune::detail {

/// Calls `body(first row, rows, dgamma, dbeta)` over fixed blocks of rows; each block adds its column sums to rows
/// of its own (null where not required), which then follow in order: same bits for any number of threads.
template <typename Body>
void for_norm_blocks(Index rows, Index cols, Gradient& dgamma, Gradient& dbeta, const Body& body) {
  constexpr Index block_rows = 64;
  const Index blocks = (rows + block_rows - 1) / block_rows;
  Tensor gamma_parts = dgamma.required ? Tensor(blocks, cols) : Tensor();
  Tensor beta_parts = dbeta.required ? Tensor(blocks, cols) : Tensor();
  parallel_for(blocks, 1, [&](Index begin, Index end) {
    for (Index b = begin; b < end; ++b) {
      for (Tensor* parts : {&gamma_parts, &beta_parts})
        if (!parts->empty()) std::fill_n(parts->row(b), cols, 0.0F);
      const Index first = b * block_rows;
      body(first, std::min(block_rows, rows - first), dgamma.required ? gamma_parts.row(b) : nullptr,
           dbeta.required ? beta_parts.row(b) : nullptr);
    }
  });
  const auto sum = [&](const Tensor& parts) {
    Tensor total = Tensor::zeros(1, cols);
    for (Index b = 0; b < blocks; ++b) add_to(total.data(), parts.row(b), cols);
    return total;
  };
  if (dgamma.required) dgamma.accumulate(sum(gamma_parts));
  if (dbeta.required) dbeta.accumulate(sum(beta_parts));
}

}  // namespace fixtune::detail
