#include "fixtune/autograd/add.h"

#include "elementwise_kernels.h"
#include "fixtune/core/parallel.h"

namespace fixtune {

namespace {

constexpr Index elements_per_thread = 1 << 15;

void scale_to(Tensor& y, const Tensor& x, float factor) {
  parallel_for(y.size(), elements_per_thread, [&](Index begin, Index end) {
    detail::scale_into(y.data() + begin, x.data() + begin, factor, end - begin);
  });
}

}  // namespace

Variable add(Tape& tape, const Variable& a, const Variable& b) {
  if (a.rows() != b.rows() || a.cols() != b.cols())
    fail("cannot add [{}, {}] and [{}, {}]", a.rows(), a.cols(), b.rows(), b.cols());
  Tensor y(a.rows(), a.cols());
  parallel_for(y.size(), elements_per_thread, [&](Index begin, Index end) {
    detail::add_into(y.data() + begin, a.value().data() + begin, b.value().data() + begin, end - begin);
  });
  const bool records = tape.records(a, b);
  Variable output(std::move(y), records);
  if (records)
    tape.record([a_gradient = a.gradient(), b_gradient = b.gradient(), gradient = output.gradient()] {
      Tensor dy = gradient->take();
      if (dy.empty()) return;
      if (a_gradient->required && b_gradient->required) a_gradient->accumulate(Tensor(dy));
      (b_gradient->required ? b_gradient : a_gradient)->accumulate(std::move(dy));
    });
  return output;
}

Variable scale(Tape& tape, const Variable& x, float factor) {
  Tensor y(x.rows(), x.cols());
  scale_to(y, x.value(), factor);
  const bool records = tape.records(x);
  Variable output(std::move(y), records);
  if (records)
    tape.record([factor, x_gradient = x.gradient(), gradient = output.gradient()] {
      Tensor dy = gradient->take();
      if (dy.empty() || !x_gradient->required) return;
      scale_to(dy, dy, factor);
      x_gradient->accumulate(std::move(dy));
    });
  return output;
}

}  // namespace fixtune
