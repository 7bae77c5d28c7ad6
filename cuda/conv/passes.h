// What a pass's inputs and attributes say of its sizes.
#pragma once
#include "core/kernel.h"
#include "ops/conv.h"

namespace ph::cuda {

enum class Pass { forward, input_grad, kernel_grad };

inline ConvGeometry geometry_of(Pass pass, const Shape& first, const Shape& second, const ConvAttrs& a) {
  switch (pass) {
    case Pass::forward:
      return conv_geometry(first, second, a);
    case Pass::input_grad:
      return conv_geometry(conv_input_shape(first, second, a), second, a);
    default:
      return conv_geometry(first, conv_kernel_shape(first, second, a), a);
  }
}
inline ConvGeometry geometry_of(Pass pass, SpecSpan in, const ConvAttrs& a) {
  return geometry_of(pass, in[0].shape, in[1].shape, a);
}
inline ConvGeometry geometry_of(Pass pass, const KernelCall& call, const ConvAttrs& a) {
  return geometry_of(pass, call.in[0].shape, call.in[1].shape, a);
}

inline int64_t result_size(Pass pass, const ConvGeometry& g) {
  switch (pass) {
    case Pass::forward:
      return g.batch * g.pixels() * g.filters;
    case Pass::input_grad:
      return g.batch * g.rows.in * g.columns.in * g.channels;
    default:
      return g.depth() * g.filters;
  }
}

}  // namespace ph::cuda
