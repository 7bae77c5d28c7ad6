// Launches that bring elements from one dtype into another.
#pragma once
#include "core/kernel.h"
#include "cuda/device.h"
#include "cuda/vector.h"

namespace ph::cuda {

constexpr int conversion_threads = 256, conversion_width = 4;

// A vector at a time, through T, a type that holds all values of the source.
template <class T>
__global__ void __launch_bounds__(conversion_threads)
    convert_kernel(const void* x, DType from, void* y, DType to, int64_t n) {
  constexpr int width = conversion_width;
  const int64_t step = int64_t{gridDim.x} * conversion_threads * width;
  int64_t begin = (int64_t{blockIdx.x} * conversion_threads + threadIdx.x) * width;
  for (; begin + width <= n; begin += step) {
    T value[width];
    load_elements(value, x, from, begin);
    store_elements(y, to, begin, value);
  }
  PH_NO_UNROLL
  for (int64_t i = begin; i < n; ++i) store_element(y, to, i, load_element<T>(x, from, i));
}

template <class T>
void convert_through(const View& x, const View& y) {
  constexpr unsigned blocks_per_processor = 8;
  if (x.size() == 0) return;
  const unsigned wanted = blocks_for(x.size(), conversion_threads, conversion_width);
  const unsigned most = static_cast<unsigned>(device().processors) * blocks_per_processor;
  PH_LAUNCH(convert_kernel<T>, wanted < most ? wanted : most, conversion_threads, 0, device().stream, x.data, x.dtype,
            y.data, y.dtype, x.size());
}

}  // namespace ph::cuda
