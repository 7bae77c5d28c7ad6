// Reductions over the lanes of a warp and the threads of a block, in a fixed order.
#pragma once
#include "cuda/gpu.h"

namespace ph::cuda {

constexpr unsigned all_lanes = ~0u;

// combine() of all lanes' values, in every lane. combine must be commutative: lanes add up in different orders, and
// must all come to the same bits.
template <class T, class Combine>
__device__ __forceinline__ T warp_reduce(T value, Combine combine) {
  PH_UNROLL
  for (int distance = 16; distance > 0; distance /= 2) {
    value = combine(value, __shfl_xor_sync(all_lanes, value, distance));
  }
  return value;
}

// The same over a block of `threads` (a multiple of 32, at most 1024); ends with the result in every thread. All
// threads call it. May be called again at once.
template <int threads, class T, class Combine>
__device__ __forceinline__ T block_reduce(T value, Combine combine) {
  static_assert(threads % 32 == 0 && threads <= 1024);
  value = warp_reduce(value, combine);
  if constexpr (threads > 32) {
    PH_SHARED(T, of_warps, [threads / 32]);
    __syncthreads();  // the call before may still be read
    if (threadIdx.x % 32 == 0) of_warps[threadIdx.x / 32] = value;
    __syncthreads();
    value = of_warps[0];
    for (int warp = 1; warp < threads / 32; ++warp) value = combine(value, of_warps[warp]);
  }
  return value;
}

struct AddUp {
  template <class T>
  __device__ T operator()(T a, T b) const {
    return a + b;
  }
};

}  // namespace ph::cuda
