#include "fixtune/autograd/activated_linear.h"

#include <utility>

#include "activation_kernels.h"
#include "fixtune/core/parallel.h"
#include "linear_group.h"

namespace fixtune {
namespace {

using detail::SavedGroup;

constexpr Index elements_per_thread = 1 << 13;

template <typename Kernel>
LinearInput quantised(const Variable& x, Kernel&& kernel, const Recipe& recipe, const LinearContext& context) {
  const Tensor& values = x.value();
  const RowProducer producer = [&](Index begin, Index end, float* rows) {
    kernel(rows, begin * values.cols(), values.row(begin), (end - begin) * values.cols());
  };
  return quantize_input(values.rows(), values.cols(), producer, recipe, context);
}

/// dX = dH * slope, where dH is the gradient of f(X).
template <typename Slope>
void backward(const SavedGroup& group, const AlignedBuffer<Slope>& slope, Gradient& x, const LinearContext& context) {
  if (group.layers[0].dy->value.empty()) return;
  if (!x.required) return detail::backward_group(group, {}, context);
  Tensor dh(x.rows, x.cols);
  detail::backward_group(group, {dh.data(), dh.cols(), false}, context);
  parallel_for(dh.size(), elements_per_thread, [&](Index begin, Index end) {
    detail::multiply_by(dh.data() + begin, slope.data() + begin, end - begin);
  });
  x.accumulate(std::move(dh));
}

template <typename Slope, typename Kernel>
Variable recorded(Tape& tape, const Variable& x, Kernel kernel, const LinearOperand& layer,
                  const LinearContext& context) {
  AlignedBuffer<Slope> slope(x.value().size());
  const auto with_slope = [&](float* y, Index first, const float* from, Index count) {
    kernel(y, slope.data() + first, from, count);
  };
  SavedGroup group{quantised(x, with_slope, layer.prepared->recipe, context), {}};
  Variable y = detail::forward(group.input, layer, true, context);
  group.layers.emplace_back(layer, y);
  group.input.forward_is_done();
  const std::size_t bytes = group.input.saved_bytes() + slope.bytes();
  tape.record(
      [group = std::move(group), slope = std::move(slope), dx = x.gradient(), random = context.random] {
        LinearContext own;
        own.random = random;
        backward(group, slope, *dx, own);
      },
      {}, bytes);
  return y;
}

}  // namespace

Variable activated_linear(Tape& tape, const Variable& x, Activation kind, Kept kept, const LinearOperand& layer,
                          const LinearContext& context) {
  const std::span<const LinearOperand> only(&layer, 1);
  if (!quantises_by_row(layer.prepared->recipe)) return linear(tape, activation(tape, x, kind, kept), only, context)[0];
  const detail::ActivationKernels kernels = detail::activation_kernels(kind);
  LinearContext own = context;
  own.save = tape.recording() && detail::requires_grad(x, only);
  if (own.save)
    return kept == Kept::FP32 ? recorded<float>(tape, x, kernels.with_slope, layer, own)
                              : recorded<std::uint16_t>(tape, x, kernels.with_bf16_slope, layer, own);
  const auto value = [&](float* y, Index, const float* from, Index count) { kernels.value(y, from, count); };
  const LinearInput input = quantised(x, value, layer.prepared->recipe, own);
  return detail::forward(input, layer, false, own);
}

}  // namespace fixtune
