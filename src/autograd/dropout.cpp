#include "fixtune/autograd/dropout.h"

#include "dropout_mask.h"
#include "fixtune/core/parallel.h"

namespace fixtune {

namespace {

void apply(Tensor& y, const Tensor& x, const detail::DropoutMask& mask) {
  parallel_for(y.size(), 1 << 14, [&](Index begin, Index end) {
    detail::dropout_into(y.data() + begin, x.data() + begin, mask, static_cast<std::uint64_t>(begin), end - begin);
  });
}

}  // namespace

Variable dropout(Tape& tape, const Variable& x, float probability, const RandomStream& random) {
  const detail::DropoutMask mask = detail::dropout_mask(random, probability, "dropout");
  if (probability == 0.0F) return x;
  Tensor y(x.rows(), x.cols());
  apply(y, x.value(), mask);
  const bool records = tape.records(x);
  Variable output(std::move(y), records);
  if (records)
    tape.record([mask, x_gradient = x.gradient(), gradient = output.gradient()] {
      Tensor dy = gradient->take();
      if (dy.empty() || !x_gradient->required) return;
      apply(dy, dy, mask);
      x_gradient->accumulate(std::move(dy));
    });
  return output;
}

}  // namespace fixtune
