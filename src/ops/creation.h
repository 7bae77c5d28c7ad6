// Tensors made from nothing.
#pragma once
#include "core/apply.h"

namespace ph {

struct FullAttrs {
  IntList shape;
  DType dtype = DType::float32;
  double value = 0;
  PH_FIELDS(FullAttrs, shape, dtype, value)
};
Tensor full(const Spec& spec, double value);
inline Tensor ones(const Spec& spec) { return full(spec, 1); }
inline Tensor zeros(const Spec& spec) { return full(spec, 0); }

}  // namespace ph
