// The tiles that products of matrices are cut into, for matmul and convolutions. Which ones a product gets, and into
// how many parts its depth is split, hangs on its shape only, so that results are the same on every device.
#pragma once
#include "core/integers.h"
#include "cuda/gemm/ffma.h"
#include "cuda/gemm/split.h"
#include "cuda/gemm/tensor_cores.h"

namespace ph::cuda {

// `batches` products of m x k by k x n.
struct ProductSizes {
  int64_t m, n, k, batches;

  int64_t tiles(int rows, int columns) const { return divide_up(m, rows) * divide_up(n, columns) * batches; }
};

// A main loop, and the one that stands in where rows cannot be read 16 bytes at a time.
template <class Loop_, class Ragged_ = Loop_>
struct Tiles {
  using Loop = Loop_;
  using Ragged = Ragged_;
};

// float32 in multiply-adds.
using Ffma64 = Tiles<Ffma<float, 64, 64, 16, 8, 4>>;
using Ffma128 = Tiles<Ffma<float, 128, 128, 8, 8, 8>, Ffma64::Loop>;
using Ffma32 = Tiles<Ffma<float, 32, 32, 16, 4, 4>>;

// On tensor cores.
template <class Math>
using Tensor64 = Tiles<TensorCores<Math, 64, 64, 32, 32, 4>>;
template <class Math>
using Tensor128 = Tiles<TensorCores<Math, 128, 128, 64, 32, 4>, typename Tensor64<Math>::Loop>;
// Warp tiles of 64 x 64 read less of shared memory for each product; the two parts of Tf32x3 leave no registers for
// them.
template <class Math>
using TensorLarge = std::conditional_t<std::is_same_v<Math, Tf32x3>, Tensor128<Math>,
                                       Tiles<TensorCores<Math, 128, 128, 64, 64, 4>, typename Tensor64<Math>::Loop>>;

template <class Loop>
SplitPlan split_for(const ProductSizes& s) {
  return plan_split(s.tiles(Loop::rows, Loop::columns), s.k, Loop::least_part, Loop::blocks);
}

// Whether the product has enough of these tiles to fill a device and they are not half empty. Its depth may be split,
// but large tiles of little depth are worse than small ones.
template <class Loop>
bool fits(const ProductSizes& s) {
  constexpr int64_t enough_blocks = 96;
  const int64_t least_part = most(Loop::least_part, Loop::rows * Loop::columns / 16);
  const int64_t tiles = s.tiles(Loop::rows, Loop::columns);
  const int parts = plan_split(tiles, s.k, least_part, Loop::blocks).parts;
  return s.m > Loop::rows / 2 && s.n > Loop::columns / 2 && tiles * parts >= enough_blocks;
}

// body(tiles) with the first that fit, else the last.
template <class First, class... Others, class Body>
auto with_fitting(const ProductSizes& s, Body&& body) {
  if constexpr (sizeof...(Others) > 0) {
    if (!fits<typename First::Loop>(s)) return with_fitting<Others...>(s, body);
  }
  return body(First());
}

}  // namespace ph::cuda
