#include "fixtune/linear/context.h"

namespace fixtune {

RandomStream LinearContext::stream(std::string_view tensor) const {
  WorkspaceString id(name);
  id.append(1, '/').append(tensor);
  return {random, tensor_id(id.c_str())};
}

WorkspaceString LinearContext::name_of(std::string_view tensor) const {
  WorkspaceString full(name);
  return full.append(1, '.').append(tensor);
}

}  // namespace fixtune
