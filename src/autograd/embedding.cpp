#include "fixtune/autograd/embedding.h"

#include <algorithm>
#include <vector>

#include "elementwise_kernels.h"
#include "fixtune/core/parallel.h"

namespace fixtune {

namespace {

void check(const Lookup& lookup, const Lookup& first) {
  const Index vocabulary = lookup.table.rows();
  if (lookup.table.cols() != first.table.cols() || lookup.ids.size() != first.ids.size())
    fail("{}: {} ids into a table of {} columns, beside {} ids and {} columns", lookup.name, lookup.ids.size(),
         lookup.table.cols(), first.ids.size(), first.table.cols());
  for (std::size_t i = 0; i < lookup.ids.size(); ++i)
    if (lookup.ids[i] < 0 || lookup.ids[i] >= vocabulary)
      fail("{}: id {} at position {} is outside the table of {} rows", lookup.name, lookup.ids[i], i, vocabulary);
}

Tensor forward(std::span<const Lookup> lookups) {
  const auto count = static_cast<Index>(lookups[0].ids.size());
  const Index hidden = lookups[0].table.cols();
  Tensor y(count, hidden);
  parallel_for(count, 64, [&](Index begin, Index end) {
    for (Index i = begin; i < end; ++i)
      for (const Lookup& lookup : lookups) {
        const float* row = lookup.table.value().row(lookup.ids[static_cast<std::size_t>(i)]);
        if (&lookup == lookups.data())
          std::copy_n(row, hidden, y.row(i));
        else
          detail::add_to(y.row(i), row, hidden);
      }
  });
  return y;
}

struct SavedLookup {
  std::shared_ptr<Gradient> gradient;
  std::vector<std::int32_t> ids;
};

void backward(const std::vector<SavedLookup>& lookups, const Tensor& dy) {
  std::vector<Tensor*> sums;
  for (const SavedLookup& lookup : lookups)
    sums.push_back(lookup.gradient->required ? &lookup.gradient->materialise_rows(lookup.ids) : nullptr);
  // Each thread owns columns, so equal ids meet on one thread, in order. 16 floats are a cache line.
  constexpr Index line = 16;
  parallel_for((dy.cols() + line - 1) / line, 4, [&](Index begin, Index end) {
    const Index first = begin * line;
    const Index width = std::min(end * line, dy.cols()) - first;
    for (Index i = 0; i < dy.rows(); ++i)
      for (std::size_t t = 0; t < lookups.size(); ++t)
        if (sums[t] != nullptr)
          detail::add_to(sums[t]->row(lookups[t].ids[static_cast<std::size_t>(i)]) + first, dy.row(i) + first, width);
  });
}

}  // namespace

Variable embedding(Tape& tape, const Variable& table, std::span<const std::int32_t> ids, std::string_view name) {
  return embedding_sum(tape, {{table, ids, name}});
}

Variable embedding_sum(Tape& tape, std::initializer_list<Lookup> lookups) {
  if (lookups.size() == 0) fail("a sum of embeddings needs a table");
  bool records = false;
  for (const Lookup& lookup : lookups) {
    check(lookup, *lookups.begin());
    records = records || tape.records(lookup.table);
  }
  Variable output(forward({lookups.begin(), lookups.size()}), records);
  if (!records) return output;

  std::vector<SavedLookup> saved;
  std::size_t bytes = 0;
  for (const Lookup& lookup : lookups) {
    saved.push_back({lookup.table.gradient(), {lookup.ids.begin(), lookup.ids.end()}});
    bytes += lookup.ids.size_bytes();
  }
  tape.record(
      [saved = std::move(saved), gradient = output.gradient()] {
        const Tensor dy = gradient->take();
        if (!dy.empty()) backward(saved, dy);
      },
      {}, bytes);
  return output;
}

}  // namespace fixtune
