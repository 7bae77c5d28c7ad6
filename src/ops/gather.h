// Taking rows by index, and adding them back.
#pragma once
#include "core/apply.h"

namespace ph {

// take(x, indices): the slices of x along `axis` that `indices` (int32 or int64, any shape) name; negative ones count
// from the end. The result has the shape of indices in place of the axis.
struct TakeAttrs {
  int64_t axis = 0;
  PH_FIELDS(TakeAttrs, axis)
};
Tensor take(const Tensor& x, const Tensor& indices, int64_t axis);

// take_grad(dy, indices): zeros of `shape` with the slices of dy added where take reads; in order of the indices.
struct TakeGradAttrs {
  IntList shape;
  int64_t axis = 0;
  PH_FIELDS(TakeGradAttrs, shape, axis)
};
Tensor take_grad(const Tensor& dy, const Tensor& indices, const Shape& shape, int64_t axis);

// one_hot(indices): a last axis of `depth` with a one where the index says; no one for an index outside [0, depth).
struct OneHotAttrs {
  int64_t depth = 1;
  DType dtype = DType::float32;
  PH_FIELDS(OneHotAttrs, depth, dtype)
};

}  // namespace ph
