#pragma once

// Before a loop over registers: an array of registers stays in registers only where every index is a constant.
#if defined(__clang__)
#define FIXTUNE_UNROLL _Pragma("clang loop unroll(full)")
#else
#define FIXTUNE_UNROLL _Pragma("GCC unroll 16")
#endif
