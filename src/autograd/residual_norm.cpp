#include "fixtune/autograd/residual_norm.h"

#include <algorithm>

#include "dropout_mask.h"
#include "fixtune/core/parallel.h"
#include "lane_kernels.h"
#include "norm_blocks.h"
#include "norm_check.h"

namespace fixtune {

namespace {

struct Saved {
  detail::ResidualNorm norm;
  Index rows = 0;
  AlignedBuffer<float> normalised;
  AlignedBuffer<std::uint16_t> normalised_bf16;
  AlignedBuffer<float> inverse_deviation;
  std::shared_ptr<const Tensor> gamma;

  std::size_t bytes() const { return normalised.bytes() + normalised_bf16.bytes() + inverse_deviation.bytes(); }
};

struct Slots {
  std::shared_ptr<Gradient> x, h, gamma, beta;
};

void check_shapes(const Variable& x, const Variable& h, const Variable& gamma, const Variable& beta) {
  if (x.rows() != h.rows() || x.cols() != h.cols())
    fail("residual norm: x has shape [{}, {}], h [{}, {}]", x.rows(), x.cols(), h.rows(), h.cols());
  for (const Variable* p : {&gamma, &beta})
    if (p->rows() != 1 || p->cols() != x.cols())
      fail("residual norm of [{}, {}] needs gamma and beta of shape [1, {}], not [{}, {}]", x.rows(), x.cols(),
           x.cols(), p->rows(), p->cols());
}

// The gradients of x and h take dy's place where they can.
void backward(const Saved& saved, Tensor dy, const Slots& slots) {
  const Index cols = saved.norm.cols;
  const bool both = slots.x->required && slots.h->required;
  Tensor dh = both ? Tensor(dy.rows(), dy.cols()) : Tensor();
  detail::ResidualNormBackward b;
  b.dy = dy.data();
  b.normalised = saved.normalised.data();
  b.normalised_bf16 = saved.normalised_bf16.data();
  b.inverse_deviation = saved.inverse_deviation.data();
  b.dx = slots.x->required ? dy.data() : nullptr;
  b.dh = both ? dh.data() : (slots.h->required ? dy.data() : nullptr);
  detail::for_norm_blocks(saved.rows, cols, *slots.gamma, *slots.beta,
                          [&](Index first, Index rows, float* dgamma, float* dbeta) {
                            detail::ResidualNormBackward part = b;
                            part.dgamma = dgamma;
                            part.dbeta = dbeta;
                            detail::lane_kernels().residual_norm_backward(saved.norm, part, first, rows);
                          });
  if (slots.h->required) slots.h->accumulate(both ? std::move(dh) : std::move(dy));
  if (slots.x->required) slots.x->accumulate(std::move(dy));
}

}  // namespace

Variable residual_norm(Tape& tape, const Variable& x, const Variable& h, const Variable& gamma, const Variable& beta,
                       const ResidualNormOptions& options) {
  check_shapes(x, h, gamma, beta);
  const bool records = tape.records(x, h, gamma, beta);
  const Index size = x.value().size();
  Saved saved;
  saved.rows = x.rows();
  saved.gamma = gamma.shared_value();
  saved.norm = {x.cols(), gamma.value().data(), beta.value().data(), options.epsilon,
                detail::dropout_mask(options.random, options.dropout, "residual norm")};
  if (records) {
    if (options.kept == Kept::FP32)
      saved.normalised = AlignedBuffer<float>(size);
    else
      saved.normalised_bf16 = AlignedBuffer<std::uint16_t>(size);
  }
  saved.inverse_deviation = AlignedBuffer<float>(x.rows());
  Tensor y(x.rows(), x.cols());
  const detail::ResidualNormForward forward{x.value().data(),
                                            h.value().data(),
                                            y.data(),
                                            saved.normalised.data(),
                                            saved.normalised_bf16.data(),
                                            saved.inverse_deviation.data()};
  parallel_for(x.rows(), 16, [&](Index begin, Index end) {
    detail::lane_kernels().residual_norm_forward(saved.norm, forward, begin, end - begin);
  });
  detail::check_deviations(saved.inverse_deviation, gamma);
  Variable output(std::move(y), records);
  if (!records) return output;

  const std::size_t bytes = saved.bytes();
  tape.record(
      [saved = std::move(saved), slots = Slots{x.gradient(), h.gradient(), gamma.gradient(), beta.gradient()},
       gradient = output.gradient()] {
        Tensor dy = gradient->take();
        if (!dy.empty()) backward(saved, std::move(dy), slots);
      },
      {}, bytes);
  return output;
}

}  // namespace fixtune
