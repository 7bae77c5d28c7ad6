// Whole optimizer updates in one pass over memory; outputs may be written over the inputs they replace.
#pragma once
#include "core/apply.h"

namespace ph {

// variable - momentum' * rate / (sqrt(velocity') + epsilon) with
// momentum' = momentum + (gradient - momentum) (1 - beta_1), velocity' = velocity + (gradient^2 - velocity) (1 -
// beta_2); rate (rank 0) holds both bias corrections. Outputs variable, momentum', velocity'. Kingma and Ba, 2014.
struct AdamStepAttrs {
  double beta_1 = 0.9, beta_2 = 0.999, epsilon = 1e-7;
  PH_FIELDS(AdamStepAttrs, beta_1, beta_2, epsilon)
};

// variable - gradient * rate / sqrt(velocity' + epsilon) with velocity' = rho * velocity + (1 - rho) gradient^2.
// Outputs variable, velocity'. Tieleman and Hinton, 2012.
struct RmspropStepAttrs {
  double rho = 0.9, epsilon = 1e-7;
  PH_FIELDS(RmspropStepAttrs, rho, epsilon)
};

}  // namespace ph
