// The kernels of convolutions by how they work.
#pragma once
#include "cuda/conv/passes.h"
#include "cuda/gemm/gathered_wgmma.h"

namespace ph::cuda {

// A pass as products of matrices, by the first tiles that fit, else by the last. Defined in implicit_gemm.h; each is
// made in one of the files cuda/conv/products_*.cu, so that these compile side by side.
template <Pass pass, class Stored, class... TilesInOrder>
struct ProductVariant {
  static void run(const KernelCall& call, const ConvAttrs& a);
  static size_t workspace(SpecSpan in, const ConvAttrs& a);
};

// A pass by wgmma whose operands TMA finds, by the first tiles so many columns wide that fit. Defined in boxed.h, made
// in the files cuda/conv/boxed_*.cu.
template <Pass pass, class Stored, int... columns>
struct BoxedVariant {
  static void run(const KernelCall& call, const ConvAttrs& a);
  static size_t workspace(SpecSpan in, const ConvAttrs& a);
};

// Few filters, or few channels for the gradient of x.
using FfmaNarrow = Tiles<Ffma<float, 128, 32, 16, 8, 4>, Ffma32::Loop>;
template <class Math>
using TensorNarrow = Tiles<TensorCores<Math, 128, 32, 32, 32, 4>, typename Tensor64<Math>::Loop>;

// On Hopper's tensor cores.
template <class Math>
using Wgmma256 = Tiles<GatheredWgmma<Math, 256>, typename Tensor64<Math>::Loop>;
template <class Math>
using Wgmma128 = Tiles<GatheredWgmma<Math, 128>, typename Tensor64<Math>::Loop>;
template <class Math>
using Wgmma64 = Tiles<GatheredWgmma<Math, 64>, typename Tensor64<Math>::Loop>;

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
