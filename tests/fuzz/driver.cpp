// libFuzzer's entry point; built once per target, with its name in FIXTUNE_FUZZ_TARGET.
#include "targets.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fixtune::fuzz::FIXTUNE_FUZZ_TARGET({data, size});
  return 0;
}
