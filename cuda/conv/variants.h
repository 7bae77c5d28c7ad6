// The kernels of convolutions by how they work.
#pragma once
#include "cuda/conv/passes.h"
#include "cuda/gemm/tensor_cores.h"
#include "cuda/gemm/wgmma.h"

namespace ph::cuda {

// A pass as products of matrices, by the first tiles that fit, else by the last. Defined in implicit_gemm.h; each is
// made in one of the files cuda/conv/products_*.cu, so that these compile side by side.
template <Pass pass, class Stored, class... TilesInOrder>
struct ProductVariant {
  static void run(const KernelCall& call, const ConvAttrs& a);
  static size_t workspace(SpecSpan in, const ConvAttrs& a);
};

// A pass by wgmma whose operands TMA finds, by the first tiles that suit, else by the last. Defined in boxed.h, made in
// the files cuda/conv/boxed_*.cu.
template <Pass pass, class Stored, class... TilesInOrder>
struct BoxedVariant {
  static void run(const KernelCall& call, const ConvAttrs& a);
  static size_t workspace(SpecSpan in, const ConvAttrs& a);
};
using Boxed256 = WgmmaTile<256>;
using Boxed128 = WgmmaTile<128>;
using Boxed64 = WgmmaTile<64>;
using BoxedNarrow64 = WgmmaTile<64, 64>;  // of few channels, as many as 64 bytes hold
using BoxedNarrow32 = WgmmaTile<64, 32>;

// Few filters, or few channels for the gradient of x.
using FfmaNarrow = Tiles<Ffma<float, 128, 32, 16, 8, 4>, Ffma32::Loop>;
template <class Math>
using TensorNarrow = Tiles<TensorCores<Math, 128, 32, 32, 32, 4>, typename Tensor64<Math>::Loop>;

template <Pass pass, class... TilesInOrder>
using FfmaVariant = ProductVariant<pass, float, TilesInOrder...>;
template <Pass pass, class Math, template <class> class... TilesInOrder>
using TensorVariant = ProductVariant<pass, typename Math::Element, TilesInOrder<Math>...>;

// What follows is for float16, bfloat16 and float32.
template <class Body>
void with_fast_type(DType dtype, Body&& body) {
  if (dtype == DType::float16) return body(Float16());
  if (dtype == DType::bfloat16) return body(BFloat16());
  body(float());
}

// Groups of one channel.
template <Pass pass>
struct Depthwise {
  static void run(const KernelCall& call, const ConvAttrs& a);
  static const char* accepts(SpecSpan in, const ConvAttrs& a);
  static size_t workspace(SpecSpan in, const ConvAttrs& a);
};

// Images of few channels.
struct FirstLayer {
  static void run(const KernelCall& call, const ConvAttrs& a);
  static const char* accepts(SpecSpan in, const ConvAttrs& a);
};
struct FirstLayerGrad {  // of the kernel
  static void run(const KernelCall& call, const ConvAttrs& a);
  static const char* accepts(SpecSpan in, const ConvAttrs& a);
  static size_t workspace(SpecSpan in, const ConvAttrs& a);
};

}  // namespace ph::cuda
