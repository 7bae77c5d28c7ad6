// 3 x 3 convolutions without strides, by Winograd's minimal filtering (winograd_transforms.h), float32.
#pragma once
#include "core/kernel.h"
#include "ops/conv.h"

namespace ph::PH_LEVEL {

// F(4 x 4) is the faster one, F(2 x 2) the more exact one; it stands in where `matmul_precision` is highest.
// nullptr where it is expected to win over patches, else the reason.
template <int m>
const char* winograd_accepts(SpecSpan in, const ConvAttrs& a);
template <int m>
const char* winograd_input_grad_accepts(SpecSpan in, const ConvAttrs& a);
template <int m>
const char* winograd_kernel_grad_accepts(SpecSpan in, const ConvAttrs& a);

template <int m>
void winograd_forward(const KernelCall& call, const ConvAttrs& a);
template <int m>
void winograd_input_grad(const KernelCall& call, const ConvAttrs& a);
template <int m>
void winograd_kernel_grad(const KernelCall& call, const ConvAttrs& a);

template <int m>
size_t winograd_workspace(SpecSpan in, const ConvAttrs& a);
template <int m>
size_t winograd_input_grad_workspace(SpecSpan in, const ConvAttrs& a);
template <int m>
size_t winograd_kernel_grad_workspace(SpecSpan in, const ConvAttrs& a);

}  // namespace ph::PH_LEVEL
