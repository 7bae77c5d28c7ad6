// Reductions over axes.
#pragma once
#include "core/apply.h"

namespace ph {

struct ReduceAttrs {
  IntList axes;  // empty: all
  bool keepdims = false;
  PH_FIELDS(ReduceAttrs, axes, keepdims)
};
Tensor reduce_sum(const Tensor& x, const IntList& axes, bool keepdims = false);

}  // namespace ph
