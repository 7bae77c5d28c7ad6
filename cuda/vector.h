// Neighbouring elements in one load or store of up to 16 bytes.
#pragma once
#include "cuda/element.h"

namespace ph::cuda {

template <class S, int n>
struct alignas(sizeof(S) * n) Packed {
  S element[n];
};

// The number of elements that 16 bytes hold.
template <class S>
constexpr int per_16_bytes = 16 / static_cast<int>(sizeof(S));

inline bool is_aligned(const void* at, size_t bytes = 16) { return reinterpret_cast<uintptr_t>(at) % bytes == 0; }

// n elements from an address that is a multiple of their size together, and back.
template <int n, class T, class S>
__device__ __forceinline__ void load_vector(T (&to)[n], const S* from) {
  const Packed<S, n> packed = *reinterpret_cast<const Packed<S, n>*>(from);
  PH_UNROLL
  for (int i = 0; i < n; ++i) to[i] = load_as<T>(packed.element[i]);
}
template <int n, class T, class S>
__device__ __forceinline__ void store_vector(S* to, const T (&from)[n]) {
  Packed<S, n> packed;
  PH_UNROLL
  for (int i = 0; i < n; ++i) packed.element[i] = store_as<S>(from[i]);
  *reinterpret_cast<Packed<S, n>*>(to) = packed;
}

}  // namespace ph::cuda
