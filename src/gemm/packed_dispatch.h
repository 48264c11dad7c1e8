#pragma once

#include "packed_kernel.h"

namespace fixtune::detail {

/// The kernel that packed products run on.
PanelKernel active_panel_kernel();

}  // namespace fixtune::detail
