// Packing: the parts of A and B that a micro-kernel walks, laid out in the order it reads them.
#pragma once
#include "cpu/gemm/gemm.h"

namespace ph::PH_LEVEL {
namespace {

// Lines become columns: to[l * stride + j] = from[j * lines + l] for `count` lines j, `lines` elements apart, and l
// in [0, depth).
template <class T>
PH_INLINE void transpose_lines(const T* from, int64_t lines, int64_t count, int64_t depth, T* to, int64_t stride) {
  // squares, so that both sides stay in the cache
  constexpr int64_t square = 16;
  for (int64_t begin = 0; begin < depth; begin += square) {
    const int64_t end = least(begin + square, depth);
    for (int64_t j = 0; j < count; ++j) {
      for (int64_t l = begin; l < end; ++l) to[l * stride + j] = from[j * lines + l];
    }
  }
}

// float: squares of 4 x 4 in registers, and of the lines that are left over a pair.
PH_INLINE void transpose_lines(const float* from, int64_t lines, int64_t count, int64_t depth, float* to,
                               int64_t stride) {
  typedef float Four __attribute__((vector_size(16)));
  typedef float Anywhere __attribute__((vector_size(16), aligned(4), may_alias));
  typedef float Two __attribute__((vector_size(8), aligned(4), may_alias));
  const int64_t whole_lines = count / 4 * 4, paired_lines = count / 2 * 2, whole_depth = depth / 4 * 4;
  for (int64_t l = 0; l < whole_depth; l += 4) {
    for (int64_t j = 0; j < whole_lines; j += 4) {
      const float* in = from + j * lines + l;
      float* out = to + l * stride + j;
      const Four a = *reinterpret_cast<const Anywhere*>(in), b = *reinterpret_cast<const Anywhere*>(in + lines),
                 c = *reinterpret_cast<const Anywhere*>(in + 2 * lines),
                 d = *reinterpret_cast<const Anywhere*>(in + 3 * lines);
      const Four ab_low = __builtin_shufflevector(a, b, 0, 4, 1, 5),
                 ab_high = __builtin_shufflevector(a, b, 2, 6, 3, 7),
                 cd_low = __builtin_shufflevector(c, d, 0, 4, 1, 5),
                 cd_high = __builtin_shufflevector(c, d, 2, 6, 3, 7);
      *reinterpret_cast<Anywhere*>(out) = __builtin_shufflevector(ab_low, cd_low, 0, 1, 4, 5);
      *reinterpret_cast<Anywhere*>(out + stride) = __builtin_shufflevector(ab_low, cd_low, 2, 3, 6, 7);
      *reinterpret_cast<Anywhere*>(out + 2 * stride) = __builtin_shufflevector(ab_high, cd_high, 0, 1, 4, 5);
      *reinterpret_cast<Anywhere*>(out + 3 * stride) = __builtin_shufflevector(ab_high, cd_high, 2, 3, 6, 7);
    }
    if (paired_lines > whole_lines) {
      const float* in = from + whole_lines * lines + l;
      float* out = to + l * stride + whole_lines;
      const Four a = *reinterpret_cast<const Anywhere*>(in), b = *reinterpret_cast<const Anywhere*>(in + lines);
      *reinterpret_cast<Two*>(out) = __builtin_shufflevector(a, b, 0, 4);
      *reinterpret_cast<Two*>(out + stride) = __builtin_shufflevector(a, b, 1, 5);
      *reinterpret_cast<Two*>(out + 2 * stride) = __builtin_shufflevector(a, b, 2, 6);
      *reinterpret_cast<Two*>(out + 3 * stride) = __builtin_shufflevector(a, b, 3, 7);
    }
    if (count > paired_lines) {
      for (int64_t i = l; i < l + 4; ++i) to[i * stride + paired_lines] = from[paired_lines * lines + i];
    }
  }
  for (int64_t l = whole_depth; l < depth; ++l) {
    for (int64_t j = 0; j < count; ++j) to[l * stride + j] = from[j * lines + l];
  }
}

// One panel of B: rows [l0, l0 + depth) and the columns from j0 on, to (depth, panel_width); a panel that fits
// one vector is filled up to that only.
template <class T>
void pack_panel(const Gemm<T>& g, int64_t l0, int64_t depth, int64_t j0, T* to) {
  constexpr int64_t w = panel_width<T>, one = lanes<T>;
  const int64_t width = least(w, g.n - j0);
  const int64_t padded = width <= one ? one : w;  // what micro-kernels read
  const T* from = g.b + l0 * g.b_row + j0 * g.b_column;
  if (g.b_column != 1) {
    transpose_lines(from, g.b_column, width, depth, to, w);
    for (int64_t l = 0; l < depth && width < padded; ++l) {
      for (int64_t j = width; j < padded; ++j) to[l * w + j] = 0;
    }
    return;
  }
  for (int64_t l = 0; l < depth; ++l, from += g.b_row, to += w) {
    for (int64_t j = 0; j < padded; j += one) {
      store(to + j, width - j >= one ? load(from + j) : load_some(from + j, static_cast<int>(width - j)));
    }
  }
}

// `count` panels of B from column j0 on, one after another: row by row where rows are contiguous, since a panel's part
// of a row is but one line of the cache.
template <class T>
void pack_panels(const Gemm<T>& g, int64_t l0, int64_t depth, int64_t j0, int64_t count, T* to) {
  constexpr int64_t w = panel_width<T>, one = lanes<T>;
  const bool by_rows = g.b_column == 1 && j0 + count * w <= g.n;
  if (!by_rows) {
    for (int64_t p = 0; p < count; ++p) pack_panel(g, l0, depth, j0 + p * w, to + p * depth * w);
    return;
  }
  for (int64_t l = 0; l < depth; ++l) {
    const T* from = g.b + (l0 + l) * g.b_row + j0;
    T* line = to + l * w;
    for (int64_t p = 0; p < count; ++p, from += w, line += depth * w) {
#pragma GCC unroll 2
      for (int64_t j = 0; j < w; j += one) store(line + j, load(from + j));
    }
  }
}

// A sliver: rows [i0, i0 + rows) and columns [l0, l0 + depth) of A, to (depth, rows).
template <class T>
void pack_rows(const Gemm<T>& g, int64_t i0, int rows, int64_t l0, int64_t depth, T* to) {
  const T* from = g.a + i0 * g.a_row + l0 * g.a_column;
  if (g.a_column == 1) return transpose_lines(from, g.a_row, rows, depth, to, rows);
  for (int64_t l = 0; l < depth; ++l) copy_run(from + l * g.a_column, to + l * rows, rows);
}

}  // namespace
}  // namespace ph::PH_LEVEL
