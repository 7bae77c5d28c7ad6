// Conversions between float32 and the 16-bit floats. The host and the simulator do what core/half.h says; the hardware
// differs in nothing but the bits of a NaN. (bfloat16 to float32 is a shift on every device: core/half.h.)
#pragma once
#include "core/half.h"
#include "cuda/ptx/architecture.h"

namespace ph::ptx {

__host__ __device__ inline float from_float16(Float16 x) {
#if PH_ARCH >= 750
  float result;
  asm("cvt.f32.f16 %0, %1;" : "=f"(result) : "h"(x.bits));
  return result;
#else
  return ph::to_float(x);
#endif
}

// Rounding to nearest, ties to even.
__host__ __device__ inline Float16 to_float16(float x) {
#if PH_ARCH >= 750
  Float16 result;
  asm("cvt.rn.f16.f32 %0, %1;" : "=h"(result.bits) : "f"(x));
  return result;
#else
  return float16_from(x);
#endif
}
__host__ __device__ inline BFloat16 to_bfloat16(float x) {
#if PH_ARCH >= 800
  BFloat16 result;
  asm("cvt.rn.bf16.f32 %0, %1;" : "=h"(result.bits) : "f"(x));
  return result;
#else
  return bfloat16_from(x);
#endif
}

// Two at once as they lie in memory, the first in the lower half.
__host__ __device__ inline uint32_t to_float16_pair(float first, float second) {
#if PH_ARCH >= 800
  uint32_t result;
  asm("cvt.rn.f16x2.f32 %0, %1, %2;" : "=r"(result) : "f"(second), "f"(first));
  return result;
#else
  return to_float16(first).bits | static_cast<uint32_t>(to_float16(second).bits) << 16;
#endif
}
__host__ __device__ inline uint32_t to_bfloat16_pair(float first, float second) {
#if PH_ARCH >= 800
  uint32_t result;
  asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(result) : "f"(second), "f"(first));
  return result;
#else
  return to_bfloat16(first).bits | static_cast<uint32_t>(to_bfloat16(second).bits) << 16;
#endif
}

}  // namespace ph::ptx
