// The references of the instructions in cuda/ptx: what they do, as plain loops written from the PTX manual. A
// conformance test on hardware holds the two against each other.
#pragma once
#include <cstdint>

#include "cuda/sim/engine.h"

namespace ph::sim::ptx {

struct MmaInput {
  uint32_t a[4], b[2];
  float c[4];
};
void mma_bfloat16(const void** in, void** out, unsigned mask, const void* argument);
void mma_float16(const void** in, void** out, unsigned mask, const void* argument);
void mma_tf32(const void** in, void** out, unsigned mask, const void* argument);

struct MatrixRow {
  uint16_t half[8];
};
void ldmatrix(const void** in, void** out, unsigned mask, const void* argument);
void ldmatrix_transposed(const void** in, void** out, unsigned mask, const void* argument);

// Where a byte of shared memory lies in a pattern of 32, 64 or 128 bytes: bits 4 and up are flipped by bits 7 and up.
constexpr uint32_t swizzled(uint32_t address, int pattern_bytes) {
  const uint32_t rows = pattern_bytes ? static_cast<uint32_t>(pattern_bytes) / 16 - 1 : 0;
  return address ^ (address >> 7 & rows) << 4;
}

// d (64 rows) = a b, or d += a b, over the descriptors and accumulators that the 128 threads bring.
void warpgroup_product_reference(const Product* const* products);

}  // namespace ph::sim::ptx
