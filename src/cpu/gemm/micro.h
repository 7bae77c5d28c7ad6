// The micro-kernel: a block of C in registers while k runs.
#pragma once
#include "cpu/gemm/fma_loop.h"
#include "cpu/gemm/gemm.h"

namespace ph::PH_LEVEL {
namespace {

template <class T>
struct Tile {
  int64_t k;
  const T* a;
  int64_t a_row, a_column;
  const T* b;  // panel, (k, panel_width)
  int64_t b_row;
  T* c;
  int64_t c_row;
  int columns;      // of C that exist, up to panel_width
  const T* addend;  // to add to C's elements, which it may be; nullptr for none
  int64_t addend_row;
  const T* bias;  // of these columns; nullptr for none or where k goes on
  bool relu;
};

// How the rows of A lie. Rows that are contiguous in k are addressed from three pointers, since one per row would not
// fit in the registers.
enum class RowLayout { contiguous, columns, sliver };

template <class T, int rows, int vectors, RowLayout lie>
__attribute__((noinline)) void micro_kernel(const Tile<T>& t) {
  using V = Vector<T>;
  constexpr int w = lanes<T>;
  constexpr bool contiguous = lie == RowLayout::contiguous;
  V sum[rows][vectors];
#pragma GCC unroll 16
  for (int i = 0; i < rows; ++i) {
#pragma GCC unroll 2
    for (int j = 0; j < vectors; ++j) sum[i][j] = V{};
  }
  const int64_t one = t.a_row;
  int64_t three = 3 * t.a_row;
  const T* first = t.a;
  const T* sixth = t.a + (rows > 5 ? 5 : 0) * one;
  const T* eleventh = t.a + (rows > 10 ? 10 : 0) * one;
  if constexpr (contiguous) asm("" : "+r"(three), "+r"(first), "+r"(sixth), "+r"(eleventh));
  const T* b = t.b;
  const int64_t step = contiguous ? 1 : lie == RowLayout::sliver ? rows : t.a_column;
  int64_t l = 0;
#ifdef PH_FMA_LOOP
  if constexpr (std::is_same_v<T, float> && rows == 6 && vectors == 2 && lie == RowLayout::sliver) {
    if (t.b_row == panel_width<T>) {
      l = t.k / 8 * 8;
      fma_loop(l / 8, first, b, sum);
      first += l * rows;
      b += l * panel_width<T>;
    }
  }
#endif
  for (; l < t.k; ++l) {
    V column[vectors];
#pragma GCC unroll 2
    for (int j = 0; j < vectors; ++j) column[j] = load(b + j * w);
    b += t.b_row;
#pragma GCC unroll 16
    for (int i = 0; i < rows; ++i) {
      T x;
      if constexpr (contiguous) {
        const T* base = i < 5 ? first : i < 10 ? sixth : eleventh;
        const int r = i % 5;
        x = *(base + (r == 0 ? 0 : r == 1 ? one : r == 2 ? 2 * one : r == 3 ? three : 4 * one));
      } else {
        x = first[i];
      }
#pragma GCC unroll 2
      for (int j = 0; j < vectors; ++j) sum[i][j] += column[j] * x;
    }
    first += step;
    if constexpr (contiguous) {
      sixth += step;
      eleventh += step;
    }
  }
  const bool full = t.columns == vectors * w;
#pragma GCC unroll 2
  for (int j = 0; j < vectors; ++j) {
    const int live = t.columns - j * w < w ? t.columns - j * w : w;
    const V bias = !t.bias ? V{} : full ? load(t.bias + j * w) : load_some(t.bias + j * w, live);
#pragma GCC unroll 16
    for (int i = 0; i < rows; ++i) {
      T* c = t.c + i * t.c_row + j * w;
      V value = sum[i][j] + bias;
      if (t.addend) {
        const T* addend = t.addend + i * t.addend_row + j * w;
        value += full ? load(addend) : load_some(addend, live);
      }
      if (t.relu) value = value < V{} ? V{} : value;  // keeps NaN
      if (full) {
        store(c, value);
      } else {
        store_some(c, value, live);
      }
    }
  }
}

template <class T>
using MicroKernel = void (*)(const Tile<T>&);

// Kernels for 1 ... row_block rows.
template <class T, int vectors, RowLayout lie, int rows>
PH_INLINE MicroKernel<T> micro_kernel_for(int wanted) {
  if constexpr (rows == 0) {
    return nullptr;
  } else {
    if (wanted == rows) return micro_kernel<T, rows, vectors, lie>;
    return micro_kernel_for<T, vectors, lie, rows - 1>(wanted);
  }
}

template <class T, RowLayout lie>
PH_INLINE MicroKernel<T> micro_kernel_for(int rows, int columns) {
  return columns <= lanes<T> ? micro_kernel_for<T, 1, lie, row_block>(rows)
                             : micro_kernel_for<T, panel_vectors, lie, row_block>(rows);
}

template <class T>
MicroKernel<T> choose_micro_kernel(int rows, int columns, RowLayout lie) {
  switch (lie) {
    case RowLayout::contiguous:
      return micro_kernel_for<T, RowLayout::contiguous>(rows, columns);
    case RowLayout::columns:
      return micro_kernel_for<T, RowLayout::columns>(rows, columns);
    default:
      return micro_kernel_for<T, RowLayout::sliver>(rows, columns);
  }
}

}  // namespace
}  // namespace ph::PH_LEVEL
