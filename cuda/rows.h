// Rows of numbers, each held by a group of threads: what softmax and cross entropies share.
//
// Rows of up to 128 elements belong to 1 to 32 lanes of a warp, longer ones to a warp or a block whose threads keep the
// row in registers, so that memory is read once; still longer ones are read again by each pass. An op is written once
// for all of these:
//
//   template <class Threads> __device__ void operator()(const Threads& threads, int64_t row) const {
//     const auto x = threads.load(data, row);
//     T total = 0;  // Compute<> of what is stored
//     threads.each([&](auto at) { total += x[at]; });
//     total = threads.reduce(total, AddUp());
//     threads.store(result, row, [&](auto at) { return x[at] / total; });
//   }
//
// All threads of a block call it; a group without a row has no elements, and is not `active`.
#pragma once
#include "core/scalar.h"
#include "cuda/block.h"
#include "cuda/device.h"
#include "cuda/vector.h"

namespace ph::cuda {

constexpr int row_threads = 256;

struct TakeLarger {
  template <class T>
  __device__ __forceinline__ T operator()(T a, T b) const {
    return scalar::maximum(a, b);
  }
};

// The threads of one row. K > 0: each keeps K elements in registers, V neighbours together (then V divides n).
template <int V, int K, bool whole_block>
struct RowThreads {
  static constexpr bool held = K > 0;

  int64_t n;
  int lane, lanes;
  bool active;

  // An element of this thread: its register, and where in the row it is.
  struct Place {
    int k;
    int64_t i;
  };

  template <class T>
  struct HeldRow {
    T value[K > 0 ? K : 1];
    __device__ __forceinline__ T operator[](Place at) const { return value[at.k]; }
  };
  template <class S>
  struct ReadRow {
    const S* value;
    __device__ __forceinline__ Compute<S> operator[](Place at) const { return load_as<Compute<S>>(value[at.i]); }
  };

  template <class Body>
  __device__ __forceinline__ void each(Body&& body) const {
    if constexpr (held) {
      PH_UNROLL
      for (int k = 0; k < K; k += V) {
        const int64_t first = int64_t{k} * lanes + lane * V;
        if (first >= n) continue;
        PH_UNROLL
        for (int v = 0; v < V; ++v) body(Place{k + v, first + v});
      }
    } else {
      for (int64_t i = lane; i < n; i += lanes) body(Place{0, i});
    }
  }

  template <class S>
  __device__ __forceinline__ auto load(const S* from, int64_t row) const {
    if constexpr (held) {
      using T = Compute<S>;
      HeldRow<T> loaded;
      PH_UNROLL
      for (int k = 0; k < K; k += V) {
        const int64_t first = int64_t{k} * lanes + lane * V;
        T together[V] = {};
        if (first < n) load_vector(together, from + row * n + first);
        PH_UNROLL
        for (int v = 0; v < V; ++v) loaded.value[k + v] = together[v];
      }
      return loaded;
    } else {
      return ReadRow<S>{from + row * n};
    }
  }

  // value(place) to each element of a row; the row may be one that was loaded, as long as no thread needs what another
  // one overwrites.
  template <class S, class Value>
  __device__ __forceinline__ void store(S* to, int64_t row, Value&& value) const {
    if constexpr (held) {
      PH_UNROLL
      for (int k = 0; k < K; k += V) {
        const int64_t first = int64_t{k} * lanes + lane * V;
        if (first >= n) continue;
        Compute<S> together[V];
        PH_UNROLL
        for (int v = 0; v < V; ++v) together[v] = value(Place{k + v, first + v});
        store_vector(to + row * n + first, together);
      }
    } else {
      each([&](Place at) { to[row * n + at.i] = store_as<S>(value(at)); });
    }
  }

  // combine() of all threads' values, the same in all threads of the row.
  template <class T, class Combine>
  __device__ __forceinline__ T reduce(T value, Combine combine) const {
    if constexpr (whole_block) {
      return block_reduce<row_threads>(value, combine);
    } else {
      for (int distance = lanes / 2; distance > 0; distance /= 2) {
        value = combine(value, __shfl_xor_sync(all_lanes, value, distance));
      }
      return value;
    }
  }

  // What the row's threads read before, they have read.
  __device__ __forceinline__ void wait() const {
    if constexpr (whole_block) {
      __syncthreads();
    } else {
      __syncwarp();
    }
  }
};

// most = max(x), total = sum(exp(x - most)), in all threads. A row without a finite largest element has total NaN.
template <class T, class Threads, class Row>
__device__ __forceinline__ void exponential_sum(const Threads& threads, const Row& x, T& most, T& total) {
  most = -static_cast<T>(INFINITY);
  total = 0;
  if constexpr (Threads::held) {
    threads.each([&](auto at) { most = scalar::maximum(most, x[at]); });
    most = threads.reduce(most, TakeLarger());
    threads.each([&](auto at) { total += scalar::exp(x[at] - most); });
  } else {  // both in one pass: the sum is scaled anew when a larger element comes (Milakov and Gimelshein, 2018)
    T own = most;
    threads.each([&](auto at) {
      const T value = x[at];
      if (value > own) {
        total = total * scalar::exp(own - value) + 1;
        own = value;
      } else {
        total += value == own ? T(1) : scalar::exp(value - own);
      }
    });
    most = threads.reduce(own, TakeLarger());
    total = own == most ? total : total * scalar::exp(own - most);
    if (!(scalar::abs(most) < static_cast<T>(INFINITY))) total = static_cast<T>(NAN);
  }
  total = threads.reduce(total, AddUp());
}

template <class Op, int V, int K, bool whole_block>
__global__ void __launch_bounds__(row_threads, K == 0 ? 4 : 0)  // else nvcc spills rather than take some registers more
    rows_kernel(const Op op, int64_t count, int64_t n, int lanes) {
  if constexpr (whole_block) {
    const int64_t row = blockIdx.x;
    op(RowThreads<V, K, true>{n, static_cast<int>(threadIdx.x), row_threads, true}, row);
  } else {
    const int64_t row = int64_t{blockIdx.x} * (row_threads / lanes) + threadIdx.x / lanes;
    const bool active = row < count;
    const int lane = static_cast<int>(threadIdx.x) & (lanes - 1);
    op(RowThreads<V, K, false>{active ? n : 0, lane, lanes, active}, row);
  }
}

// accepts() of kernels for float32 and float64.
template <class Attrs>
const char* wide_float(SpecSpan in, const Attrs&) {
  const bool wide = in[0].dtype == DType::float32 || in[0].dtype == DType::float64;
  return wide ? nullptr : "wants float32 or float64: cast first";
}

// Runs op on `count` rows of n elements stored as S. `aligned`: all rows' tensors begin at multiples of 16 bytes.
template <class S, class Op>
void for_rows(const Op& op, int64_t count, int64_t n, bool aligned) {
  if (count == 0) return;
  constexpr int short_row = 4, middle_row = 32, long_row = 16;  // elements a thread holds
  const auto launch = [&](auto kernel_of, int lanes) {
    const unsigned blocks =
        lanes == row_threads ? static_cast<unsigned>(count) : blocks_for(count, row_threads / lanes);
    PH_LAUNCH(kernel_of, blocks, row_threads, 0, device().stream, op, count, n, lanes);
  };
  if (n <= 32 * short_row) {
    int lanes = 1;
    while (lanes * short_row < n) lanes *= 2;
    return launch(rows_kernel<Op, 1, short_row, false>, lanes);
  }
  if constexpr (sizeof(S) <= 4) {
    constexpr int V = per_16_bytes<S>;
    if (n % V == 0 && aligned) {
      if (n <= 32 * middle_row) return launch(rows_kernel<Op, V, middle_row, false>, 32);
      if (n <= row_threads * long_row) return launch(rows_kernel<Op, V, long_row, true>, row_threads);
    }
  }
  launch(rows_kernel<Op, 1, 0, true>, row_threads);
}

}  // namespace ph::cuda
