// Matrix products on AMX's tile registers, which multiply bfloat16 numbers and add up in float32.
//
// A float32 number is the exact sum of three bfloat16 numbers, hi + mid + lo, each the leading 8 bits of what the ones
// before leave over. The product of two such sums keeps the terms down to 2^-24: lo hi, hi lo, mid mid, mid hi, hi mid,
// hi hi. With all six of them the error is that of adding up in float32 or smaller (where most numbers are zero, up to
// twice that); with two parts and three terms it is about 1e-5 of the largest result.
//
// Tiles flush denormal numbers to zero and make NaN of the parts of an infinity. So where A or B holds numbers that are
// not finite or smaller than 2^-100, the blocks of C they take part in are computed by gemm. What remains: results
// smaller than about 1e-30 may lose part of their digits.
//
// Where there are no tiles, AVX-512's dot products of bfloat16 pairs multiply the same packed blocks: twice as many
// products an instruction as float32 has, so they serve bfloat16 matrices, not float32 ones in parts.
#pragma once
#include "cpu/gemm/gemm.h"
#include "cpu/gemm/halves.h"

#if PH_LANES == 16

namespace ph::PH_LEVEL {

constexpr int64_t amx_block = 32;  // rows, columns and depth that are worked on at a time: two by two tiles

// Floats of scratch memory for a product in `parts` parts.
PH_INLINE int64_t amx_workspace_size(int64_t m, int64_t n, int64_t k, int parts) {
  const int64_t blocks = divide_up(m, amx_block) + divide_up(n, amx_block);
  return blocks * (divide_up(k, amx_block) * parts * 2 * 256 + 16);
}

// C = op(A) op(B) (+ bias) (relu), in 2 or 3 parts of each number; no addend.
template <int parts>
void gemm_amx(const Gemm<float>& g, float* workspace);

// The same for bfloat16 matrices, which are one part as they are; rounded once. Denormal numbers count as zero.
void gemm_amx_bfloat16(const HalfGemm& g, float* workspace);
// By dot products of pairs.
void gemm_dots_bfloat16(const HalfGemm& g, float* workspace);

}  // namespace ph::PH_LEVEL

#endif
