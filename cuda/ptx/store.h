// Stores of 8 and 16 bytes to global memory as one instruction each. C++ can say it, with the copy of a struct or of a
// uint4, but nvcc takes such copies apart where it likes.
#pragma once
#include <cstdint>

#include "cuda/ptx/architecture.h"

namespace ph::ptx {

#if defined(PH_SIM)
template <class Word>
inline void store_in_simulator(void* to, const Word& word) {
  if (reinterpret_cast<uintptr_t>(to) % sizeof(Word)) sim::fail("store_global: the address is no multiple of the size");
  if (sim::is_shared(to)) sim::fail("store_global: the address is one of shared memory");
  std::memcpy(to, &word, sizeof(Word));
}
#endif

__device__ inline void store_global(void* to, const uint4& word) {
#if defined(PH_SIM)
  store_in_simulator(to, word);
#else
  asm volatile("st.global.v4.u32 [%0], {%1, %2, %3, %4};" ::"l"(__cvta_generic_to_global(to)), "r"(word.x), "r"(word.y),
               "r"(word.z), "r"(word.w)
               : "memory");
#endif
}
__device__ inline void store_global(void* to, const uint2& word) {
#if defined(PH_SIM)
  store_in_simulator(to, word);
#else
  asm volatile("st.global.v2.u32 [%0], {%1, %2};" ::"l"(__cvta_generic_to_global(to)), "r"(word.x), "r"(word.y)
               : "memory");
#endif
}

}  // namespace ph::ptx
