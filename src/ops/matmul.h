#pragma once
#include "core/activation.h"
#include "core/apply.h"
namespace ph {
struct MatmulAttrs {
  bool transpose_a = false, transpose_b = false;
  Activation activation = Activation::none;
  PH_FIELDS(MatmulAttrs, transpose_a, transpose_b, activation)
};
}  // namespace ph
