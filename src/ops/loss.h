// Cross entropies over the last axis, each with its gradient as an op of its own.
#pragma once
#include "core/apply.h"

namespace ph {

// sparse_softmax_cross_entropy(logits, labels) -> (loss, log_sum): logits (..., classes), int32 or int64 labels (...);
// log_sum = log(sum(exp(logits))) is what the gradient starts from. A label outside [0, classes) is an IndexError on
// the CPU; where kernels cannot raise, its loss is NaN. Labels are never followed outside a row.
// softmax_cross_entropy(logits, targets): the same with targets shaped like logits: sum(targets * (log_sum - logits)).
// The gradients: (logits, labels or targets, log_sum, dloss) -> dlogits.

// sparse_cross_entropy(probabilities, labels) -> loss: -log of the label's share of its row, clipped to
// [epsilon, 1 - epsilon].
struct ProbabilityAttrs {
  double epsilon = 1e-7;
  PH_FIELDS(ProbabilityAttrs, epsilon)
};

}  // namespace ph
