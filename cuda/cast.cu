// Conversion between dtypes, as NumPy's astype: floats to integers cut towards zero, anything to bool is "is not zero".
#include "cuda/device.h"
#include "cuda/vector.h"
#include "ops/cast.h"

namespace ph::cuda {

namespace {

constexpr int threads = 256, width = 4;
constexpr unsigned blocks_per_processor = 8;

// A vector at a time, through T, a type that holds all values of the source.
template <class T>
__global__ void __launch_bounds__(threads) cast_kernel(const void* x, DType from, void* y, DType to, int64_t n) {
  const int64_t step = int64_t{gridDim.x} * threads * width;
  int64_t begin = (int64_t{blockIdx.x} * threads + threadIdx.x) * width;
  for (; begin + width <= n; begin += step) {
    T value[width];
    load_elements(value, x, from, begin);
    store_elements(y, to, begin, value);
  }
  PH_NO_UNROLL
  for (int64_t i = begin; i < n; ++i) store_element(y, to, i, load_element<T>(x, from, i));
}

template <class T>
void cast_through(const View& x, const View& y) {
  const unsigned wanted = blocks_for(x.size(), threads, width);
  const unsigned most = static_cast<unsigned>(device().processors) * blocks_per_processor;
  PH_LAUNCH(cast_kernel<T>, wanted < most ? wanted : most, threads, 0, device().stream, x.data, x.dtype, y.data,
            y.dtype, x.size());
}

void cast(const KernelCall& k, const CastAttrs&) {
  const View &x = k.in[0], &y = k.out[0];
  if (x.size() == 0) return;
  if (x.dtype == DType::float64) return cast_through<double>(x, y);
  if (is_float(x.dtype)) return cast_through<float>(x, y);
  if (x.dtype == DType::uint64) return cast_through<uint64_t>(x, y);
  cast_through<int64_t>(x, y);
}

}  // namespace

PH_KERNELS(cast, kernel<cast>("vectors"));

}  // namespace ph::cuda
