// Matrix products over the last two axes; leading axes broadcast.
#pragma once
#include "core/activation.h"
#include "core/apply.h"

namespace ph {

struct MatmulAttrs {
  bool transpose_a = false, transpose_b = false;
  Activation activation = Activation::none;  // set by fuse_epilogue only
  PH_FIELDS(MatmulAttrs, transpose_a, transpose_b, activation)
};
Tensor matmul(const Tensor& a, const Tensor& b, bool transpose_a = false, bool transpose_b = false);

}  // namespace ph
