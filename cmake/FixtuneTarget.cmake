# What every target of the project is compiled with.
#
# -ffp-contract=off: a fused multiply-add rounds once where the formula rounds twice, so that instruction sets
# with and without it would give other codes.
function(fixtune_configure target)
  target_compile_features(${target} PUBLIC cxx_std_20)
  set_target_properties(${target} PROPERTIES CXX_EXTENSIONS OFF)
  target_compile_options(${target} PRIVATE -Wall -Wextra -Wconversion -Wshadow -Wnon-virtual-dtor -ffp-contract=off
    $<$<BOOL:${FIXTUNE_WARNINGS_AS_ERRORS}>:-Werror>
    $<$<AND:$<CXX_COMPILER_ID:GNU>,$<CONFIG:Release,RelWithDebInfo>>:-O3>
    # GCC 12's flow analysis trips over Eigen 3.4's templates and over its own std::string.
    $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized -Wno-array-bounds -Wno-restrict>)
  if(FIXTUNE_SANITIZE)
    target_compile_options(${target} PRIVATE -fsanitize=${FIXTUNE_SANITIZE} -fno-omit-frame-pointer
      -fno-sanitize-recover=all
      # Instrumented loops are not vectorised, which Clang would report where vectorising was asked for.
      $<$<CXX_COMPILER_ID:Clang>:-Wno-pass-failed>)
    target_link_options(${target} PRIVATE -fsanitize=${FIXTUNE_SANITIZE})
    # The resolvers of multiversioned functions run before a sanitizer is ready.
    target_compile_definitions(${target} PRIVATE FIXTUNE_NO_MULTIVERSION)
  endif()
  if(FIXTUNE_BUILD_FUZZERS)
    target_compile_options(${target} PRIVATE -fsanitize=fuzzer-no-link)
    target_link_options(${target} PRIVATE -fsanitize=fuzzer-no-link)
  endif()
endfunction()
