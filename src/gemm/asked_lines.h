#pragma once

#include <cstdint>

#include "packed_kernel.h"

// For kernel files only: each keeps its own copy.

namespace fixtune::detail {
namespace {

/// The lines of PanelWork::ask, spread evenly over the places where a kernel asks: many at once would fill the buffers that
/// the product's own reads pass through.
class AskedLines {
 public:
  AskedLines(const PanelWork& w, std::int64_t places)
      : at_(static_cast<const char*>(w.ask)), lines_(places > 0 ? w.ask_lines : 0), places_(places) {}

  bool any() const { return lines_ > 0; }

  void next() {
    for (due_ += lines_; due_ >= places_; due_ -= places_, at_ += 64)
      __builtin_prefetch(at_, /*write=*/0, /*second level=*/2);
  }

 private:
  const char* at_;
  std::int64_t lines_, places_;
  std::int64_t due_ = 0;  ///< in parts of a line: `places` make one
};

}  // namespace
}  // namespace fixtune::detail
