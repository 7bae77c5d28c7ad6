// Conversion between dtypes.
#pragma once
#include "core/apply.h"

namespace ph {

struct CastAttrs {
  DType dtype = DType::float32;
  PH_FIELDS(CastAttrs, dtype)
};
// Returns x itself where it has the dtype already.
Tensor cast(const Tensor& x, DType dtype);

}  // namespace ph
