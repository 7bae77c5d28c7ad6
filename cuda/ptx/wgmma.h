// Products on tensor cores by a warpgroup, 128 threads, over tiles in shared memory, while the threads go on (wgmma).
#pragma once
#include "cuda/ptx/tma.h"
#if defined(PH_SIM)
#include "cuda/sim/memory.h"
#endif

namespace ph::ptx {

// Describes a tile in dynamic shared memory. A tile whose rows run along the depth (K) is "not transposed", one whose
// rows run along M or N is "transposed". Bytes from one unit to the next, a unit being 8 rows as wide as the swizzle:
// `stride` to the next 8 rows, `leading` to the columns beside. Without a swizzle units are 8 rows of 16 bytes;
// transposed, the two then change places. One product takes 32 bytes of depth; the next begins at `tile` + 32 bytes, or
// transposed 32 / element size rows on.
__device__ inline uint64_t describe(const void* tile, Swizzle swizzle, int leading, int stride) {
#if defined(PH_SIM)
  const uint32_t start = sim::shared_address(tile);
#else
  const uint32_t start = shared_address(tile);
#endif
  const uint64_t pattern = swizzle == Swizzle::bytes128  ? 1
                           : swizzle == Swizzle::bytes64 ? 2
                           : swizzle == Swizzle::bytes32 ? 3
                                                         : 0;
  return (start & 0x3ffff) >> 4 | static_cast<uint64_t>(leading >> 4) << 16 | static_cast<uint64_t>(stride >> 4) << 32 |
         pattern << 62;
}

// Before the first product, and whenever other instructions may have touched the accumulators.
__device__ inline void fence_products() {
#if defined(PH_SIM)
  sim::fence_products();
#elif PH_HAS_WGMMA
  asm volatile("wgmma.fence.sync.aligned;" ::: "memory");
#endif
}
// Closes the group of the products begun since the last call.
__device__ inline void commit_products() {
#if defined(PH_SIM)
  sim::commit_products();
#elif PH_HAS_WGMMA
  asm volatile("wgmma.commit_group.sync.aligned;" ::: "memory");
#endif
}
// Waits until at most `pending` groups are under way; accumulators of the others may be read.
template <int pending>
__device__ inline void wait_products() {
#if defined(PH_SIM)
  sim::wait_products(pending);
#elif PH_HAS_WGMMA
  asm volatile("wgmma.wait_group.sync.aligned %0;" ::"n"(pending) : "memory");
#endif
}

// Warpgroups of one kernel share the registers out: those that only copy need few. Multiples of 8, 24 to 256.
template <int registers>
__device__ inline void take_registers() {
#if PH_HAS_WGMMA
  asm volatile("setmaxnreg.inc.sync.aligned.u32 %0;" ::"n"(registers));
#endif
}
template <int registers>
__device__ inline void give_registers() {
#if PH_HAS_WGMMA
  asm volatile("setmaxnreg.dec.sync.aligned.u32 %0;" ::"n"(registers));
#endif
}

#if defined(PH_SIM)
template <class T>
constexpr int least_exponent = std::is_same_v<T, Float16> ? -14 : -126;  // of normal numbers
inline float (*element_of(const float*))(const char*) { return sim::tf32_at; }
inline float (*element_of(const Float16*))(const char*) { return sim::float16_at; }
inline float (*element_of(const BFloat16*))(const char*) { return sim::bfloat16_at; }
#elif PH_HAS_WGMMA
// The accumulators as text and as operands, 32 at a time.
#define PH_TEXT8(a, b, c, d, e, f, g, h) "%" #a ",%" #b ",%" #c ",%" #d ",%" #e ",%" #f ",%" #g ",%" #h
#define PH_TEXT32                                                                                                      \
  PH_TEXT8(0, 1, 2, 3, 4, 5, 6, 7)                                                                                     \
  "," PH_TEXT8(8, 9, 10, 11, 12, 13, 14, 15) "," PH_TEXT8(16, 17, 18, 19, 20, 21, 22, 23) "," PH_TEXT8(24, 25, 26, 27, \
                                                                                                       28, 29, 30, 31)
#define PH_TEXT64                                                                                                   \
  PH_TEXT32 "," PH_TEXT8(32, 33, 34, 35, 36, 37, 38, 39) "," PH_TEXT8(40, 41, 42, 43, 44, 45, 46, 47) "," PH_TEXT8( \
      48, 49, 50, 51, 52, 53, 54, 55) "," PH_TEXT8(56, 57, 58, 59, 60, 61, 62, 63)
#define PH_TEXT128                                                                                                     \
  PH_TEXT64 "," PH_TEXT8(64, 65, 66, 67, 68, 69, 70, 71) "," PH_TEXT8(72, 73, 74, 75, 76, 77, 78, 79) "," PH_TEXT8(    \
      80, 81, 82, 83, 84, 85, 86,                                                                                      \
      87) "," PH_TEXT8(88, 89, 90, 91, 92, 93, 94,                                                                     \
                       95) "," PH_TEXT8(96, 97, 98, 99, 100, 101, 102,                                                 \
                                        103) "," PH_TEXT8(104, 105, 106, 107, 108, 109, 110,                           \
                                                          111) "," PH_TEXT8(112, 113, 114, 115, 116, 117, 118,         \
                                                                            119) "," PH_TEXT8(120, 121, 122, 123, 124, \
                                                                                              125, 126, 127)
#define PH_SUMS4(i) "+f"(d[i]), "+f"(d[i + 1]), "+f"(d[i + 2]), "+f"(d[i + 3])
#define PH_SUMS16(i) PH_SUMS4(i), PH_SUMS4(i + 4), PH_SUMS4(i + 8), PH_SUMS4(i + 12)
#define PH_SUMS32 PH_SUMS16(0), PH_SUMS16(16)
#define PH_SUMS64 PH_SUMS32, PH_SUMS16(32), PH_SUMS16(48)
#define PH_SUMS128 PH_SUMS64, PH_SUMS16(64), PH_SUMS16(80), PH_SUMS16(96), PH_SUMS16(112)

#define PH_WGMMA(shape_and_types, half_n, a_number, b_number, adds_number, transposes)    \
  asm volatile("{\n.reg .pred adds;\nsetp.ne.b32 adds, %" #adds_number                    \
               ", 0;\nwgmma.mma_async.sync.aligned." shape_and_types " {" PH_TEXT##half_n \
               "}, %" #a_number ", %" #b_number ", adds, 1, 1" transposes ";\n}"          \
               : PH_SUMS##half_n                                                          \
               : "l"(a), "l"(b), "r"(int{adds}), "n"(int{a_transposed}), "n"(int{b_transposed}))
#define PH_WGMMA_SIZES(depth, types, transposes32, transposes64, transposes128) \
  if constexpr (n == 64) {                                                      \
    PH_WGMMA("m64n64" depth ".f32." types, 32, 32, 33, 34, transposes32);       \
  } else if constexpr (n == 128) {                                              \
    PH_WGMMA("m64n128" depth ".f32." types, 64, 64, 65, 66, transposes64);      \
  } else {                                                                      \
    PH_WGMMA("m64n256" depth ".f32." types, 128, 128, 129, 130, transposes128); \
  }
#endif

// d = a b, or d += a b: a 64 rows, b n columns, the depth 32 bytes of T, where float counts as tf32. Thread t of the
// warpgroup holds in d[e] row t / 32 * 16 + t % 32 / 4 + e / 2 % 2 * 8, column e / 4 * 8 + t % 4 * 2 + e % 2.
template <class T, int n, bool a_transposed, bool b_transposed>
__device__ inline void wgmma(float (&d)[n / 2], uint64_t a, uint64_t b, bool adds) {
  static_assert(n == 64 || n == 128 || n == 256);
  static_assert(sizeof(T) == 2 || !(a_transposed || b_transposed), "tf32 tiles are not transposed");
#if defined(PH_SIM)
  static const sim::ProductKind kind{
      n, sizeof(T), element_of(static_cast<const T*>(nullptr)), a_transposed, b_transposed, least_exponent<T>};
  sim::start_product({&kind, a, b, d, adds});
#elif PH_HAS_WGMMA
  if constexpr (std::is_same_v<T, BFloat16>) {
    PH_WGMMA_SIZES("k16", "bf16.bf16", ", %35, %36", ", %67, %68", ", %131, %132")
  } else if constexpr (std::is_same_v<T, Float16>) {
    PH_WGMMA_SIZES("k16", "f16.f16", ", %35, %36", ", %67, %68", ", %131, %132")
  } else {
    PH_WGMMA_SIZES("k8", "tf32.tf32", "", "", "")
  }
#else
  __trap();
#endif
}

}  // namespace ph::ptx
