#include "fixtune/autograd/embedding.h"

#include <algorithm>
#include <vector>

#include "elementwise_kernels.h"
#include "fixtune/core/parallel.h"

namespace fixtune {

Variable embedding(Tape& tape, const Variable& table, std::span<const std::int32_t> ids, std::string_view name) {
  const Index vocabulary = table.rows();
  const Index hidden = table.cols();
  const auto count = static_cast<Index>(ids.size());
  for (std::size_t i = 0; i < ids.size(); ++i)
    if (ids[i] < 0 || ids[i] >= vocabulary)
      fail("{}: id {} at position {} is outside the table of {} rows", name, ids[i], i, vocabulary);

  Tensor y(count, hidden);
  parallel_for(count, 64, [&](Index begin, Index end) {
    for (Index i = begin; i < end; ++i)
      std::copy_n(table.value().row(ids[static_cast<std::size_t>(i)]), static_cast<std::size_t>(hidden), y.row(i));
  });
  const bool records = tape.records(table);
  Variable output(std::move(y), records);
  if (!records) return output;

  tape.record(
      [table_gradient = table.gradient(), gradient = output.gradient(),
       saved_ids = std::vector<std::int32_t>(ids.begin(), ids.end())] {
        const Tensor dy = gradient->take();
        if (dy.empty() || !table_gradient->required) return;
        Tensor& sum = table_gradient->materialise();
        // Each thread owns columns, so equal ids meet on one thread, in order. 16 floats are a cache line.
        constexpr Index line = 16;
        parallel_for((dy.cols() + line - 1) / line, 4, [&](Index begin, Index end) {
          const Index first = begin * line;
          const Index width = std::min(end * line, dy.cols()) - first;
          for (Index i = 0; i < dy.rows(); ++i)
            detail::add_to(sum.row(saved_ids[static_cast<std::size_t>(i)]) + first, dy.row(i) + first, width);
        });
      },
      {}, ids.size_bytes());
  return output;
}

}  // namespace fixtune
