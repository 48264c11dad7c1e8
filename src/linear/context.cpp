#include "fixtune/linear/context.h"

#include <string>

namespace fixtune {

RandomStream LinearContext::stream(std::string_view tensor) const {
  std::string id(name);
  id.append(1, '/').append(tensor);
  return {random, tensor_id(id.c_str())};
}

}  // namespace fixtune
