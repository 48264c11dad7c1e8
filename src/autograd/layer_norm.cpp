#include "fixtune/autograd/layer_norm.h"

#include "fixtune/core/parallel.h"
#include "norm_blocks.h"
#include "norm_check.h"
#include "row_kernels.h"

namespace fixtune {

namespace {

struct RowStatistics {
  AlignedBuffer<float> mean;
  AlignedBuffer<float> inverse_deviation;
};

void backward(const Tensor& dy, const Tensor& x, const Tensor& gamma_value, const RowStatistics& statistics,
              Gradient& dx_slot, Gradient& dgamma_slot, Gradient& dbeta_slot) {
  const Index cols = x.cols();
  Tensor dx = dx_slot.required ? Tensor(x.rows(), cols) : Tensor();
  detail::for_norm_blocks(x.rows(), cols, dgamma_slot, dbeta_slot,
                          [&](Index first, Index rows, float* dgamma, float* dbeta) {
                            detail::layer_norm_backward(dx_slot.required ? dx.row(first) : nullptr, dgamma, dbeta,
                                                        dy.row(first), x.row(first), statistics.mean.data() + first,
                                                        statistics.inverse_deviation.data() + first,
                                                        gamma_value.data(), rows, cols);
                          });
  if (dx_slot.required) dx_slot.accumulate(std::move(dx));
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
  detail::check_deviations(statistics.inverse_deviation, gamma);
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
