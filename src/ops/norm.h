// Normalization: batch (over all axes but one, in training) and layer (over the last axes).
#pragma once
#include "core/activation.h"
#include "core/apply.h"

namespace ph {

// batch_norm_train(x, gamma, beta) -> (y, mean, variance), the moments of x over all axes but `axis` (gamma, beta,
// mean, variance: (channels,)): y = gamma * (x - mean) / sqrt(variance + epsilon) + beta.
//
// batch_norm_grad(x, gamma, mean, variance, dy, y?) -> (dx, dgamma, dbeta); with y, the result of a ReLU that followed,
// dy counts only where y is positive. That and `activation` are set by the pass fuse_norm.
struct BatchNormAttrs {
  int64_t axis = -1;
  double epsilon = 1e-3;
  Activation activation = Activation::none;  // of batch_norm_train's y
  PH_FIELDS(BatchNormAttrs, axis, epsilon, activation)
};

// layer_norm(x, gamma, beta) -> (y, mean, rstd): each row of the last gamma.rank axes normalized on its own; rstd = 1 /
// sqrt(variance + epsilon). gamma and beta have the shape of those axes, mean and rstd that of the others.
// layer_norm_grad(x, gamma, mean, rstd, dy) -> (dx, dgamma, dbeta).
struct LayerNormAttrs {
  double epsilon = 1e-3;
  PH_FIELDS(LayerNormAttrs, epsilon)
};

}  // namespace ph
