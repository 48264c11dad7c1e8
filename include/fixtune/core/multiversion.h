#pragma once

/// For what a multiversioned function calls: each copy compiles its own.
#define FIXTUNE_ALWAYS_INLINE inline __attribute__((always_inline))

/// Compiles a function once per instruction set and chooses at load time.
///
/// Such functions take pointers and sizes and call only inline functions of their own file: no Eigen, no standard
/// templates, whose one linked copy might be the one for the wider instruction set. Contraction is off, so every
/// copy computes the same bits.
#if defined(__x86_64__) && defined(__linux__) && !defined(FIXTUNE_NO_MULTIVERSION)
// By feature, not by the name of a CPU: a resolver that looks for Skylake passes every AMD by.
#if defined(__clang__)
#define FIXTUNE_MULTIVERSION __attribute__((target_clones("avx512bw", "avx2", "default")))
#define FIXTUNE_FOR_AVX512 __attribute__((target("avx512bw")))
#else
#define FIXTUNE_MULTIVERSION __attribute__((target_clones("arch=x86-64-v4", "avx2", "default")))
#define FIXTUNE_FOR_AVX512 __attribute__((target("arch=x86-64-v4")))
#endif
/// Beside a function of the same name FIXTUNE_FOR_AVX512, where a compiler does not find the instructions by itself.
#define FIXTUNE_FOR_ANY __attribute__((target("default")))
#else
#define FIXTUNE_MULTIVERSION
#define FIXTUNE_FOR_ANY
#endif
