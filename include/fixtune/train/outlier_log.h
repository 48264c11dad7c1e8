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
  /// What one forward found in the input of a layer.
  void add(std::string_view layer, const OutlierStatistics& statistics);
  /// One object per input: share of elements above gamma, mean outlier columns, largest value and step.
  Json to_json() const;

  /// The sums themselves, for a checkpoint, and a log that goes on from them. Throws Error naming `where` for a
  /// document that sums() did not write.
  Json sums() const;
  static OutlierLog from_sums(const Json& sums, std::string_view where);  ///< A log that goes on from such sums.

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
