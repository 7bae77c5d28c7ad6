// Sums of gradients of kernels that blocks made of parts of the images: (parts, results), added in a fixed order.
#pragma once
#include "cuda/device.h"
#include "cuda/element.h"

namespace ph::cuda {

constexpr int part_results = 32, part_slices = 32;

// A block has 32 results, whose parts its rows of threads take in turns.
template <class S>
__global__ void __launch_bounds__(part_results* part_slices)
    join_parts_kernel(const float* sums, int parts, int64_t results, S* y) {
  PH_SHARED(float, of_slices, [part_slices][part_results]);
  const int64_t at = int64_t{blockIdx.x} * part_results + threadIdx.x;
  float sum = 0;
  if (at < results) {
    for (int part = static_cast<int>(threadIdx.y); part < parts; part += part_slices) sum += sums[part * results + at];
  }
  of_slices[threadIdx.y][threadIdx.x] = sum;
  __syncthreads();
  if (threadIdx.y != 0 || at >= results) return;
  const int slices = parts < part_slices ? parts : part_slices;
  for (int slice = 1; slice < slices; ++slice) sum += of_slices[slice][threadIdx.x];
  y[at] = store_as<S>(sum);
}

template <class S>
void join_parts(const float* sums, int parts, int64_t results, S* y) {
  PH_LAUNCH(join_parts_kernel<S>, blocks_for(results, part_results), dim3(part_results, part_slices), 0,
            device().stream, sums, parts, results, y);
}

// What each thread of a block has for n neighbouring results, added over the rows of threads and stored: result i of
// `width * n` comes from threads i / n + y * width. All threads call it, with the same shared memory of threads * n.
template <int threads, int n, class Store>
__device__ __forceinline__ void add_rows_of_threads(float (&of_threads)[threads][n], const float (&own)[n], int thread,
                                                    int width, Store&& store) {
  PH_UNROLL
  for (int i = 0; i < n; ++i) of_threads[thread][i] = own[i];
  __syncthreads();
  const float* flat = of_threads[0];
  const int results = width * n;
  for (int i = thread; i < results; i += threads) {
    float sum = flat[i];
    for (int at = i + results; at < threads * n; at += results) sum += flat[at];
    store(i, sum);
  }
  __syncthreads();
}

}  // namespace ph::cuda
