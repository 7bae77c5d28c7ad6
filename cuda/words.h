// Moving elements without looking at them: as words of 1 to 16 bytes, as large as lengths and addresses admit.
#pragma once
#include "cuda/gpu.h"

namespace ph::cuda {

// The size of the largest word that divides all of what was or-ed together: addresses and lengths in bytes.
inline int64_t word_bytes(uint64_t lengths) {
  const uint64_t bits = lengths | 16;
  return static_cast<int64_t>(bits & (~bits + 1));
}
inline uint64_t address_bits(const void* at) { return reinterpret_cast<uintptr_t>(at); }

// body(Word()) with an unsigned type of 1, 2, 4, 8 or 16 bytes.
template <class Body>
void with_word(int64_t bytes, Body&& body) {
  switch (bytes) {
    case 1:
      return body(uint8_t());
    case 2:
      return body(uint16_t());
    case 4:
      return body(uint32_t());
    case 8:
      return body(uint64_t());
    default:
      return body(uint4());
  }
}

// A word filled with copies of a smaller one.
template <class Word, class Part>
__host__ __device__ __forceinline__ Word filled_word(Part part) {
  constexpr int count = sizeof(Word) / sizeof(Part);
  Part parts[count];
  PH_UNROLL
  for (int i = 0; i < count; ++i) parts[i] = part;
  Word word;
  memcpy(&word, parts, sizeof(Word));
  return word;
}

}  // namespace ph::cuda
