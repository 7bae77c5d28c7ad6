// What a pass's inputs and attributes say of its sizes.
#pragma once
#include "core/kernel.h"
#include "cuda/conv/gather.h"
#include "cuda/gemm/fitting.h"

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

// A pass as products: m pixels (of the largest class) or taps and channels, n channels of a group, for each group and
// class of pixels.
inline ProductSizes product_sizes(Pass pass, const ConvGeometry& g) {
  switch (pass) {
    case Pass::forward:
      return {g.batch * g.pixels(), g.group_filters(), g.depth(), g.groups};
    case Pass::input_grad: {
      const int64_t height = divide_up(g.rows.in, g.rows.stride), width = divide_up(g.columns.in, g.columns.stride);
      int64_t row_taps = 0, column_taps = 0;
      for (int i = 0; i < g.rows.stride; ++i) row_taps = most(row_taps, input_grad_axis(g.rows, i).taps);
      for (int i = 0; i < g.columns.stride; ++i) column_taps = most(column_taps, input_grad_axis(g.columns, i).taps);
      return {g.batch * height * width, g.group_channels(), row_taps * column_taps * g.group_filters(),
              g.groups * g.rows.stride * g.columns.stride};
    }
    default:
      return {g.depth(), g.group_filters(), g.batch * g.pixels(), g.groups};
  }
}

// Why a pass is refused as products; nullptr: it is not.
inline const char* refuse_product(Pass pass, const ConvGeometry& g) {
  if (const char* reason = pass == Pass::input_grad ? refuse_classes(g) : refuse_geometry(g)) return reason;
  if (g.depth() * g.filters > INT32_MAX) return "a kernel of more than 2^31 elements";
  return product_sizes(pass, g).batches > 65535 ? "too many groups for a grid" : nullptr;
}

}  // namespace ph::cuda
