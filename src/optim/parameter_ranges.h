#pragma once

#include <algorithm>
#include <span>
#include <vector>

#include "fixtune/core/parallel.h"
#include "fixtune/optim/parameter.h"

namespace fixtune::detail {

/// The elements (or blocks) of all parameters laid end to end, so that one parallel loop shares them evenly: most
/// parameters of a model are too small for a loop of their own.
class ParameterRanges {
 public:
  /// `count(parameter)` is what it has of them.
  template <typename Count>
  ParameterRanges(std::span<const Parameter> parameters, const Count& count) {
    starts_.reserve(parameters.size() + 1);
    starts_.push_back(0);
    for (const Parameter& p : parameters) starts_.push_back(starts_.back() + count(p));
  }
  Index total() const { return starts_.back(); }
  Index start(std::size_t parameter) const { return starts_[parameter]; }

  /// Calls body(parameter, begin, end), begin and end within it, so that together the calls cover everything.
  template <typename Body>
  void parallel(Index grain, const Body& body) const {
    parallel_for(total(), grain, [&](Index begin, Index end) {
      auto i = static_cast<std::size_t>(std::upper_bound(starts_.begin(), starts_.end(), begin) - starts_.begin()) - 1;
      for (; begin < end; ++i) {
        const Index stop = std::min(end, starts_[i + 1]);
        if (begin < stop) body(i, begin - starts_[i], stop - starts_[i]);
        begin = stop;
      }
    });
  }

 private:
  std::vector<Index> starts_;
};

}  // namespace fixtune::detail
