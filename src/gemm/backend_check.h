#pragma once

#include <functional>
#include <string>

#include "integer_kernel.h"

namespace fixtune::detail {

/// Holds `candidate` against the reference on operands that show a saturating pair sum, a sum rounded to FP32
/// and a wrong tail. Returns why it must not be used, or an empty string.
std::string check_backend(const std::function<void(const IntegerProduct&)>& candidate);

}  // namespace fixtune::detail
