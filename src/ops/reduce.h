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
Tensor reduce_mean(const Tensor& x, const IntList& axes, bool keepdims = false);
Tensor reduce_max(const Tensor& x, const IntList& axes, bool keepdims = false);

struct ArgAttrs {
  int64_t axis = -1;
  bool keepdims = false;
  PH_FIELDS(ArgAttrs, axis, keepdims)
};

struct CumulativeAttrs {
  int64_t axis = -1;
  bool reverse = false;  // from the end
  PH_FIELDS(CumulativeAttrs, axis, reverse)
};

}  // namespace ph
