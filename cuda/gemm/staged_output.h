// From fragments to an output by way of shared memory: warps put their sums down as tensor cores leave them, then the
// threads take four neighbours each, so that whole rows are stored at once and the output's code is there once.
#pragma once
#include "cuda/vector.h"

namespace ph::cuda {

template <int rows, int columns>
struct StagedOutput {
  // Pairs of 4 rows by 4 lanes, which are written at once, fall on all banks.
  static constexpr int stride = columns + 8, bytes = rows * stride * 4;

  __host__ __device__ static constexpr int offset(int row, int column) { return row * stride + column; }

  // Two neighbouring sums.
  __device__ static void put(float* tile, int row, int column, float first, float second) {
    const float pair[2] = {first, second};
    store_shared_vector(tile + offset(row, column), pair);
  }

  // Thread `thread` of `threads`, after a barrier.
  template <int threads, class Output>
  __device__ static void store(const float* tile, const Output& out, int row, int column, int thread) {
    constexpr int across = columns / 4;
    for (int i = thread; i < rows * across; i += threads) {
      float sums[4];
      load_vector(sums, tile + offset(i / across, i % across * 4));
      out.store(row + i / across, column + i % across * 4, sums);
    }
  }
};

}  // namespace ph::cuda
