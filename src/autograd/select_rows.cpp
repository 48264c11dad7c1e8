#include "fixtune/autograd/select_rows.h"

#include <algorithm>
#include <vector>

#include "elementwise_kernels.h"

namespace fixtune {

Variable select_rows(Tape& tape, const Variable& x, std::span<const Index> rows) {
  const Index cols = x.cols();
  Tensor y(static_cast<Index>(rows.size()), cols);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (rows[i] < 0 || rows[i] >= x.rows()) fail("row {} is outside a tensor of {} rows", rows[i], x.rows());
    std::copy_n(x.value().row(rows[i]), static_cast<std::size_t>(cols), y.row(static_cast<Index>(i)));
  }
  const bool records = tape.records(x);
  Variable output(std::move(y), records);
  if (!records) return output;

  tape.record(
      [saved_rows = std::vector<Index>(rows.begin(), rows.end()), x_gradient = x.gradient(),
       gradient = output.gradient()] {
        const Tensor dy = gradient->take();
        if (dy.empty() || !x_gradient->required) return;
        Tensor& dx = x_gradient->materialise();
        for (Index i = 0; i < dy.rows(); ++i)
          detail::add_to(dx.row(saved_rows[static_cast<std::size_t>(i)]), dy.row(i), dy.cols());
      },
      {}, rows.size_bytes());
  return output;
}

}  // namespace fixtune
