#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "fixtune/io/json.h"
#include "fixtune/quant/outlier_split.h"

namespace fixtune {

/// Sums what the linear layers' inputs held over many forwards, per input, in the order first seen.
class OutlierLog {
 public:
  /// Adds what one forward found; as a LinearObserver is told it.
  void add(std::string_view layer, const OutlierStatistics& statistics);
  /// One object per input: share of elements above gamma, mean outlier columns, largest value and step.
  Json to_json() const;

  /// The sums themselves, for a checkpoint.
  Json sums() const;
  /// A log that goes on from what sums() gave. Throws Error naming `where` for a document that sums() did not write.
  static OutlierLog from_sums(const Json& sums, std::string_view where);

 private:
  struct Sum {
    double elements = 0;
    double outliers = 0;
    double columns = 0;
    double forwards = 0;
    float largest = 0.0F;
    float step = 0.0F;
  };
  std::vector<std::pair<std::string, Sum>> layers_;
};

}  // namespace fixtune
