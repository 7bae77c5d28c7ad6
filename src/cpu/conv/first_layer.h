// Convolutions of few channels (an image's one to four), float32 and float64, straight from the image: six neighbouring
// output pixels and a panel of filters stay in registers while the taps are walked. What a tap sees lies a fixed offset
// from where the pixel's window begins, so no patches are made; borders are zeros in a copy of the image rows at hand.
#pragma once
#include "core/kernel.h"
#include "ops/conv.h"

namespace ph::PH_LEVEL {

const char* first_layer_accepts(SpecSpan in, const ConvAttrs& a);
const char* first_layer_kernel_grad_accepts(SpecSpan in, const ConvAttrs& a);

size_t first_layer_workspace(SpecSpan in, const ConvAttrs& a);
size_t first_layer_kernel_grad_workspace(SpecSpan in, const ConvAttrs& a);

void first_layer_forward(const KernelCall& call, const ConvAttrs& a);
void first_layer_kernel_grad(const KernelCall& call, const ConvAttrs& a);

}  // namespace ph::PH_LEVEL
