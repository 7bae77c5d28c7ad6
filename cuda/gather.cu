// Rows by index. x is seen as (outer, n, row): for each outer position, the rows that indices name. Adding back goes in
// the order of the indices, each element of the result by one thread, so that repeated ones give the same bits each
// time and the CPU's. float16 and bfloat16 are added up in float32, integers wrap round.
#include "cuda/device.h"
#include "cuda/divide.h"
#include "cuda/element.h"
#include "cuda/vector.h"
#include "cuda/words.h"
#include "ops/gather.h"

namespace ph::cuda {

namespace {

constexpr int threads = 256, per_thread = 4, per_block = threads * per_thread;

struct Rows {
  int64_t outer, n, row;
};

Rows rows_of(const Shape& shape, int64_t axis) {
  const int at = static_cast<int>(axis < 0 ? axis + shape.rank() : axis);
  return {shape.product(0, at), shape[at], shape.product(at + 1, shape.rank())};
}

// The indices of a call, which name n rows.
struct Indices {
  const void* data;
  bool wide;  // int64, else int32
  int64_t count, n;
  Fault* fault;
  const char* op;

  __device__ __forceinline__ int64_t stored(int64_t i) const {
    return wide ? static_cast<const int64_t*>(data)[i] : static_cast<const int32_t*>(data)[i];
  }
  // The row; outside [0, n) where there is none.
  __device__ __forceinline__ int64_t row(int64_t i) const {
    const int64_t index = stored(i);
    return index < 0 ? index + n : index;
  }
  __device__ __forceinline__ bool is_row(int64_t row) const { return row >= 0 && row < n; }
  __device__ void report_outside(int64_t i) const { report(fault, Fault::index, op, stored(i), n); }
};

Indices indices_of(const View& view, int64_t n, const char* op) {
  return {view.data, view.dtype == DType::int64, view.size(), n, device().fault, op};
}

__global__ void __launch_bounds__(threads) check_kernel(const __grid_constant__ Indices indices) {
  const int64_t i = int64_t{blockIdx.x} * threads + threadIdx.x;
  if (i < indices.count && !indices.is_row(indices.row(i))) indices.report_outside(i);
}

// For results without elements, whose kernels do not look at the indices.
void check_indices(const Indices& indices) {
  if (indices.count == 0) return;
  PH_LAUNCH(check_kernel, blocks_for(indices.count, threads), threads, 0, device().stream, indices);
}

// ---- take

template <class Word>
__global__ void __launch_bounds__(threads) take_kernel(const __grid_constant__ Indices indices, const Word* x, Word* y,
                                                       Divider row, Divider count, int64_t n) {
  const int64_t first = int64_t{blockIdx.x} * per_block + threadIdx.x;
  Word got[per_thread];
  PH_UNROLL
  for (int k = 0; k < per_thread; ++k) {
    const int64_t i = first + k * threads;
    if (i >= n) break;
    const int64_t taken = row.divide(i), outer = count.divide(taken), at = taken - outer * count.divisor();
    const int64_t from = indices.row(at);
    got[k] = Word{};
    if (indices.is_row(from)) {
      got[k] = x[(outer * indices.n + from) * row.divisor() + i - taken * row.divisor()];
    } else {
      indices.report_outside(at);
    }
  }
  PH_UNROLL
  for (int k = 0; k < per_thread; ++k) {
    const int64_t i = first + k * threads;
    if (i < n) y[i] = got[k];
  }
}

void take(const KernelCall& k, const TakeAttrs& a) {
  const View &x = k.in[0], &y = k.out[0];
  const Rows r = rows_of(x.shape, a.axis);
  const Indices indices = indices_of(k.in[1], r.n, "take");
  if (y.size() == 0) return check_indices(indices);
  const int64_t row_bytes = r.row * static_cast<int64_t>(size_of(x.dtype));
  const uint64_t bits = static_cast<uint64_t>(row_bytes) | address_bits(x.data) | address_bits(y.data);
  with_word(word_bytes(bits), [&](auto word) {
    using Word = decltype(word);
    const int64_t row = row_bytes / static_cast<int64_t>(sizeof(Word)), n = r.outer * indices.count * row;
    PH_LAUNCH(take_kernel<Word>, blocks_for(n, threads, per_thread), threads, 0, device().stream, indices, x.as<Word>(),
              y.as<Word>(), Divider(row), Divider(indices.count), n);
  });
}

// ---- take_grad

// What elements stored as S are added up in. Integers narrower than that get the low bits.
template <class S>
using Sum =
    std::conditional_t<std::is_integral_v<S>,
                       std::conditional_t<sizeof(S) == 8 || std::is_same_v<S, bool>, uint64_t, uint32_t>, Compute<S>>;

template <class Body>
void with_summed_type(DType dtype, Body&& body) {
  if (is_float(dtype)) return with_float_type(dtype, body);
  if (dtype == DType::bool_) return body(bool());
  with_word_type(dtype, body);
}

// An output vector's place: y is (outer, n, row vectors).
struct Target {
  Divider row, n;  // row in vectors
};

template <int width, class S>
__device__ __forceinline__ void add_vector(Sum<S> (&sum)[width], const S* from) {
  Sum<S> got[width];
  load_vector<width>(got, from);
  PH_UNROLL
  for (int v = 0; v < width; ++v) sum[v] += got[v];
}

// Each thread goes through all indices: for few of them.
template <class S, int width>
__global__ void __launch_bounds__(threads)
    add_scanned_kernel(const __grid_constant__ Indices indices, const S* dy, S* y, Target to, int64_t n) {
  if (blockIdx.x == 0) {
    for (int64_t i = threadIdx.x; i < indices.count; i += threads) {
      if (!indices.is_row(indices.row(i))) indices.report_outside(i);
    }
  }
  const int64_t vector = int64_t{blockIdx.x} * threads + threadIdx.x;
  if (vector >= n) return;
  const int64_t all_rows = to.row.divide(vector), outer = to.n.divide(all_rows);
  const int64_t row = all_rows - outer * to.n.divisor(), at = vector - all_rows * to.row.divisor();
  const S* from = dy + (outer * indices.count * to.row.divisor() + at) * width;
  Sum<S> sum[width] = {};
  for (int64_t i = 0; i < indices.count; ++i) {
    if (indices.row(i) == row) add_vector<width>(sum, from + i * to.row.divisor() * width);
  }
  store_vector<width>(y + vector * width, sum);
}

// body(S(), std::integral_constant<int, width>()): how elements are stored, and how many a thread takes at once.
template <class Body>
void with_vectors(const View& dy, const View& y, int64_t row, Body&& body) {
  with_summed_type(y.dtype, [&](auto stored) {
    using S = decltype(stored);
    if constexpr (!std::is_integral_v<S>) {
      if (row % per_16_bytes<S> == 0 && is_aligned(dy.data) && is_aligned(y.data)) {
        return body(S(), std::integral_constant<int, per_16_bytes<S>>());
      }
    }
    body(S(), std::integral_constant<int, 1>());
  });
}

void take_grad(const KernelCall& k, const TakeGradAttrs& a) {
  const View &dy = k.in[0], &y = k.out[0];
  const Rows r = rows_of(y.shape, a.axis);
  const Indices indices = indices_of(k.in[1], r.n, "take_grad");
  if (y.size() == 0) return check_indices(indices);
  with_vectors(dy, y, r.row, [&](auto stored, auto width) {
    using S = decltype(stored);
    const int64_t row = r.row / width, n = r.outer * r.n * row;
    const Target to{Divider(row), Divider(r.n)};
    PH_LAUNCH((add_scanned_kernel<S, width>), blocks_for(n, threads), threads, 0, device().stream, indices, dy.as<S>(),
              y.as<S>(), to, n);
  });
}

// ---- one_hot

// 16 bytes to a thread, whatever rows they belong to.
template <class Word>
__global__ void __launch_bounds__(threads)
    one_hot_kernel(const __grid_constant__ Indices indices, Word* y, Divider depth, Word one, int64_t n) {
  constexpr int count = per_16_bytes<Word>;
  const int64_t begin = (int64_t{blockIdx.x} * threads + threadIdx.x) * count;
  if (begin >= n) return;
  int64_t row = depth.divide(begin), column = begin - row * depth.divisor();
  int64_t index = indices.stored(row);
  Packed<Word, count> words;
  PH_UNROLL
  for (int i = 0; i < count; ++i) {
    words.element[i] = index == column ? one : Word(0);
    if (++column == depth.divisor() && begin + i + 1 < n) {
      column = 0;
      index = indices.stored(++row);
    }
  }
  if (begin + count <= n) {
    *reinterpret_cast<Packed<Word, count>*>(y + begin) = words;
    return;
  }
  for (int i = 0; i < count; ++i) {
    if (begin + i < n) y[begin + i] = words.element[i];
  }
}

void one_hot(const KernelCall& k, const OneHotAttrs& a) {
  const View& y = k.out[0];
  if (y.size() == 0) return;
  const Indices indices = indices_of(k.in[0], a.depth, "one_hot");
  with_word_type(y.dtype, [&](auto word) {
    using Word = decltype(word);
    PH_LAUNCH(one_hot_kernel<Word>, blocks_for(y.size(), threads, per_16_bytes<Word>), threads, 0, device().stream,
              indices, y.as<Word>(), Divider(a.depth), static_cast<Word>(stored_bits(1, y.dtype)), y.size());
  });
}

}  // namespace

PH_KERNELS(take, kernel<take>("words"));
PH_KERNELS(take_grad, kernel<take_grad>("scan"));
PH_KERNELS(one_hot, kernel<one_hot>("words"));

}  // namespace ph::cuda
