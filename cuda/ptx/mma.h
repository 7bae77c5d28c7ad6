// Products on tensor cores by one warp (mma), and the loads that fill their operands (ldmatrix).
#pragma once
#include "cuda/ptx/architecture.h"
#if defined(PH_SIM)
#include "cuda/sim/ptx/references.h"
#endif

namespace ph::ptx {

// Rounds to the 10 bits of fraction that tensor cores read of a float32; ties go away from zero.
__device__ inline uint32_t to_tf32(float x) {
#if PH_ARCH >= 800
  uint32_t bits;
  asm("cvt.rna.tf32.f32 %0, %1;" : "=r"(bits) : "f"(x));
  return bits;
#else
  const uint32_t bits = __float_as_uint(x);
  return (bits & 0x7f800000u) == 0x7f800000u ? bits : (bits + 0x1000u) & ~0x1fffu;
#endif
}

#if defined(PH_SIM)
inline void mma(float (&c)[4], const uint32_t (&a)[4], const uint32_t (&b)[2], const char* name,
                sim::WarpOperation reference) {
  const sim::ptx::MmaInput in{{a[0], a[1], a[2], a[3]}, {b[0], b[1]}, {c[0], c[1], c[2], c[3]}};
  sim::warp_meeting(~0u, &in, c, {name, __FILE__, __LINE__}, false, reference, nullptr);
}
#else
#define PH_MMA(shape_and_types)                                                                             \
  asm volatile("mma.sync.aligned." shape_and_types " {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};" \
               : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])                                             \
               : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]))
#endif

// c += a * b, a 16 x 16 row by row, b 16 x 8 column by column, in the fragments the manual draws.
__device__ inline void mma_bfloat16(float (&c)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]) {
#if defined(PH_SIM)
  mma(c, a, b, "mma.m16n8k16.bf16", sim::ptx::mma_bfloat16);
#elif PH_ARCH >= 800
  PH_MMA("m16n8k16.row.col.f32.bf16.bf16.f32");
#else
  __trap();
#endif
}
__device__ inline void mma_float16(float (&c)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]) {
#if defined(PH_SIM)
  mma(c, a, b, "mma.m16n8k16.f16", sim::ptx::mma_float16);
#elif PH_ARCH >= 800
  PH_MMA("m16n8k16.row.col.f32.f16.f16.f32");
#elif PH_ARCH >= 750  // in two halves of the depth
  for (int half = 0; half < 2; ++half) {
    asm volatile("mma.sync.aligned.m16n8k8.row.col.f32.f16.f16.f32 {%0,%1,%2,%3}, {%4,%5}, {%6}, {%0,%1,%2,%3};"
                 : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
                 : "r"(a[2 * half]), "r"(a[2 * half + 1]), "r"(b[half]));
  }
#else
  __trap();
#endif
}
// The same with a 16 x 8 and b 8 x 8 of tf32.
__device__ inline void mma_tf32(float (&c)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]) {
#if defined(PH_SIM)
  mma(c, a, b, "mma.m16n8k8.tf32", sim::ptx::mma_tf32);
#elif PH_ARCH >= 800
  PH_MMA("m16n8k8.row.col.f32.tf32.tf32.f32");
#else
  __trap();
#endif
}
#undef PH_MMA

// Four 8 x 8 matrices of 16-bit numbers from shared memory: lane l gives the address of row l % 8 of matrix l / 8.
template <bool transposed>
__device__ inline void ldmatrix(uint32_t (&to)[4], const void* row) {
#if defined(PH_SIM)
  if (reinterpret_cast<uintptr_t>(row) % 16) sim::fail("ldmatrix: the row's address is no multiple of 16 bytes");
  // each lane reads its own row, so that sanitizers name the thread that gave a wrong address
  const auto own = *static_cast<const sim::ptx::MatrixRow*>(row);
  sim::warp_meeting(~0u, &own, to, {"ldmatrix", __FILE__, __LINE__}, false,
                    transposed ? sim::ptx::ldmatrix_transposed : sim::ptx::ldmatrix, nullptr);
#elif PH_ARCH >= 750
  const uint32_t at = shared_address(row);
  if constexpr (transposed) {
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0,%1,%2,%3}, [%4];"
                 : "=r"(to[0]), "=r"(to[1]), "=r"(to[2]), "=r"(to[3])
                 : "r"(at)
                 : "memory");
  } else {
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0,%1,%2,%3}, [%4];"
                 : "=r"(to[0]), "=r"(to[1]), "=r"(to[2]), "=r"(to[3])
                 : "r"(at)
                 : "memory");
  }
#else
  __trap();
#endif
}

}  // namespace ph::ptx
