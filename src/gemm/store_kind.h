#pragma once

namespace fixtune::detail {

/// How a kernel stores what it finished: over what was there, the same past the caches, or added to it.
enum class Store { Over, PastCaches, Add };

}  // namespace fixtune::detail
