// Neighbouring elements in one load or store of up to 16 bytes, or a few of 16.
#pragma once
#include "cuda/element.h"

namespace ph::cuda {

template <class S, int n>
struct alignas(sizeof(S) * n < 16 ? sizeof(S) * n : 16) Packed {
  S element[n];
};

// The number of elements that 16 bytes hold.
template <class S>
constexpr int per_16_bytes = 16 / static_cast<int>(sizeof(S));

inline bool is_aligned(const void* at, size_t bytes = 16) { return reinterpret_cast<uintptr_t>(at) % bytes == 0; }

// A whole vector to global memory.
template <class S, int n>
__device__ __forceinline__ void store_packed(Packed<S, n>* to, const Packed<S, n>& packed) {
  constexpr int bytes = sizeof(packed);
  if constexpr (bytes % 8 == 0) {
    using Word = std::conditional_t<bytes % 16 == 0, uint4, uint2>;
    constexpr int words = bytes / static_cast<int>(sizeof(Word));
    Word word[words];
    memcpy(word, &packed, bytes);
    PH_UNROLL
    for (int w = 0; w < words; ++w) ptx::store_global(reinterpret_cast<char*>(to) + w * sizeof(Word), word[w]);
  } else {
    *to = packed;
  }
}

// n elements from an address that is a multiple of their size together, or of 16 bytes where that is more.
template <int n, class T, class S>
__device__ __forceinline__ void load_vector(T (&to)[n], const S* from) {
  const Packed<S, n> packed = *reinterpret_cast<const Packed<S, n>*>(from);
  PH_UNROLL
  for (int i = 0; i < n; ++i) to[i] = load_as<T>(packed.element[i]);
}

// n elements as they are stored; 16-bit floats are rounded in pairs.
template <class S, int n, class T>
__device__ __forceinline__ Packed<S, n> packed_as(const T (&from)[n]) {
  Packed<S, n> packed;
  if constexpr (n % 2 == 0 && std::is_same_v<T, Compute<S>> && !std::is_same_v<T, S>) {
    uint32_t pair[n / 2];
    PH_UNROLL
    for (int i = 0; i < n / 2; ++i) {
      const float first = from[2 * i], second = from[2 * i + 1];
      pair[i] = std::is_same_v<S, Float16> ? ptx::to_float16_pair(first, second) : ptx::to_bfloat16_pair(first, second);
    }
    memcpy(&packed, pair, sizeof(packed));
  } else {
    PH_UNROLL
    for (int i = 0; i < n; ++i) packed.element[i] = store_as<S>(from[i]);
  }
  return packed;
}
// To such an address in global memory.
template <int n, class T, class S>
__device__ __forceinline__ void store_vector(S* to, const T (&from)[n]) {
  store_packed(reinterpret_cast<Packed<S, n>*>(to), packed_as<S>(from));
}
// To one in shared memory.
template <int n, class T, class S>
__device__ __forceinline__ void store_shared_vector(S* to, const T (&from)[n]) {
  *reinterpret_cast<Packed<S, n>*>(to) = packed_as<S>(from);
}

// The same where the type is found at run time, once for all n: elements [at, at + n) of a tensor.
template <int n, class T>
__device__ __forceinline__ void load_elements(T (&to)[n], const void* from, DType storage, int64_t at) {
  with_stored_type(storage, [&](auto stored) { load_vector(to, static_cast<const decltype(stored)*>(from) + at); });
}
template <int n, class T>
__device__ __forceinline__ void store_elements(void* to, DType storage, int64_t at, const T (&from)[n]) {
  with_stored_type(storage, [&](auto stored) { store_vector(static_cast<decltype(stored)*>(to) + at, from); });
}

}  // namespace ph::cuda
