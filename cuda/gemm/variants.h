// The kernels of matmul by how they multiply. Which tiles a product is cut into hangs on its shape only, so that
// results are the same on every device.
#pragma once
#include "core/integers.h"
#include "core/kernel.h"
#include "cuda/gemm/ffma.h"
#include "cuda/gemm/split.h"
#include "cuda/gemm/tensor_cores.h"
#include "ops/matmul.h"

namespace ph::cuda {

struct MatmulSizes {
  int64_t m, n, k, batches;

  int64_t tiles(int rows, int columns) const { return divide_up(m, rows) * divide_up(n, columns) * batches; }
};

MatmulSizes matmul_sizes(const Shape& a, const Shape& b, const MatmulAttrs& attrs);

// A main loop, and the one that stands in where rows cannot be read 16 bytes at a time.
template <class Loop_, class Ragged_ = Loop_>
struct Tiles {
  using Loop = Loop_;
  using Ragged = Ragged_;
};

// Multiplies Stored elements by the first tiles that fit, else by the last. Defined in run_variant.h; each is made in
// one of the files cuda/gemm/matmul_*.cu, so that these compile side by side.
template <class Stored, class Sum, class... TilesInOrder>
struct Variant {
  static void run(const KernelCall& call, const MatmulAttrs& attrs);
  static size_t workspace(SpecSpan in, const MatmulAttrs& attrs);
};

// float32 in multiply-adds.
using Ffma64 = Tiles<Ffma<float, 64, 64, 16, 8, 4>>;
using Ffma128 = Tiles<Ffma<float, 128, 128, 8, 8, 8>, Ffma64::Loop>;
using Ffma32 = Tiles<Ffma<float, 32, 32, 16, 4, 4>>;
using FfmaFitting = Variant<float, float, Ffma128, Ffma64, Ffma32>;
using FfmaOnly128 = Variant<float, float, Ffma128>;
using FfmaOnly64 = Variant<float, float, Ffma64>;
using FfmaOnly32 = Variant<float, float, Ffma32>;

using FfmaDouble = Variant<double, double, Tiles<Ffma<double, 32, 32, 8, 4, 4>>>;
using FfmaBFloat16 = Variant<BFloat16, float, Ffma64>;

// On tensor cores, tiles of 128 x 128 and 64 x 64.
template <class Math>
using Tensor64 = Tiles<TensorCores<Math, 64, 64, 32, 32, 4>>;
template <class Math>
using Tensor128 = Tiles<TensorCores<Math, 128, 128, 64, 32, 4>, typename Tensor64<Math>::Loop>;
template <class Math>
using TensorFitting = Variant<typename Math::Element, float, Tensor128<Math>, Tensor64<Math>>;
template <class Math>
using TensorOnly128 = Variant<typename Math::Element, float, Tensor128<Math>>;
template <class Math>
using TensorOnly64 = Variant<typename Math::Element, float, Tensor64<Math>>;

// On Hopper's tensor cores, 16-bit floats.
struct WgmmaVariant {
  static void run(const KernelCall& call, const MatmulAttrs& attrs);
  static size_t workspace(SpecSpan in, const MatmulAttrs& attrs);
};

}  // namespace ph::cuda
