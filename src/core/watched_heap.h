#pragma once

/// Whether a sanitizer watches the heap: it must see every buffer freed, or it misses reads of freed ones.
namespace fixtune::detail {

#if defined(__SANITIZE_ADDRESS__)
inline constexpr bool heap_is_watched = true;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
inline constexpr bool heap_is_watched = true;
#else
inline constexpr bool heap_is_watched = false;
#endif
#else
inline constexpr bool heap_is_watched = false;
#endif

}  // namespace fixtune::detail
