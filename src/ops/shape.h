// Ops that move elements without changing them.
#pragma once
#include "core/apply.h"

namespace ph {

struct ReshapeAttrs {
  IntList shape;  // one entry may be -1: what is left
  PH_FIELDS(ReshapeAttrs, shape)
};
Tensor reshape(const Tensor& x, const Shape& shape);

struct TransposeAttrs {
  IntList axes;  // output axis i is input axis axes[i]; empty: all reversed
  PH_FIELDS(TransposeAttrs, axes)
};
Tensor transpose(const Tensor& x, const IntList& axes = {});

struct BroadcastAttrs {
  IntList shape;
  PH_FIELDS(BroadcastAttrs, shape)
};
Tensor broadcast_to(const Tensor& x, const Shape& shape);

// Element i along each axis is x's element begin + i * stride; strides may be negative. All lists have one entry per
// axis.
struct SliceAttrs {
  IntList begin, size, strides;
  PH_FIELDS(SliceAttrs, begin, size, strides)
};
Tensor slice(const Tensor& x, const SliceAttrs& attrs);

// The inverse: zeros of `shape` with x written where slice(begin, size, strides) reads.
struct SliceGradAttrs {
  IntList shape, begin, strides;
  PH_FIELDS(SliceGradAttrs, shape, begin, strides)
};

struct ConcatenateAttrs {
  int64_t axis = -1;
  PH_FIELDS(ConcatenateAttrs, axis)
};
Tensor concatenate(const Tensors& inputs, int64_t axis);

// The inverse: `parts` equal parts along an axis, each a result of its own.
struct SplitAttrs {
  int64_t parts = 1, axis = -1;
  PH_FIELDS(SplitAttrs, parts, axis)
};

// `low` and `high` elements of `value` before and after each axis.
struct PadAttrs {
  IntList low, high;
  double value = 0;
  PH_FIELDS(PadAttrs, low, high, value)
};

}  // namespace ph
