// What instructions do to memory on a thread's behalf. Built as kernels are, so that sanitizers watch it, while the
// engine is not watched.
#include "cuda/sim/memory.h"

#include <cstring>

#include "core/half.h"

namespace ph::sim {

void copy_now(const Copy& copy) {
  switch (copy.bytes) {
    case 4:
      *static_cast<uint32_t*>(copy.to) = copy.enabled ? *static_cast<const uint32_t*>(copy.from) : 0;
      break;
    case 8:
      *static_cast<uint2*>(copy.to) = copy.enabled ? *static_cast<const uint2*>(copy.from) : uint2{};
      break;
    default:
      *static_cast<uint4*>(copy.to) = copy.enabled ? *static_cast<const uint4*>(copy.from) : uint4{};
  }
}

// Ties to even, as seen on an H100 (ptx::to_tf32 rounds them away from zero); Inf and NaN stay.
static uint32_t rounded_to_tf32(uint32_t bits) {
  const bool is_finite = (bits >> 23 & 0xff) != 0xff;
  return is_finite ? (bits + 0xfff + (bits >> 13 & 1)) & ~uint32_t{0x1fff} : bits;
}

void copy_chunk(const Tile& tile, const char* row, int64_t column, char* to) {
  for (int e = 0; e < 16 / tile.element_bytes; ++e, ++column, to += tile.element_bytes) {
    const bool inside = row && column >= 0 && column < tile.last().size;
    const char* from = inside ? row + column * tile.element_bytes : nullptr;
    if (tile.element_bytes == 2) {
      *reinterpret_cast<uint16_t*>(to) = inside ? *reinterpret_cast<const uint16_t*>(from) : 0;
    } else {
      const uint32_t bits = inside ? *reinterpret_cast<const uint32_t*>(from) : 0;
      *reinterpret_cast<uint32_t*>(to) = tile.rounds_to_tf32 ? rounded_to_tf32(bits) : bits;
    }
  }
}

float bfloat16_at(const char* at) { return to_float(*reinterpret_cast<const BFloat16*>(at)); }
float float16_at(const char* at) { return to_float(*reinterpret_cast<const Float16*>(at)); }
// Tensor cores read the upper 19 bits.
float tf32_at(const char* at) {
  return __builtin_bit_cast(float, *reinterpret_cast<const uint32_t*>(at) & ~uint32_t{0x1fff});
}

}  // namespace ph::sim
