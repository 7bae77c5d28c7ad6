// Softmax along one axis of x seen as (outer, n, inner), in the tensor's own type (float16 and bfloat16 in float32,
// rounded once). Rows (inner == 1) are taken by groups of threads (cuda/rows.h); otherwise a thread walks a column,
// neighbours beside each other.
#include <cmath>

#include "cuda/lines.h"
#include "cuda/rows.h"
#include "ops/softmax.h"

namespace ph::cuda {

namespace {

// y may be x.
template <bool logarithm, class S>
struct Softmax {
  using T = Compute<S>;
  const S* x;
  S* y;

  template <class Threads>
  __device__ void operator()(const Threads& threads, int64_t row) const {
    auto from = threads.load(x, row);
    if constexpr (Threads::held && !logarithm) {  // what is summed is kept
      T most = -static_cast<T>(INFINITY), total = 0;
      threads.each([&](auto at) { most = scalar::maximum(most, from[at]); });
      most = threads.reduce(most, TakeLarger());
      threads.each([&](auto at) { total += from.value[at.k] = scalar::exp(from[at] - most); });
      const T scale = 1 / threads.reduce(total, AddUp());
      threads.store(y, row, [&](auto at) { return from[at] * scale; });
    } else {
      T most, total;
      exponential_sum(threads, from, most, total);
      const T by = logarithm ? scalar::log(total) : 1 / total;
      threads.store(y, row, [&](auto at) {
        const T shifted = from[at] - most;
        return logarithm ? shifted - by : scalar::exp(shifted) * by;
      });
    }
  }
};

// dx may be dy.
template <class S>
struct SoftmaxGrad {
  using T = Compute<S>;
  const S *y, *dy;
  S* dx;

  template <class Threads>
  __device__ void operator()(const Threads& threads, int64_t row) const {
    const auto result = threads.load(y, row), slope = threads.load(dy, row);
    T total = 0;
    threads.each([&](auto at) { total += result[at] * slope[at]; });
    total = threads.reduce(total, AddUp());
    threads.store(dx, row, [&](auto at) { return result[at] * (slope[at] - total); });
  }
};

// A column has one thread; that is a row whose elements lie `inner` apart.
template <bool logarithm, class S>
__global__ void __launch_bounds__(walk_threads, 4)  // without the second figure nvcc spills
    softmax_columns_kernel(const S* x, S* y, const Lines lines) {
  using T = Compute<S>;
  const int64_t line = int64_t{blockIdx.x} * walk_threads + threadIdx.x;
  if (line >= lines.count()) return;
  const int64_t begin = lines.start(line), end = begin + lines.n * lines.inner;
  T most = load_as<T>(x[begin]), total = 0;
  for (int64_t i = begin + lines.inner; i < end; i += lines.inner) most = scalar::maximum(most, load_as<T>(x[i]));
  for (int64_t i = begin; i < end; i += lines.inner) total += scalar::exp(load_as<T>(x[i]) - most);
  const T by = logarithm ? scalar::log(total) : 1 / total;
  for (int64_t i = begin; i < end; i += lines.inner) {
    const T shifted = load_as<T>(x[i]) - most;
    y[i] = store_as<S>(logarithm ? shifted - by : scalar::exp(shifted) * by);
  }
}

template <class S>
__global__ void __launch_bounds__(walk_threads)
    softmax_grad_columns_kernel(const S* y, const S* dy, S* dx, const Lines lines) {
  using T = Compute<S>;
  const int64_t line = int64_t{blockIdx.x} * walk_threads + threadIdx.x;
  if (line >= lines.count()) return;
  const int64_t begin = lines.start(line), end = begin + lines.n * lines.inner;
  T total = 0;
  for (int64_t i = begin; i < end; i += lines.inner) total += load_as<T>(y[i]) * load_as<T>(dy[i]);
  for (int64_t i = begin; i < end; i += lines.inner) {
    dx[i] = store_as<S>(load_as<T>(y[i]) * (load_as<T>(dy[i]) - total));
  }
}

template <bool logarithm>
void softmax(const KernelCall& k, const SoftmaxAttrs& a) {
  const Lines lines = lines_along(k.in[0].shape, a.axis);
  if (k.in[0].size() == 0) return;
  with_float_type(k.in[0].dtype, [&](auto stored) {
    using S = decltype(stored);
    const S* x = k.in[0].as<S>();
    S* y = k.out[0].as<S>();
    if (lines.inner == 1) {
      return for_rows<S>(Softmax<logarithm, S>{x, y}, lines.outer, lines.n, is_aligned(x) && is_aligned(y));
    }
    PH_LAUNCH((softmax_columns_kernel<logarithm, S>), blocks_for(lines.count(), walk_threads), walk_threads, 0,
              device().stream, x, y, lines);
  });
}

void softmax_grad(const KernelCall& k, const SoftmaxAttrs& a) {
  const Lines lines = lines_along(k.in[0].shape, a.axis);
  if (k.in[0].size() == 0) return;
  with_float_type(k.in[0].dtype, [&](auto stored) {
    using S = decltype(stored);
    const S *y = k.in[0].as<S>(), *dy = k.in[1].as<S>();
    S* dx = k.out[0].as<S>();
    if (lines.inner == 1) {
      const bool aligned = is_aligned(y) && is_aligned(dy) && is_aligned(dx);
      return for_rows<S>(SoftmaxGrad<S>{y, dy, dx}, lines.outer, lines.n, aligned);
    }
    PH_LAUNCH(softmax_grad_columns_kernel<S>, blocks_for(lines.count(), walk_threads), walk_threads, 0, device().stream,
              y, dy, dx, lines);
  });
}

}  // namespace

PH_KERNELS(softmax, kernel<softmax<false>>("rows"));
PH_KERNELS(log_softmax, kernel<softmax<true>>("rows"));
PH_KERNELS(softmax_grad, kernel<softmax_grad>("rows"));

}  // namespace ph::cuda
