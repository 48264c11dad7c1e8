#pragma once

#include <cstddef>

namespace fixtune::bench {

/// Memory this process holds now, in bytes (VmRSS); 0 where the system does not say.
std::size_t resident_bytes();
/// The most it has held since it was started (VmHWM). Unlike getrusage's, not inherited from the parent.
std::size_t peak_resident_bytes();

}  // namespace fixtune::bench
