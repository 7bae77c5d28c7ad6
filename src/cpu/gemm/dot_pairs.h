// AVX-512's dot product of bfloat16 pairs (AVX512_BF16, VDPBF16PS). In assembly, since the level's files are not
// compiled for it. The portable branch computes what Intel's manual says of the instruction (volume 2, VDPBF16PS),
// denormal numbers taken as and made zero included.
#pragma once
#include "cpu/gemm/tile_registers.h"

#if PH_LANES == 16

namespace ph::PH_LEVEL {
namespace {

typedef uint32_t Words __attribute__((vector_size(64)));

PH_INLINE Words load_pairs(const uint32_t* from) {
  Words pairs;
  __builtin_memcpy(&pairs, from, sizeof pairs);
  return pairs;
}

// In each of 16 lanes, sum += the two products of a's pair with b's.
#ifdef PH_SIMD_PORTABLE
PH_INLINE void add_dots(Vector<float>& sum, Words a, Words b) {
  for (int j = 0; j < 16; ++j) {
    const float a_low = flushed(bits_as_float(a[j] << 16)), a_high = flushed(bits_as_float(a[j] & 0xffff0000u));
    const float b_low = flushed(bits_as_float(b[j] << 16)), b_high = flushed(bits_as_float(b[j] & 0xffff0000u));
    const float half = flushed(__builtin_fmaf(a_high, b_high, flushed(sum[j])));
    sum[j] = flushed(__builtin_fmaf(a_low, b_low, half));
  }
}
#else
PH_INLINE void add_dots(Vector<float>& sum, Words a, Words b) {
  asm("vdpbf16ps %2, %1, %0" : "+v"(sum) : "v"(a), "v"(b));
}
#endif

}  // namespace
}  // namespace ph::PH_LEVEL

#endif
