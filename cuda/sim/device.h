// What device code may call: indices, barriers, shuffles, votes, atomics and intrinsics.
#pragma once
#include <cmath>
#include <cstring>
#include <type_traits>

#include "cuda/sim/engine.h"

#define threadIdx (::ph::sim::current->index)
#define blockIdx (::ph::sim::current->block->index)
#define blockDim (::ph::sim::current->block->size)
#define gridDim (::ph::sim::current->block->grid)

// PH_SHARED(float, tile, [32][33]) declares static shared memory; PH_DYNAMIC_SHARED(float, all) names the dynamic one.
#define PH_SHARED(T, name, ...)                   \
  static char name##_declaration;                 \
  typedef T name##_type __VA_ARGS__;              \
  name##_type& name = *static_cast<name##_type*>( \
      ::ph::sim::shared_variable(&name##_declaration, sizeof(name##_type), alignof(name##_type)))
#define PH_DYNAMIC_SHARED(T, name) T* name = reinterpret_cast<T*>(::ph::sim::current->block->dynamic)

#define PH_SIM_CALLER const char *file = __builtin_FILE(), int line = __builtin_LINE()

inline void __syncthreads(PH_SIM_CALLER) { ph::sim::block_barrier({"__syncthreads", file, line}); }
inline void __syncwarp(unsigned mask = ~0u, PH_SIM_CALLER) {
  ph::sim::warp_meeting(mask, nullptr, nullptr, {"__syncwarp", file, line}, true, nullptr, nullptr);
}

namespace ph::sim {

enum class Shuffle { index, butterfly, down, up };
struct ShuffleWords {
  uint32_t word[4];
};
struct ShuffleInput {
  ShuffleWords words;
  int operand;
};
struct ShuffleArgument {
  Shuffle kind;
  int width;
};
void shuffle(const void** in, void** out, unsigned mask, const void* argument);
void ballot(const void** in, void** out, unsigned mask, const void* argument);

template <class T>
T shuffled(unsigned mask, T value, int operand, int width, Shuffle kind, const Place& place) {
  static_assert(sizeof(T) == 4 || sizeof(T) == 8 || sizeof(T) == 16);
  ShuffleInput in{{}, operand};
  std::memcpy(&in.words, &value, sizeof(T));
  const ShuffleArgument argument{kind, width};
  ShuffleWords result;
  warp_meeting(mask, &in, &result, place, false, shuffle, &argument);
  std::memcpy(&value, &result, sizeof(T));
  return value;
}

}  // namespace ph::sim

#define PH_SIM_SHUFFLE(name, kind)                                                             \
  template <class T>                                                                           \
  T name(unsigned mask, T value, int operand, int width = 32, PH_SIM_CALLER) {                 \
    return ph::sim::shuffled(mask, value, operand, width, ph::sim::kind, {#name, file, line}); \
  }
PH_SIM_SHUFFLE(__shfl_sync, Shuffle::index)
PH_SIM_SHUFFLE(__shfl_xor_sync, Shuffle::butterfly)
PH_SIM_SHUFFLE(__shfl_down_sync, Shuffle::down)
PH_SIM_SHUFFLE(__shfl_up_sync, Shuffle::up)
#undef PH_SIM_SHUFFLE

inline unsigned __ballot_sync(unsigned mask, int predicate, PH_SIM_CALLER) {
  unsigned result = 0;
  ph::sim::warp_meeting(mask, &predicate, &result, {"__ballot_sync", file, line}, false, ph::sim::ballot, nullptr);
  return result;
}
inline int __any_sync(unsigned mask, int predicate, PH_SIM_CALLER) {
  return __ballot_sync(mask, predicate, file, line) != 0;
}
inline int __all_sync(unsigned mask, int predicate, PH_SIM_CALLER) {
  return __ballot_sync(mask, !predicate, file, line) == 0;
}

inline void __threadfence() { ph::sim::memory_fence(); }
inline void __threadfence_block() { ph::sim::memory_fence(); }
template <class T>
T atomicAdd(T* at, T value) {
  static_assert(std::is_integral_v<T>, "the order of float atomics varies from run to run: not used here");
  return __atomic_fetch_add(at, value, __ATOMIC_RELAXED);
}
template <class T>
T atomicMax(T* at, T value) {
  T seen = __atomic_load_n(at, __ATOMIC_RELAXED);
  while (seen < value && !__atomic_compare_exchange_n(at, &seen, value, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
  }
  return seen;
}
template <class T>
T atomicCAS(T* at, T expected, T value) {
  __atomic_compare_exchange_n(at, &expected, value, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED);
  return expected;
}
template <class T>
T atomicExch(T* at, T value) {
  return __atomic_exchange_n(at, value, __ATOMIC_RELAXED);
}

template <class T>
T __ldg(const T* at) {
  return *at;
}
inline float rsqrtf(float x) { return 1.0f / std::sqrt(x); }
inline float __uint_as_float(unsigned bits) { return __builtin_bit_cast(float, bits); }
inline unsigned __float_as_uint(float x) { return __builtin_bit_cast(unsigned, x); }
inline int __popc(unsigned x) { return __builtin_popcount(x); }
inline int __ffs(int x) { return __builtin_ffs(x); }
inline int __clz(int x) { return x ? __builtin_clz(static_cast<unsigned>(x)) : 32; }
inline unsigned __umulhi(unsigned a, unsigned b) { return static_cast<unsigned>(uint64_t{a} * b >> 32); }
inline unsigned long long __umul64hi(unsigned long long a, unsigned long long b) {
  __extension__ using Wide = unsigned __int128;
  return static_cast<unsigned long long>(static_cast<Wide>(a) * b >> 64);
}
