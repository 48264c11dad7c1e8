#include "fixtune/nn/pass.h"

#include <string>

namespace fixtune {

RandomStream Pass::dropout_stream(std::string_view name) const {
  return {random, tensor_id((std::string(name) + "/dropout").c_str())};
}

}  // namespace fixtune
