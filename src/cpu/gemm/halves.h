// C = op(A) op(B) (+ bias) (relu) of float16 or bfloat16 matrices: multiplied and added up in float32, rounded once. B
// is brought to float32 while it is packed, A and C for a piece of C at a time.
#pragma once
#include "cpu/convert.h"
#include "cpu/gemm/gemm.h"

namespace ph::PH_LEVEL {

// Element (i, j) at data[i * row + j * column]; one of the two is 1.
struct HalfMatrix {
  uint16_t* data;
  DType dtype;
  int64_t row, column;
};

struct HalfGemm {
  int64_t m, n, k;
  HalfMatrix a, b, c;           // rows of C are contiguous
  const float* bias = nullptr;  // (n,)
  Activation activation = Activation::none;
};

// All of B (k, n), packed as pack_b does.
void pack_halves(int64_t n, int64_t k, const HalfMatrix& b, float* packed);

// Rows of `columns` elements between the two types; strides are in elements.
void widen_rows(const HalfMatrix& from, int64_t rows, int64_t columns, float* to, int64_t to_row);
void narrow_rows(const float* from, int64_t from_row, int64_t rows, int64_t columns, const HalfMatrix& to);

// The whole product in parallel; `packed` is scratch memory of packed_size<float> elements.
void gemm_halves(const HalfGemm& g, float* packed);

}  // namespace ph::PH_LEVEL
