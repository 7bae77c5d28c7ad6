// Softmax along one axis of x seen as (outer, n, inner), in the tensor's own type (float32, float64; float16 and
// bfloat16 through float32). Rows (inner == 1)
// are taken by groups of threads (cuda/rows.h); otherwise a thread walks a column, neighbours beside each other.
#include <cmath>

#include "cuda/halves.h"
#include "cuda/lines.h"
#include "cuda/rows.h"
#include "ops/softmax.h"

namespace ph::cuda {

namespace {

// y may be x.
template <class T>
struct Softmax {
  const T* x;
  T* y;
  bool logarithm;

  template <class Threads>
  __device__ void operator()(const Threads& threads, int64_t row) const {
    const auto from = threads.load(x, row);
    T most, total;
    exponential_sum(threads, from, most, total);
    if (logarithm) {
      const T shift = scalar::log(total);
      threads.store(y, row, [&](auto at) { return (from[at] - most) - shift; });
    } else {
      const T scale = 1 / total;
      threads.store(y, row, [&](auto at) { return scalar::exp(from[at] - most) * scale; });
    }
  }
};

// dx may be dy.
template <class T>
struct SoftmaxGrad {
  const T *y, *dy;
  T* dx;

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
template <class T>
__global__ void __launch_bounds__(walk_threads, 4)  // without the second figure nvcc spills
    softmax_columns_kernel(const T* x, T* y, const Lines lines, bool logarithm) {
  const int64_t line = int64_t{blockIdx.x} * walk_threads + threadIdx.x;
  if (line >= lines.count()) return;
  const int64_t begin = lines.start(line), end = begin + lines.n * lines.inner;
  T most = x[begin], total = 0;
  for (int64_t i = begin + lines.inner; i < end; i += lines.inner) most = scalar::maximum(most, x[i]);
  for (int64_t i = begin; i < end; i += lines.inner) total += scalar::exp(x[i] - most);
  const T by = logarithm ? scalar::log(total) : 1 / total;
  for (int64_t i = begin; i < end; i += lines.inner) {
    const T shifted = x[i] - most;
    y[i] = logarithm ? shifted - by : scalar::exp(shifted) * by;
  }
}

template <class T>
__global__ void __launch_bounds__(walk_threads)
    softmax_grad_columns_kernel(const T* y, const T* dy, T* dx, const Lines lines) {
  const int64_t line = int64_t{blockIdx.x} * walk_threads + threadIdx.x;
  if (line >= lines.count()) return;
  const int64_t begin = lines.start(line), end = begin + lines.n * lines.inner;
  T total = 0;
  for (int64_t i = begin; i < end; i += lines.inner) total += y[i] * dy[i];
  for (int64_t i = begin; i < end; i += lines.inner) dx[i] = y[i] * (dy[i] - total);
}

template <bool logarithm, class T>
void softmax_typed(const KernelCall& k, const Lines& lines) {
  const T* x = k.in[0].as<T>();
  T* y = k.out[0].as<T>();
  if (lines.inner == 1) {
    return for_rows<T>(Softmax<T>{x, y, logarithm}, lines.outer, lines.n, is_aligned(x) && is_aligned(y));
  }
  PH_LAUNCH(softmax_columns_kernel<T>, blocks_for(lines.count(), walk_threads), walk_threads, 0, device().stream, x, y,
            lines, logarithm);
}

template <class T>
void softmax_grad_typed(const KernelCall& k, const Lines& lines) {
  const T *y = k.in[0].as<T>(), *dy = k.in[1].as<T>();
  T* dx = k.out[0].as<T>();
  if (lines.inner == 1) {
    const bool aligned = is_aligned(y) && is_aligned(dy) && is_aligned(dx);
    return for_rows<T>(SoftmaxGrad<T>{y, dy, dx}, lines.outer, lines.n, aligned);
  }
  PH_LAUNCH(softmax_grad_columns_kernel<T>, blocks_for(lines.count(), walk_threads), walk_threads, 0, device().stream,
            y, dy, dx, lines);
}

template <bool logarithm>
void softmax(const KernelCall& k, const SoftmaxAttrs& a) {
  const Lines lines = lines_along(k.in[0].shape, a.axis);
  if (k.in[0].size() == 0) return;
  k.in[0].dtype == DType::float32 ? softmax_typed<logarithm, float>(k, lines)
                                  : softmax_typed<logarithm, double>(k, lines);
}

void softmax_grad(const KernelCall& k, const SoftmaxAttrs& a) {
  const Lines lines = lines_along(k.in[0].shape, a.axis);
  if (k.in[0].size() == 0) return;
  k.in[0].dtype == DType::float32 ? softmax_grad_typed<float>(k, lines) : softmax_grad_typed<double>(k, lines);
}

size_t result_bytes(SpecSpan in, const SoftmaxAttrs&) { return copy_bytes(in[0].dtype, in[0].shape.size()); }

}  // namespace

#define PH_SOFTMAX(op, run) \
  PH_KERNELS(op, kernel<run, wide_float<SoftmaxAttrs>>("rows"), through_float<run, result_bytes>())
PH_SOFTMAX(softmax, softmax<false>);
PH_SOFTMAX(log_softmax, softmax<true>);
PH_SOFTMAX(softmax_grad, softmax_grad);
#undef PH_SOFTMAX

}  // namespace ph::cuda
