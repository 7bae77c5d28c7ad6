// Depthwise convolutions of one filter a channel, straight over the channels: neighbouring channels are the lanes of a
// vector. float32 and float64; float16 and bfloat16 are brought to float32 and rounded once.
//
// All three passes walk along lines, pixels of one image that see, for a given tap, neighbouring places of the other:
//   forward:          a row of output pixels
//   gradient of x:    pixels of a row that lie a stride apart
//   kernel gradient:  a row of output pixels, along which each tap's products are summed; then rows are added up in
//                     slices whose number the shape decides, in order
// Pixels that have all taps are taken four at a time, those at the borders one by one with the taps they have.
#pragma once
#include "core/kernel.h"
#include "ops/conv.h"

namespace ph::PH_LEVEL {

// Why a depthwise kernel does not take a convolution; nullptr: it does.
const char* depthwise_accepts(SpecSpan in, const ConvAttrs& a);
const char* depthwise_input_grad_accepts(SpecSpan in, const ConvAttrs& a);
const char* depthwise_kernel_grad_accepts(SpecSpan in, const ConvAttrs& a);

size_t depthwise_kernel_grad_workspace(SpecSpan in, const ConvAttrs& a);

void depthwise_forward(const KernelCall& call, const ConvAttrs& a);
void depthwise_input_grad(const KernelCall& call, const ConvAttrs& a);
void depthwise_kernel_grad(const KernelCall& call, const ConvAttrs& a);

}  // namespace ph::PH_LEVEL
