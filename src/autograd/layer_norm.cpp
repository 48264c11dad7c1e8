#include "fixtune/autograd/layer_norm.h"

#include <algorithm>

#include "elementwise_kernels.h"
#include "fixtune/core/parallel.h"
#include "row_kernels.h"

namespace fixtune {

namespace {

// Rows whose column sums are added up one after the other; the blocks' sums then follow in order.
constexpr Index block_rows = 64;

struct RowStatistics {
  AlignedBuffer<float> mean;
  AlignedBuffer<float> inverse_deviation;
};

// Sums row `which` of each block's pair of partial sums, in the order of the blocks.
Tensor sum_of_blocks(const Tensor& partial, Index which) {
  Tensor sum = Tensor::zeros(1, partial.cols());
  for (Index r = which; r < partial.rows(); r += 2) detail::add_to(sum.data(), partial.row(r), partial.cols());
  return sum;
}

void backward(const Tensor& dy, const Tensor& x, const Tensor& gamma_value, const RowStatistics& statistics,
              Gradient& dx_slot, Gradient& dgamma_slot, Gradient& dbeta_slot) {
  const Index rows = x.rows();
  const Index cols = x.cols();
  const Index blocks = (rows + block_rows - 1) / block_rows;
  Tensor dx = dx_slot.required ? Tensor(rows, cols) : Tensor();
  Tensor partial = Tensor::zeros(2 * blocks, cols);
  parallel_for(blocks, 1, [&](Index begin, Index end) {
    for (Index b = begin; b < end; ++b) {
      const Index first = b * block_rows;
      const Index count = std::min(block_rows, rows - first);
      detail::layer_norm_backward(dx_slot.required ? dx.row(first) : nullptr,
                                  dgamma_slot.required ? partial.row(2 * b) : nullptr,
                                  dbeta_slot.required ? partial.row(2 * b + 1) : nullptr, dy.row(first), x.row(first),
                                  statistics.mean.data() + first, statistics.inverse_deviation.data() + first,
                                  gamma_value.data(), count, cols);
    }
  });
  if (dx_slot.required) dx_slot.accumulate(std::move(dx));
  if (dgamma_slot.required) dgamma_slot.accumulate(sum_of_blocks(partial, 0));
  if (dbeta_slot.required) dbeta_slot.accumulate(sum_of_blocks(partial, 1));
}

}  // namespace

Variable layer_norm(Tape& tape, const Variable& x, const Variable& gamma, const Variable& beta, float epsilon) {
  const Index rows = x.rows();
  const Index cols = x.cols();
  if (gamma.rows() != 1 || beta.rows() != 1 || gamma.cols() != cols || beta.cols() != cols)
    fail("layer norm of [{}, {}] needs gamma and beta of shape [1, {}], not [{}, {}] and [{}, {}]", rows, cols, cols,
         gamma.rows(), gamma.cols(), beta.rows(), beta.cols());

  Tensor y(rows, cols);
  RowStatistics statistics{AlignedBuffer<float>(rows), AlignedBuffer<float>(rows)};
  parallel_for(rows, 32, [&](Index begin, Index end) {
    detail::layer_norm_forward(y.row(begin), statistics.mean.data() + begin,
                               statistics.inverse_deviation.data() + begin, x.value().row(begin),
                               gamma.value().data(), beta.value().data(), epsilon, end - begin, cols);
  });
  const bool records = tape.records(x, gamma, beta);
  Variable output(std::move(y), records);
  if (!records) return output;

  const std::size_t statistics_bytes = statistics.mean.bytes() + statistics.inverse_deviation.bytes();
  tape.record(
      [x_value = x.shared_value(), gamma_value = gamma.shared_value(), statistics = std::move(statistics),
       x_gradient = x.gradient(), gamma_gradient = gamma.gradient(), beta_gradient = beta.gradient(),
       gradient = output.gradient()] {
        const Tensor dy = gradient->take();
        if (!dy.empty())
          backward(dy, *x_value, *gamma_value, statistics, *x_gradient, *gamma_gradient, *beta_gradient);
      },
      {x.shared_value()}, statistics_bytes);
  return output;
}

}  // namespace fixtune
