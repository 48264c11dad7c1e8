#include "fixtune/autograd/gelu.h"

#include "elementwise_kernels.h"
#include "fixtune/core/parallel.h"

namespace fixtune {

namespace {

using Kernel = void (*)(float*, const float*, std::int64_t);
struct Kernels {
  Kernel forward;
  Kernel backward;
};

Kernels kernels(Activation kind) {
  switch (kind) {
    case Activation::Gelu: return {detail::gelu_forward, detail::gelu_backward};
    case Activation::GeluTanh: return {detail::gelu_tanh_forward, detail::gelu_tanh_backward};
    case Activation::Relu: return {detail::relu_forward, detail::relu_backward};
  }
  fail("unknown activation {}", static_cast<int>(kind));
}

void run(Kernel kernel, Tensor& out, const Tensor& in) {
  parallel_for(out.size(), 1 << 13, [&](Index begin, Index end) {
    kernel(out.data() + begin, in.data() + begin, end - begin);
  });
}

// The backward kernel turns dy into dx in place, reading `kept`: the input or the output of the operation.
void record_backward(Tape& tape, const Variable& x, const Variable& y, const Variable& kept, Kernel backward) {
  tape.record(
      [kept_value = kept.shared_value(), backward, x_gradient = x.gradient(), gradient = y.gradient()] {
        Tensor dy = gradient->take();
        if (dy.empty() || !x_gradient->required) return;
        run(backward, dy, *kept_value);
        x_gradient->accumulate(std::move(dy));
      },
      {kept.shared_value()});
}

}  // namespace

Variable activation(Tape& tape, const Variable& x, Activation kind) {
  const Kernels chosen = kernels(kind);
  Tensor y(x.rows(), x.cols());
  run(chosen.forward, y, x.value());
  const bool records = tape.records(x);
  Variable output(std::move(y), records);
  if (records) record_backward(tape, x, output, x, chosen.backward);
  return output;
}

Variable tanh(Tape& tape, const Variable& x) {
  Tensor y(x.rows(), x.cols());
  run(detail::tanh_forward, y, x.value());
  const bool records = tape.records(x);
  Variable output(std::move(y), records);
  if (records) record_backward(tape, x, output, output, detail::tanh_backward);
  return output;
}

}  // namespace fixtune
