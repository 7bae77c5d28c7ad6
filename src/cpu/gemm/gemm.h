// C = op(A) op(B) (+ bias) (+ addend) (relu), the matrix product under every dense layer and convolution.
//
// B is packed into panels of `panel_width` columns, each laid out (k, panel_width) and padded with zeros; A into
// slivers of up to `row_block` rows, each laid out (k, rows), where enough panels use them to pay for it, else it is
// read where it lies. The micro-kernel keeps a row_block x panel_width piece of C in registers while it walks k. K is
// cut into equal blocks of at most `depth_block`, added into C in order, so each element's additions do not depend on
// how the work is shared among threads.
#pragma once
#include "core/activation.h"
#include "core/integers.h"
#include "cpu/simd.h"

namespace ph::PH_LEVEL {

#if PH_LANES == 16
constexpr int row_block = 14, panel_vectors = 2;  // 28 accumulators of 32 registers
#else
constexpr int row_block = 6, panel_vectors = 2;  // 12 of 16
#endif
template <class T>
constexpr int panel_width = panel_vectors* vector_bytes / static_cast<int>(sizeof(T));
#if PH_LANES == 16
constexpr int64_t depth_block = 384;
#else
constexpr int64_t depth_block = 264;             // a panel and a sliver fit the L1 cache
#endif

// The size of K's blocks but the last, a multiple of 8.
PH_INLINE int64_t depth_of(int64_t k) {
  const int64_t blocks = most(1, divide_up(k, depth_block));
  return most(1, divide_up(divide_up(k, blocks), 8)) * 8;
}

template <class T>
struct Gemm {
  int64_t m, n, k;
  const T* a;  // element (i, l) at a[i * a_row + l * a_column]; one of the two is 1
  int64_t a_row, a_column;
  const T* b;  // element (l, j) at b[l * b_row + j * b_column]; one of the two is 1
  int64_t b_row, b_column;
  T* c;  // (m, n), rows c_row apart
  int64_t c_row;
  const T* addend = nullptr;  // (m, n), rows addend_row apart; may be C, which is then added to
  int64_t addend_row = 0;
  const T* bias = nullptr;  // (n,)
  Activation activation = Activation::none;
};

// Elements of packed B.
template <class T>
PH_INLINE int64_t packed_size(int64_t n, int64_t k) {
  return divide_up(n, panel_width<T>) * panel_width<T> * k;
}

// Where element (l, j) of B lies in packed B.
template <class T>
PH_INLINE int64_t packed_position(int64_t n, int64_t k, int64_t l, int64_t j) {
  constexpr int64_t width = panel_width<T>;
  const int64_t l0 = l / depth_of(k) * depth_of(k), depth = least(depth_of(k), k - l0);
  return packed_size<T>(n, l0) + j / width * depth * width + (l - l0) * width + j % width;
}

// Packs all of B: for each block of rows, panel after panel.
template <class T>
void pack_b(const Gemm<T>& g, T* packed);

// Rows [begin, end) of C from packed B.
template <class T>
void multiply_rows(const Gemm<T>& g, const T* packed, int64_t begin, int64_t end);

// The whole product in parallel; `workspace` is scratch memory of gemm_workspace_size elements.
template <class T>
void gemm(const Gemm<T>& g, T* workspace);

// Packed B and packed A.
template <class T>
PH_INLINE int64_t gemm_workspace_size(int64_t m, int64_t n, int64_t k) {
  return packed_size<T>(n, k) + m * k;
}

}  // namespace ph::PH_LEVEL
