// The inner loop of the 6 x 16 micro-kernel for AVX2, over a packed sliver of A and a packed panel of B. Written in
// assembly because 12 sums, 2 columns and a broadcast leave one of the 16 registers free: once the loop is unrolled GCC
// 12 keeps a sum in memory, which costs a third of the speed.
#pragma once
#include "cpu/simd.h"

#if defined(__AVX2__) && !defined(__AVX512F__) && !defined(PH_SIMD_PORTABLE)
#define PH_FMA_LOOP

namespace ph::PH_LEVEL {
namespace {

// sum[i][j] += a(l, i) * b(l, j) for `steps` times 8 values of l; a: (8 steps, 6), b: (8 steps, 16).
PH_INLINE void fma_loop(int64_t steps, const float* a, const float* b, Vector<float> (&sum)[6][2]) {
  // clang-format off
#define PH_FMA_ROW(i, at)                                \
  "vbroadcastss " #at " + 4 * " #i "(%[a]), %%ymm15\n\t" \
  "vfmadd231ps %%ymm13, %%ymm15, %[s" #i "0]\n\t"        \
  "vfmadd231ps %%ymm14, %%ymm15, %[s" #i "1]\n\t"
#define PH_FMA_STEP(l)                                              \
  "vmovups 64 * " #l "(%[b]), %%ymm13\n\t"                          \
  "vmovups 64 * " #l " + 32(%[b]), %%ymm14\n\t"                     \
  PH_FMA_ROW(0, 24 * l) PH_FMA_ROW(1, 24 * l) PH_FMA_ROW(2, 24 * l) \
  PH_FMA_ROW(3, 24 * l) PH_FMA_ROW(4, 24 * l) PH_FMA_ROW(5, 24 * l)
#define PH_FMA_SUMS(i) [s##i##0] "+x"(sum[i][0]), [s##i##1] "+x"(sum[i][1])
  if (steps == 0) return;
  asm volatile(
      ".p2align 4\n"
      "1:\n\t"
      PH_FMA_STEP(0) PH_FMA_STEP(1) PH_FMA_STEP(2) PH_FMA_STEP(3)
      PH_FMA_STEP(4) PH_FMA_STEP(5) PH_FMA_STEP(6) PH_FMA_STEP(7)
      "add $192, %[a]\n\t"
      "add $512, %[b]\n\t"
      "dec %[steps]\n\t"
      "jnz 1b\n\t"
      : PH_FMA_SUMS(0), PH_FMA_SUMS(1), PH_FMA_SUMS(2), PH_FMA_SUMS(3), PH_FMA_SUMS(4), PH_FMA_SUMS(5),
        [a] "+r"(a), [b] "+r"(b), [steps] "+r"(steps)
      :
      : "ymm13", "ymm14", "ymm15", "memory", "cc");
#undef PH_FMA_SUMS
#undef PH_FMA_STEP
#undef PH_FMA_ROW
  // clang-format on
}

}  // namespace
}  // namespace ph::PH_LEVEL
#endif
