// Softmax and its logarithm along one axis.
#pragma once
#include "core/apply.h"

namespace ph {

struct SoftmaxAttrs {
  int64_t axis = -1;
  PH_FIELDS(SoftmaxAttrs, axis)
};
Tensor softmax(const Tensor& x, const SoftmaxAttrs& attrs = {});
Tensor log_softmax(const Tensor& x, const SoftmaxAttrs& attrs = {});

// y * (dy - sum(y * dy)), y being softmax's result.
Tensor softmax_grad(const Tensor& y, const Tensor& dy, const SoftmaxAttrs& attrs);

}  // namespace ph
