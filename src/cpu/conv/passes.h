// What the kernels of a convolution's three passes share: its sizes, from a pass's inputs, and how work is cut.
#pragma once
#include "core/integers.h"
#include "core/kernel.h"
#include "ops/conv.h"

namespace ph::PH_LEVEL {
namespace {

PH_INLINE ConvGeometry forward_geometry(SpecSpan in, const ConvAttrs& a) {
  return conv_geometry(in[0].shape, in[1].shape, a);
}
PH_INLINE ConvGeometry input_grad_geometry(SpecSpan in, const ConvAttrs& a) {
  return conv_geometry(conv_input_shape(in[0].shape, in[1].shape, a), in[1].shape, a);
}
PH_INLINE ConvGeometry kernel_grad_geometry(SpecSpan in, const ConvAttrs& a) {
  return conv_geometry(in[0].shape, conv_kernel_shape(in[0].shape, in[1].shape, a), a);
}

// Bytes of an element of what a type is computed in.
PH_INLINE size_t compute_size(DType dtype) { return dtype == DType::float64 ? sizeof(double) : sizeof(float); }

// Tasks of about equal work.
PH_INLINE int64_t task_count(int64_t units) {
  constexpr int64_t most_tasks = 32;
  return least(units, most_tasks);
}

}  // namespace
}  // namespace ph::PH_LEVEL
