// Conversion between dtypes, as NumPy's astype: floats to integers cut towards zero, anything to bool is "is not zero".
#include "cuda/device.h"
#include "cuda/element.h"
#include "ops/cast.h"

namespace ph::cuda {

namespace {

constexpr int threads = 256, per_thread = 8;

// Through T, a type that holds all values of the source.
template <class T>
__global__ void cast_kernel(const void* x, DType from, void* y, DType to, int64_t n) {
  const int64_t first = int64_t{blockIdx.x} * threads * per_thread + threadIdx.x;
  PH_UNROLL
  for (int k = 0; k < per_thread; ++k) {
    const int64_t i = first + k * threads;
    if (i < n) store_element(y, to, i, load_element<T>(x, from, i));
  }
}

template <class T>
void cast_through(const View& x, const View& y) {
  PH_LAUNCH(cast_kernel<T>, blocks_for(x.size(), threads, per_thread), threads, 0, device().stream, x.data, x.dtype,
            y.data, y.dtype, x.size());
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

PH_KERNELS(cast, kernel<cast>("elements"));

}  // namespace ph::cuda
