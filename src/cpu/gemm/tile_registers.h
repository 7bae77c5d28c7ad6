// The tile registers of Intel's AMX: eight matrices of 16 rows of 64 bytes, and the product of two of them that hold
// bfloat16 pairs. In assembly, since GCC's intrinsics take the number of a tile as literal text only. The portable
// branch computes what Intel's manual says of each instruction (volume 2, TDPBF16PS), denormal numbers taken as and
// made zero included.
#pragma once
#include "cpu/simd.h"

#if PH_LANES == 16

namespace ph::PH_LEVEL {
namespace {

constexpr int tile_rows = 16, tile_words = 16;  // 32-bit words of a row
constexpr int64_t tile_size = tile_rows * tile_words;

#ifdef PH_SIMD_PORTABLE

struct TileRegister {
  uint32_t word[tile_rows][tile_words];
};
PH_INLINE TileRegister* tile_registers() {
  static thread_local TileRegister tiles[8];
  return tiles;
}

PH_INLINE void begin_tiles() {}
PH_INLINE void end_tiles() {}

template <int tile>
PH_INLINE void zero_tile() {
  tile_registers()[tile] = {};
}
template <int tile>
PH_INLINE void load_tile(const void* from) {
  __builtin_memcpy(&tile_registers()[tile], from, sizeof(TileRegister));
}
template <int tile>
PH_INLINE void store_tile(float* to, int64_t row) {
  for (int i = 0; i < tile_rows; ++i) {
    __builtin_memcpy(to + i * row, tile_registers()[tile].word[i], sizeof(float) * tile_words);
  }
}

PH_INLINE float flushed(float x) { return __builtin_fabsf(x) < __FLT_MIN__ ? __builtin_copysignf(0.f, x) : x; }
PH_INLINE float bits_as_float(uint32_t bits) { return __builtin_bit_cast(float, bits); }

template <int c, int a, int b>
PH_INLINE void multiply_tiles() {
  TileRegister &sum = tile_registers()[c], &left = tile_registers()[a], &right = tile_registers()[b];
  for (int i = 0; i < tile_rows; ++i) {
    float low[tile_words] = {}, high[tile_words] = {};
    for (int k = 0; k < tile_rows; ++k) {
      const float a_low = flushed(bits_as_float(left.word[i][k] << 16));
      const float a_high = flushed(bits_as_float(left.word[i][k] & 0xffff0000u));
      for (int j = 0; j < tile_words; ++j) {
        const uint32_t pair = right.word[k][j];
        low[j] = flushed(__builtin_fmaf(a_low, flushed(bits_as_float(pair << 16)), low[j]));
        high[j] = flushed(__builtin_fmaf(a_high, flushed(bits_as_float(pair & 0xffff0000u)), high[j]));
      }
    }
    for (int j = 0; j < tile_words; ++j) {
      const float before = flushed(bits_as_float(sum.word[i][j]));
      sum.word[i][j] = __builtin_bit_cast(uint32_t, flushed(before + flushed(low[j] + high[j])));
    }
  }
}

#else

// The configuration belongs to the thread, and other libraries change it: it is set around each use. Idle tiles would
// also slow down the processor and every switch of threads.
PH_INLINE void begin_tiles() {
  struct alignas(64) {
    uint8_t palette = 1, start_row = 0, reserved[14] = {};
    uint16_t row_bytes[16] = {64, 64, 64, 64, 64, 64, 64, 64};
    uint8_t rows[16] = {16, 16, 16, 16, 16, 16, 16, 16};
  } config;
  asm volatile("ldtilecfg %0" ::"m"(config));
}
PH_INLINE void end_tiles() { asm volatile("tilerelease" ::: "memory"); }

template <int tile>
PH_INLINE void zero_tile() {
  asm volatile("tilezero %%tmm%c0" ::"i"(tile));
}
// (16, 16) words, dense.
template <int tile>
PH_INLINE void load_tile(const void* from) {
  asm volatile("tileloadd (%0,%1,1), %%tmm%c2" ::"r"(from), "r"(int64_t{64}), "i"(tile) : "memory");
}
// Rows `row` floats apart.
template <int tile>
PH_INLINE void store_tile(float* to, int64_t row) {
  asm volatile("tilestored %%tmm%c2, (%0,%1,1)" ::"r"(to), "r"(4 * row), "i"(tile) : "memory");
}
// c += a b: a's rows are pairs of bfloat16 numbers (i, 2 l and 2 l + 1), b's rows pairs of rows (2 l and 2 l + 1, j).
template <int c, int a, int b>
PH_INLINE void multiply_tiles() {
  asm volatile("tdpbf16ps %%tmm%c2, %%tmm%c1, %%tmm%c0" ::"i"(c), "i"(a), "i"(b));
}

#endif

}  // namespace
}  // namespace ph::PH_LEVEL

#endif
