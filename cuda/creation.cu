#include "cuda/device.h"
#include "cuda/element.h"
#include "ops/creation.h"

namespace ph::cuda {

namespace {

constexpr int threads = 256;

template <class S>
__global__ void fill_kernel(S* y, double value, int64_t n) {
  const S stored = store_as<S>(value);
  for (int64_t i = int64_t{blockIdx.x} * threads + threadIdx.x; i < n; i += int64_t{gridDim.x} * threads) y[i] = stored;
}

void full(const KernelCall& k, const FullAttrs& a) {
  const View& y = k.out[0];
  if (y.size() == 0) return;
  with_stored_type(y.dtype, [&](auto stored) {
    using S = decltype(stored);
    PH_LAUNCH(fill_kernel<S>, blocks_for(y.size(), threads, 8), threads, 0, device().stream, y.as<S>(), a.value,
              y.size());
  });
}

}  // namespace

PH_KERNELS(full, kernel<full>("fill"));

}  // namespace ph::cuda
