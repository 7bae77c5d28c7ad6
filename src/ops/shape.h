#pragma once
#include "core/apply.h"
namespace ph {
struct ReshapeAttrs {
  IntList shape;
  PH_FIELDS(ReshapeAttrs, shape)
};
Tensor reshape(const Tensor& x, const Shape& shape);
struct TransposeAttrs {
  IntList axes;
  PH_FIELDS(TransposeAttrs, axes)
};
}  // namespace ph
