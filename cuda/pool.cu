// Pooling, channels innermost: a thread has one pixel of the result and up to 16 bytes of neighbouring channels.
// Backward too each element of the result is one thread's, which adds what windows give it in the order of the windows:
// no atomics, and the CPU's bits. Padding takes no part.
// float16 and bfloat16 go through float32.
#include <cmath>
#include <limits>

#include "core/integers.h"
#include "cuda/device.h"
#include "cuda/divide.h"
#include "cuda/halves.h"
#include "ops/pool.h"

namespace ph::cuda {

namespace {

constexpr int threads = 256;
constexpr int grad_blocks = 2;  // at once on a processor: what registers are dealt out for, without spills

struct Axis {
  int64_t in, out, size, stride, before;
  Divider by_stride;

  explicit Axis(const Window& w)
      : in(w.in), out(w.out), size(w.size), stride(w.stride), before(w.before), by_stride(w.stride) {}
  __device__ __forceinline__ int64_t begin(int64_t window) const { return window * stride - before; }
  __device__ __forceinline__ int64_t taps_inside(int64_t window) const {
    return least(begin(window) + size, in) - most(begin(window), 0);
  }
  // Windows [first_window, last_window] see input position `at`.
  __device__ __forceinline__ int64_t first_window(int64_t at) const {
    const int64_t reach = at + before - size;
    return reach < 0 ? 0 : by_stride.divide(reach) + 1;
  }
  __device__ __forceinline__ int64_t last_window(int64_t at) const {
    return least(by_stride.divide(at + before), out - 1);
  }
};

// Threads are numbered by (image, row, column, vector of channels), rows and columns those of windows or of the input.
struct Pool {
  Axis rows, columns;
  Divider vectors, column_count, row_count;
  int64_t n;
};

Pool pool_over(const PoolGeometry& g, bool input, int width) {
  const int64_t vectors = g.channels / width;
  const int64_t rows = input ? g.rows.in : g.rows.out, columns = input ? g.columns.in : g.columns.out;
  return {Axis(g.rows),     Axis(g.columns), Divider(vectors),
          Divider(columns), Divider(rows),   g.batch * rows * columns * vectors};
}

struct Place {
  int64_t vector, column, row, image;
};

__device__ __forceinline__ Place place_of(const Pool& p, int64_t i) {
  Place at;
  const int64_t pixel = p.vectors.divide(i), line = p.column_count.divide(pixel);
  at.vector = i - pixel * p.vectors.divisor();
  at.column = pixel - line * p.column_count.divisor();
  at.image = p.row_count.divide(line);
  at.row = line - at.image * p.row_count.divisor();
  return at;
}

// The first of `width` elements of an input pixel or of a window.
template <int width>
__device__ __forceinline__ int64_t input_at(const Pool& p, const Place& at, int64_t row, int64_t column) {
  return (((at.image * p.rows.in + row) * p.columns.in + column) * p.vectors.divisor() + at.vector) * width;
}
template <int width>
__device__ __forceinline__ int64_t window_at(const Pool& p, const Place& at, int64_t row, int64_t column) {
  return (((at.image * p.rows.out + row) * p.columns.out + column) * p.vectors.divisor() + at.vector) * width;
}

template <class T, int width>
__device__ __forceinline__ void set_all(T (&to)[width], T value) {
  PH_UNROLL
  for (int v = 0; v < width; ++v) to[v] = value;
}

// visit(values, row, column, inside) for the taps of a window in order, `outside` in place of values that padding would
// have. Taps of a window of known size (size > 0: of size x size) are all loaded before the first visit.
template <int size, int width, class T, class Visit>
__device__ __forceinline__ void for_each_tap(const Pool& p, const Place& at, const T* x, T outside, Visit visit) {
  const int64_t first_row = p.rows.begin(at.row), first_column = p.columns.begin(at.column);
  if constexpr (size > 0) {
    T got[size * size][width];
    bool inside[size * size];
    PH_UNROLL
    for (int tap = 0; tap < size * size; ++tap) {
      const int64_t row = first_row + tap / size, column = first_column + tap % size;
      inside[tap] = row >= 0 && row < p.rows.in && column >= 0 && column < p.columns.in;
      set_all(got[tap], outside);
      if (inside[tap]) load_vector<width>(got[tap], x + input_at<width>(p, at, row, column));
    }
    PH_UNROLL
    for (int tap = 0; tap < size * size; ++tap) {
      visit(got[tap], first_row + tap / size, first_column + tap % size, inside[tap]);
    }
  } else {
    const int64_t last_row = least(first_row + p.rows.size, p.rows.in);
    const int64_t last_column = least(first_column + p.columns.size, p.columns.in);
    for (int64_t row = most(first_row, 0); row < last_row; ++row) {
      for (int64_t column = most(first_column, 0); column < last_column; ++column) {
        T got[width];
        load_vector<width>(got, x + input_at<width>(p, at, row, column));
        visit(got, row, column, true);
      }
    }
  }
}

// ---- forward

template <class T, int width, int size>
__global__ void __launch_bounds__(threads) max_kernel(const __grid_constant__ Pool p, const T* x, T* y) {
  const int64_t i = int64_t{blockIdx.x} * threads + threadIdx.x;
  if (i >= p.n) return;
  T lowest = std::numeric_limits<T>::lowest();
  if constexpr (std::is_floating_point_v<T>) lowest = -static_cast<T>(INFINITY);
  T best[width];
  set_all(best, lowest);
  for_each_tap<size, width>(p, place_of(p, i), x, lowest, [&](const T(&got)[width], int64_t, int64_t, bool) {
    PH_UNROLL
    for (int v = 0; v < width; ++v) best[v] = got[v] > best[v] || got[v] != got[v] ? got[v] : best[v];
  });
  store_vector<width>(y + i * width, best);
}

template <class T, int width, int size>
__global__ void __launch_bounds__(threads) average_kernel(const __grid_constant__ Pool p, const T* x, T* y) {
  const int64_t i = int64_t{blockIdx.x} * threads + threadIdx.x;
  if (i >= p.n) return;
  const Place at = place_of(p, i);
  T sum[width] = {};
  for_each_tap<size, width>(p, at, x, T(0), [&](const T(&got)[width], int64_t, int64_t, bool) {
    PH_UNROLL
    for (int v = 0; v < width; ++v) sum[v] += got[v];
  });
  const T count = static_cast<T>(p.rows.taps_inside(at.row) * p.columns.taps_inside(at.column));
  PH_UNROLL
  for (int v = 0; v < width; ++v) sum[v] /= count;
  store_vector<width>(y + i * width, sum);
}

// ---- backward

// Windows that do not overlap: a thread has one of them, and writes all of the input from there to the next.
template <class T, int width, int size>
__global__ void __launch_bounds__(threads, grad_blocks)
    max_grad_cells_kernel(const __grid_constant__ Pool p, const T* __restrict__ x, const T* __restrict__ y,
                          const T* __restrict__ dy, T* __restrict__ dx) {
  const int64_t i = int64_t{blockIdx.x} * threads + threadIdx.x;
  if (i >= p.n) return;
  const Place at = place_of(p, i);
  T highest[width], left[width];  // the gradient until it has found its place
  load_vector<width>(highest, y + i * width);
  load_vector<width>(left, dy + i * width);
  for_each_tap<size, width>(p, at, x, T(0), [&](const T(&got)[width], int64_t row, int64_t column, bool inside) {
    if (!inside) return;
    T found[width];
    PH_UNROLL
    for (int v = 0; v < width; ++v) {
      const bool hit = got[v] == highest[v];
      found[v] = hit ? T(0) + left[v] : T(0);  // added to zero, as elsewhere: -0 becomes 0
      left[v] = hit ? T(0) : left[v];
    }
    store_vector<width>(dx + input_at<width>(p, at, row, column), found);
  });
  // what no window sees
  const int64_t seen_row = p.rows.begin(at.row) + p.rows.size;
  const int64_t seen_column = p.columns.begin(at.column) + p.columns.size;
  const int64_t end_row = at.row == p.rows.out - 1 ? p.rows.in : p.rows.begin(at.row + 1);
  const int64_t end_column = at.column == p.columns.out - 1 ? p.columns.in : p.columns.begin(at.column + 1);
  if (seen_row >= end_row && seen_column >= end_column) return;
  T zeros[width] = {};
  for (int64_t row = most(p.rows.begin(at.row), 0); row < end_row; ++row) {
    const int64_t first_column = row < seen_row ? seen_column : most(p.columns.begin(at.column), 0);
    for (int64_t column = first_column; column < end_column; ++column) {
      store_vector<width>(dx + input_at<width>(p, at, row, column), zeros);
    }
  }
}

// Marks what in this window is the first to equal its maximum: x of the thread's own pixel, where no tap before does.
template <int width, class T>
__device__ __forceinline__ void keep_first(const Pool& p, const Place& at, const T* x, int64_t window_row,
                                           int64_t window_column, const T (&highest)[width], bool (&hit)[width]) {
  const int64_t first_column = most(p.columns.begin(window_column), 0);
  const int64_t last_column = least(p.columns.begin(window_column) + p.columns.size, p.columns.in);
  for (int64_t row = most(p.rows.begin(window_row), 0); row <= at.row; ++row) {
    const int64_t end = row < at.row ? last_column : at.column;
    for (int64_t column = first_column; column < end; ++column) {
      T before[width];
      load_vector<width>(before, x + input_at<width>(p, at, row, column));
      PH_UNROLL
      for (int v = 0; v < width; ++v) hit[v] = hit[v] && before[v] != highest[v];
    }
  }
}

// Windows that overlap: a thread has an element of the input, and asks each window that sees it.
template <class T, int width>
__global__ void __launch_bounds__(threads, grad_blocks)
    max_grad_kernel(const __grid_constant__ Pool p, const T* __restrict__ x, const T* __restrict__ y,
                    const T* __restrict__ dy, T* __restrict__ dx) {
  const int64_t i = int64_t{blockIdx.x} * threads + threadIdx.x;
  if (i >= p.n) return;
  const Place at = place_of(p, i);
  T own[width], sum[width] = {};
  load_vector<width>(own, x + i * width);
  const int64_t last_row = p.rows.last_window(at.row), last_column = p.columns.last_window(at.column);
  for (int64_t row = p.rows.first_window(at.row); row <= last_row; ++row) {
    for (int64_t column = p.columns.first_window(at.column); column <= last_column; ++column) {
      const int64_t window = window_at<width>(p, at, row, column);
      T highest[width], gradient[width];
      load_vector<width>(highest, y + window);
      load_vector<width>(gradient, dy + window);
      bool hit[width], any = false;
      PH_UNROLL
      for (int v = 0; v < width; ++v) {
        hit[v] = own[v] == highest[v];
        any = any || hit[v];
      }
      if (!any) continue;
      keep_first<width>(p, at, x, row, column, highest, hit);
      PH_UNROLL
      for (int v = 0; v < width; ++v) sum[v] += hit[v] ? gradient[v] : T(0);
    }
  }
  store_vector<width>(dx + i * width, sum);
}

template <class T, int width>
__global__ void __launch_bounds__(threads) average_grad_kernel(const __grid_constant__ Pool p, const T* dy, T* dx) {
  const int64_t i = int64_t{blockIdx.x} * threads + threadIdx.x;
  if (i >= p.n) return;
  const Place at = place_of(p, i);
  T sum[width] = {};
  const int64_t last_row = p.rows.last_window(at.row), last_column = p.columns.last_window(at.column);
  for (int64_t row = p.rows.first_window(at.row); row <= last_row; ++row) {
    for (int64_t column = p.columns.first_window(at.column); column <= last_column; ++column) {
      T gradient[width];
      load_vector<width>(gradient, dy + window_at<width>(p, at, row, column));
      const T count = static_cast<T>(p.rows.taps_inside(row) * p.columns.taps_inside(column));
      PH_UNROLL
      for (int v = 0; v < width; ++v) sum[v] += gradient[v] / count;
    }
  }
  store_vector<width>(dx + i * width, sum);
}

// ---- launches

template <int n>
using Constant = std::integral_constant<int, n>;

// body(T(), Constant<width>()): the widest vectors that channels and addresses admit.
template <class T, class Body>
void with_width(const KernelCall& k, int64_t channels, Body&& body) {
  bool aligned = channels % per_16_bytes<T> == 0;
  for (const View& view : k.in) aligned = aligned && is_aligned(view.data);
  if (aligned && is_aligned(k.out[0].data)) return body(T(), Constant<per_16_bytes<T>>());
  body(T(), Constant<1>());
}

// body(Constant<size>()): 2 for the common windows of 2 x 2, else 0.
template <class Body>
void with_size(const PoolGeometry& g, Body&& body) {
  if (g.rows.size == 2 && g.columns.size == 2) return body(Constant<2>());
  body(Constant<0>());
}

template <class Body>
void with_pooled_type(const KernelCall& k, int64_t channels, Body&& body) {
  switch (k.in[0].dtype) {
    case DType::float32:
      return with_width<float>(k, channels, body);
    case DType::float64:
      return with_width<double>(k, channels, body);
    case DType::int32:
      return with_width<int32_t>(k, channels, body);
    default:
      return with_width<int64_t>(k, channels, body);
  }
}
template <class Body>
void with_float_pooled_type(const KernelCall& k, int64_t channels, Body&& body) {
  if (k.in[0].dtype == DType::float32) return with_width<float>(k, channels, body);
  with_width<double>(k, channels, body);
}

void max_forward(const KernelCall& k, const PoolAttrs& a) {
  const PoolGeometry g = pool_geometry(k.in[0].shape, a);
  if (k.out[0].size() == 0) return;
  with_pooled_type(k, g.channels, [&](auto type, auto width) {
    with_size(g, [&](auto size) {
      using T = decltype(type);
      const Pool p = pool_over(g, false, width);
      PH_LAUNCH((max_kernel<T, width, size>), blocks_for(p.n, threads), threads, 0, device().stream, p, k.in[0].as<T>(),
                k.out[0].as<T>());
    });
  });
}

void max_grad(const KernelCall& k, const PoolAttrs& a) {
  const PoolGeometry g = pool_geometry(k.in[0].shape, a);
  if (k.out[0].size() == 0) return;
  const bool overlap = g.rows.stride < g.rows.size || g.columns.stride < g.columns.size;
  with_float_pooled_type(k, g.channels, [&](auto type, auto width) {
    using T = decltype(type);
    const T *x = k.in[0].as<T>(), *y = k.in[1].as<T>(), *dy = k.in[2].as<T>();
    T* dx = k.out[0].as<T>();
    const Pool p = pool_over(g, overlap, width);
    if (overlap) {
      PH_LAUNCH((max_grad_kernel<T, width>), blocks_for(p.n, threads), threads, 0, device().stream, p, x, y, dy, dx);
      return;
    }
    with_size(g, [&](auto size) {
      PH_LAUNCH((max_grad_cells_kernel<T, width, size>), blocks_for(p.n, threads), threads, 0, device().stream, p, x, y,
                dy, dx);
    });
  });
}

void average(const KernelCall& k, const PoolAttrs& a) {
  const PoolGeometry g = pool_geometry(k.in[0].shape, a);
  if (k.out[0].size() == 0) return;
  with_float_pooled_type(k, g.channels, [&](auto type, auto width) {
    with_size(g, [&](auto size) {
      using T = decltype(type);
      const Pool p = pool_over(g, false, width);
      PH_LAUNCH((average_kernel<T, width, size>), blocks_for(p.n, threads), threads, 0, device().stream, p,
                k.in[0].as<T>(), k.out[0].as<T>());
    });
  });
}

void average_grad(const KernelCall& k, const PoolAttrs& a) {
  const PoolGeometry g = pool_geometry(k.out[0].shape, a);
  if (k.out[0].size() == 0) return;
  with_float_pooled_type(k, g.channels, [&](auto type, auto width) {
    using T = decltype(type);
    const Pool p = pool_over(g, true, width);
    PH_LAUNCH((average_grad_kernel<T, width>), blocks_for(p.n, threads), threads, 0, device().stream, p,
              k.in[0].as<T>(), k.out[0].as<T>());
  });
}

size_t pooled_bytes(SpecSpan in, const PoolAttrs& a) {
  const PoolGeometry g = pool_geometry(in[0].shape, a);
  return copy_bytes(in[0].dtype, g.batch * g.rows.out * g.columns.out * g.channels);
}
size_t same_bytes(SpecSpan in, const PoolAttrs&) { return copy_bytes(in[0].dtype, in[0].shape.size()); }
size_t image_bytes(SpecSpan in, const PoolAttrs& a) {
  const Shape& dy = in[0].shape;
  return copy_bytes(in[0].dtype, dy[0] * a.size[0] * a.size[1] * dy[3]);
}

}  // namespace

#define PH_POOL(op, run, results, variant) \
  PH_KERNELS(op, kernel<run, not_half<PoolAttrs>>(variant), through_float<run, results>())
PH_POOL(max_pool2d, max_forward, pooled_bytes, "windows");
PH_POOL(max_pool2d_grad, max_grad, same_bytes, "gather");
PH_POOL(average_pool2d, average, pooled_bytes, "windows");
PH_POOL(average_pool2d_grad, average_grad, image_bytes, "gather");
#undef PH_POOL

}  // namespace ph::cuda
