// The n neighbouring elements of one thread, of which at a tensor's end only `count` are there. Whole: all n are, at an
// address that is a multiple of 16 bytes or of their size together; then they move by 16 bytes where they have as many.
#pragma once
#include "cuda/vector.h"

namespace ph::cuda {

template <class S, int n>
using LargestPacked = Packed < S,
      n<per_16_bytes<S> ? n : per_16_bytes<S>>;

// Elements that are not there repeat the last one, so that arithmetic on them meets no garbage.
template <int n, class T, class S>
__device__ __forceinline__ void load_partial(T (&to)[n], const S* from, bool whole, int64_t count) {
  constexpr int each = sizeof(LargestPacked<S, n>) / sizeof(S);
  if (whole) {
    PH_UNROLL
    for (int i = 0; i < n; i += each) {
      const auto packed = *reinterpret_cast<const LargestPacked<S, n>*>(from + i);
      PH_UNROLL
      for (int e = 0; e < each; ++e) to[i + e] = load_as<T>(packed.element[e]);
    }
  } else {
    PH_UNROLL
    for (int i = 0; i < n; ++i) to[i] = load_as<T>(from[i < count ? i : count - 1]);
  }
}

template <int n, class T, class S>
__device__ __forceinline__ void store_partial(S* to, const T (&from)[n], bool whole, int64_t count) {
  constexpr int each = sizeof(LargestPacked<S, n>) / sizeof(S);
  if (whole) {
    PH_UNROLL
    for (int i = 0; i < n; i += each) {
      LargestPacked<S, n> packed;
      PH_UNROLL
      for (int e = 0; e < each; ++e) packed.element[e] = store_as<S>(from[i + e]);
      *reinterpret_cast<LargestPacked<S, n>*>(to + i) = packed;
    }
  } else {
    PH_UNROLL
    for (int i = 0; i < n; ++i) {
      if (i < count) to[i] = store_as<S>(from[i]);
    }
  }
}

}  // namespace ph::cuda
