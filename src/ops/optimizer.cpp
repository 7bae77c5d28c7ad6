#include "ops/optimizer.h"

namespace ph {

// The first `state` inputs (variable and slots) and the gradient are alike; the rate is a scalar. Gives the state's
// specs.
static Specs infer_step(SpecSpan in, int state, const char* op) {
  PH_CHECK_TYPE(in[0].dtype == DType::float32 || in[0].dtype == DType::float64, op, ": wants float32 or float64, got ",
                in[0]);
  for (int i = 1; i <= state; ++i) {
    PH_CHECK(in[i] == in[0], op, ": slots and gradient must be ", in[0], " as the variable, got ", in[i]);
  }
  const Spec& rate = in[state + 1];
  PH_CHECK(rate.shape.rank() == 0 && rate.dtype == in[0].dtype, op, ": rate must be ", Spec{Shape{}, in[0].dtype},
           ", got ", rate);
  return Specs(static_cast<size_t>(state), in[0]);
}

static Specs infer_adam(SpecSpan in, const AdamStepAttrs&) { return infer_step(in, 3, "adam_step"); }
PH_OP(adam_step, "variable, momentum, velocity, gradient, rate", AdamStepAttrs, infer_adam,
      no_gradient<"updates are not differentiated through">, .in_place = {0, 1, 2});

static Specs infer_rmsprop(SpecSpan in, const RmspropStepAttrs&) { return infer_step(in, 2, "rmsprop_step"); }
PH_OP(rmsprop_step, "variable, velocity, gradient, rate", RmspropStepAttrs, infer_rmsprop,
      no_gradient<"updates are not differentiated through">, .in_place = {0, 1});

}  // namespace ph
