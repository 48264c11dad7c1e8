#include "fixtune/autograd/gelu.h"

#include "activation_kernels.h"
#include "fixtune/core/parallel.h"

namespace fixtune {

namespace {

constexpr Index elements_per_thread = 1 << 13;

// dx = dy * slope, in place of dy.
template <typename Slope>
void record_product(Tape& tape, const Variable& x, const Variable& y, AlignedBuffer<Slope> slope) {
  const std::size_t bytes = slope.bytes();
  tape.record(
      [slope = std::move(slope), x_gradient = x.gradient(), gradient = y.gradient()] {
        Tensor dy = gradient->take();
        if (dy.empty() || !x_gradient->required) return;
        parallel_for(dy.size(), elements_per_thread, [&](Index begin, Index end) {
          detail::multiply_by(dy.data() + begin, slope.data() + begin, end - begin);
        });
        x_gradient->accumulate(std::move(dy));
      },
      {}, bytes);
}

template <typename Slope, typename Kernel>
Variable recorded_activation(Tape& tape, const Variable& x, Kernel kernel) {
  Tensor y(x.rows(), x.cols());
  AlignedBuffer<Slope> slope(x.value().size());
  parallel_for(y.size(), elements_per_thread, [&](Index begin, Index end) {
    kernel(y.data() + begin, slope.data() + begin, x.value().data() + begin, end - begin);
  });
  Variable output(std::move(y), true);
  record_product(tape, x, output, std::move(slope));
  return output;
}

}  // namespace

Variable activation(Tape& tape, const Variable& x, Activation kind, Kept kept) {
  const detail::ActivationKernels chosen = detail::activation_kernels(kind);
  if (tape.records(x))
    return kept == Kept::FP32 ? recorded_activation<float>(tape, x, chosen.with_slope)
                              : recorded_activation<std::uint16_t>(tape, x, chosen.with_bf16_slope);
  Tensor y(x.rows(), x.cols());
  parallel_for(y.size(), elements_per_thread, [&](Index begin, Index end) {
    chosen.value(y.data() + begin, x.value().data() + begin, end - begin);
  });
  return Variable(std::move(y));
}

Variable tanh(Tape& tape, const Variable& x) {
  Tensor y(x.rows(), x.cols());
  parallel_for(y.size(), elements_per_thread, [&](Index begin, Index end) {
    detail::tanh_forward(y.data() + begin, x.value().data() + begin, end - begin);
  });
  const bool records = tape.records(x);
  Variable output(std::move(y), records);
  if (!records) return output;
  tape.record(
      [value = output.shared_value(), x_gradient = x.gradient(), gradient = output.gradient()] {
        Tensor dy = gradient->take();
        if (dy.empty() || !x_gradient->required) return;
        detail::tanh_backward(dy.data(), value->data(), dy.size());
        x_gradient->accumulate(std::move(dy));
      },
      {output.shared_value()});
  return output;
}

}  // namespace fixtune
