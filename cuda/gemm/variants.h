// The kernels of matmul by how they multiply.
#pragma once
#include "core/kernel.h"
#include "core/precision.h"
#include "cuda/gemm/fitting.h"
#include "ops/matmul.h"

namespace ph::cuda {

ProductSizes matmul_sizes(const Shape& a, const Shape& b, const MatmulAttrs& attrs);

// Multiplies Stored elements by the first tiles that fit, else by the last. Defined in run_variant.h; each is made in
// one of the files cuda/gemm/matmul_*.cu, so that these compile side by side.
template <class Stored, class Sum, class... TilesInOrder>
struct Variant {
  static void run(const KernelCall& call, const MatmulAttrs& attrs);
  static size_t workspace(SpecSpan in, const MatmulAttrs& attrs);
};

using FfmaFitting = Variant<float, float, Ffma128, Ffma64, Ffma32>;
using FfmaOnly128 = Variant<float, float, Ffma128>;
using FfmaOnly64 = Variant<float, float, Ffma64>;
using FfmaOnly32 = Variant<float, float, Ffma32>;

using FfmaDouble = Variant<double, double, Tiles<Ffma<double, 32, 32, 8, 4, 4>>>;
using FfmaBFloat16 = Variant<BFloat16, float, Ffma64>;

template <class Math>
using TensorFitting = Variant<typename Math::Element, float, TensorLarge<Math>, Tensor64<Math>>;
template <class Math>
using TensorOnly128 = Variant<typename Math::Element, float, TensorLarge<Math>>;
template <class Math>
using TensorOnly64 = Variant<typename Math::Element, float, Tensor64<Math>>;

// On Hopper's tensor cores, tiles of so many columns: the first that there are enough of, else the last. Of 16-bit
// floats, and of float32 rounded to TF32.
template <int... columns>
struct WgmmaVariant {
  static void run(const KernelCall& call, const MatmulAttrs& attrs);
  static size_t workspace(SpecSpan in, const MatmulAttrs& attrs);
};
template <int... columns>
struct WgmmaTf32Variant {
  static void run(const KernelCall& call, const MatmulAttrs& attrs);
  static size_t workspace(SpecSpan in, const MatmulAttrs& attrs);
};
using WgmmaTf32Fitting = WgmmaTf32Variant<256, 128, 64>;

// A way of matmul's, for kernels that multiply among other things.
struct MatmulWay {
  void (*run)(const KernelCall& call, const MatmulAttrs& attrs);
  size_t (*workspace)(SpecSpan in, const MatmulAttrs& attrs);
};
// The best way for these float32 or float64 matrices, in TF32 if `precision` lets it.
MatmulWay matmul_way(SpecSpan in, const MatmulAttrs& attrs, Precision precision);

}  // namespace ph::cuda
