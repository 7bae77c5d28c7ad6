// What the recurrent kernels share: the walk over the samples of a batch and the steps of a sequence.
//
// Samples do not depend on each other. A batch is cut by its size into slices of a few samples, and a thread takes a
// slice through all steps without waiting for anybody: one product with the recurrent kernel, packed once for all
// steps, and right behind it, while its result is in the cache, the gates and the state of these samples. There is no
// memory of its own for the state: a step reads it where the step before left it, in the outputs.
#pragma once
#include "core/kernel.h"
#include "core/thread_pool.h"
#include "cpu/gemm/gemm.h"
#include "cpu/halves.h"
#include "ops/sequence.h"

namespace ph::PH_LEVEL {
namespace {

// f(begin, end) for slices of a batch, each of which multiplies by a (rows, columns) matrix in every step. A
// slice is the rows that a micro-kernel takes at once; of a matrix that no cache near the processor holds, which each
// slice reads anew in every step, more. There is an even number of slices, for two threads to share alike.
template <class T, class F>
PH_INLINE void for_each_slice(const Sequence& s, int64_t rows, int64_t columns, F f) {
  constexpr int64_t large = 2 << 20;
  const int64_t matrix_bytes = rows * columns * static_cast<int64_t>(sizeof(T));
  const int64_t full = divide_up(s.batch, row_block * least(most(matrix_bytes / large, 1), 4));
  const int64_t slices = full > 1 ? divide_up(full, 2) * 2 : full;
  if (slices == 0) return;
  const double ns = 6e-3 * static_cast<double>(sizeof(T)) * static_cast<double>((rows + 10) * columns);
  parallel_for(slices, ns * static_cast<double>(s.batch * s.steps) / static_cast<double>(slices),
               [&](int64_t slice) { f(s.batch * slice / slices, s.batch * (slice + 1) / slices); });
}

// A (rows, columns) matrix that rows are multiplied by, packed.
template <class T>
struct Packed {
  int64_t rows, columns;
  T* data;

  PH_INLINE int64_t size() const { return packed_size<T>(columns, rows); }
  // Elements (i, j) at from[i * row + j * column].
  PH_INLINE void pack(const T* from, int64_t row, int64_t column) const {
    Gemm<T> g{};
    g.n = columns, g.k = rows;
    g.b = from, g.b_row = row, g.b_column = column;
    pack_b(g, data);
  }
  // Rows [begin, end) of c = a * this (+ bias) (+ addend, which may be c).
  PH_INLINE void multiply(Rows<const T> a, Rows<T> c, Rows<const T> addend, const T* bias, int64_t begin,
                          int64_t end) const {
    Gemm<T> g{};
    g.m = end, g.n = columns, g.k = rows;
    g.a = a.data, g.a_row = a.stride, g.a_column = 1;
    g.c = c.data, g.c_row = c.stride;
    g.addend = addend.data, g.addend_row = addend.stride;
    g.bias = bias;
    multiply_rows(g, data, begin, end);
  }
};

template <class T>
PH_INLINE void copy_row(T* to, const T* from, int64_t n) {
  for (int64_t i = 0; i < n; ++i) to[i] = from[i];
}

template <class T>
PH_INLINE void clear(T* to, int64_t n) {
  for (int64_t i = 0; i < n; ++i) to[i] = 0;
}

// to += more
template <class T>
PH_INLINE void add_row(T* to, const T* more, int64_t n) {
  for (int64_t i = 0; i < n; ++i) to[i] += more[i];
}

// For the workspace of a kernel whose matrix (rows, columns) is packed.
PH_INLINE size_t packed_bytes(DType dtype, int64_t rows, int64_t columns) {
  if (dtype == DType::float64) return sizeof(double) * static_cast<size_t>(packed_size<double>(columns, rows));
  return sizeof(float) * static_cast<size_t>(packed_size<float>(columns, rows));
}

// The variants of an op: `run<T>` in float32 and float64, and on copies in float32.
template <auto run_float, auto run_double, class Attrs>
void run_wide(const KernelCall& k, const Attrs& a) {
  k.in[0].dtype == DType::float64 ? run_double(k, a) : run_float(k, a);
}
#define PH_RECURRENT(op, run, Attrs, results, workspace)                                                   \
  PH_KERNELS(op, kernel<run_wide<run<float>, run<double>, Attrs>, wide_float<Attrs>, workspace>("slices"), \
             on_copies<run_wide<run<float>, run<double>, Attrs>, results, workspace>())

}  // namespace
}  // namespace ph::PH_LEVEL
