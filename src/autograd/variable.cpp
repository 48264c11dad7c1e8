#include "fixtune/autograd/variable.h"

#include <algorithm>

#include "elementwise_kernels.h"
#include "fixtune/core/parallel.h"

namespace fixtune {

namespace {
constexpr Index elements_per_thread = 1 << 15;
}

void Gradient::accumulate(Tensor g) {
  if (g.rows() != rows || g.cols() != cols)
    fail("a gradient of shape [{}, {}] cannot be added to {} of shape [{}, {}]", g.rows(), g.cols(),
         name.empty() ? "a value" : name, rows, cols);
  touched_data_ = nullptr;
  if (value.empty()) {
    value = std::move(g);
    return;
  }
  parallel_for(g.size(), elements_per_thread, [&](Index begin, Index end) {
    detail::add_to(value.data() + begin, g.data() + begin, end - begin);
  });
}

Tensor& Gradient::materialise() {
  touched_data_ = nullptr;
  if (value.empty()) {
    value = Tensor(rows, cols);
    parallel_for(value.size(), elements_per_thread,
                 [&](Index begin, Index end) { std::fill(value.data() + begin, value.data() + end, 0.0F); });
  }
  return value;
}

Tensor& Gradient::materialise_rows(std::span<const std::int32_t> rows_added_to) {
  const bool none_yet = value.empty();
  if (!none_yet && touched_data_ != value.data()) return materialise();
  if (none_yet) {
    if (zeros_.empty())
      materialise();
    else
      value = std::move(zeros_);
    touched_.clear();
    touched_data_ = value.data();
  }
  touched_.insert(touched_.end(), rows_added_to.begin(), rows_added_to.end());
  return value;
}

void Gradient::clear() {
  if (!value.empty() && touched_data_ == value.data()) {
    for (const std::int32_t row : touched_) std::fill_n(value.row(row), cols, 0.0F);
    zeros_ = std::move(value);
  }
  value = Tensor();
  touched_.clear();
  touched_data_ = nullptr;
}

Tensor Gradient::take() {
  touched_data_ = nullptr;
  return std::exchange(value, Tensor());
}

Variable::Variable(Tensor value, bool requires_grad, std::string name)
    : value_(std::make_shared<Tensor>(std::move(value))), gradient_(std::make_shared<Gradient>()) {
  gradient_->rows = value_->rows();
  gradient_->cols = value_->cols();
  gradient_->required = requires_grad;
  gradient_->name = std::move(name);
}

}  // namespace fixtune
