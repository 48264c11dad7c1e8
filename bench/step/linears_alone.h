#pragma once

#include "fixtune/models/bert.h"

namespace fixtune::bench {

/// Seconds that all linear layers of the encoder take by themselves.
struct LinearTimes {
  double prepare = 0.0;   ///< quantising the weights
  double forward = 0.0;   ///< quantising X, products, bias
  double backward = 0.0;  ///< quantising dY, products, bias gradients
};

/// Calls each block's linear layers as the block does, one after the other on a tape of their own, with normal random
/// X and dY of that many tokens. Leaves the model as it was, its gradients dropped.
LinearTimes time_linears_alone(Bert& bert, Index tokens);

}  // namespace fixtune::bench
