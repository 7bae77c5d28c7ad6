// Vectors of float or double, PH_LANES floats wide. GCC's and clang's vector extensions are the one way they are
// written: compiled with a level's flags they become its instructions (fused multiply-adds included), compiled without,
// the same text computes the same lanes in pieces. So the 16-lane kernels run, slowly, on a processor that has 8 or 4.
// One thing has no such form and is written twice: AVX-512's loads and stores of a part of the lanes.
#pragma once
#if defined(__AVX512F__) && !defined(PH_SIMD_PORTABLE)
#include <immintrin.h>
#define PH_MASKED_VECTORS
#endif

#include <cstdint>

#include "core/inline.h"

#if !defined(PH_SIMD_PORTABLE) && (defined(__AVX512F__) || defined(__AVX2__))
#include <immintrin.h>
#endif

namespace ph::PH_LEVEL {
namespace {

constexpr int vector_bytes = PH_LANES * 4;

template <class T>
struct VectorOf;
template <>
struct VectorOf<float> {
  typedef float type __attribute__((vector_size(vector_bytes)));
  typedef float unaligned __attribute__((vector_size(vector_bytes), aligned(4), may_alias));
};
template <>
struct VectorOf<double> {
  typedef double type __attribute__((vector_size(vector_bytes)));
  typedef double unaligned __attribute__((vector_size(vector_bytes), aligned(8), may_alias));
};
template <class T>
using Vector = typename VectorOf<T>::type;

template <class T>
constexpr int lanes = vector_bytes / static_cast<int>(sizeof(T));

template <class T>
PH_INLINE Vector<T> load(const T* from) {
  return *reinterpret_cast<const typename VectorOf<T>::unaligned*>(from);
}
template <class T>
PH_INLINE void store(T* to, Vector<T> value) {
  *reinterpret_cast<typename VectorOf<T>::unaligned*>(to) = value;
}
template <class T>
PH_INLINE Vector<T> splat(T value) {
  return Vector<T>{} + value;
}

// The first n lanes, 0 <= n <= lanes, the others zero.
template <class T>
PH_INLINE Vector<T> load_some(const T* from, int n) {
  alignas(64) T lanes_of[lanes<T>] = {};
  for (int i = 0; i < n; ++i) lanes_of[i] = from[i];
  return load(lanes_of);
}
template <class T>
PH_INLINE void store_some(T* to, Vector<T> value, int n) {
  alignas(64) T lanes_of[lanes<T>];
  store(lanes_of, value);
  for (int i = 0; i < n; ++i) to[i] = lanes_of[i];
}
#ifdef PH_MASKED_VECTORS
PH_INLINE Vector<float> load_some(const float* from, int n) {
  return _mm512_maskz_loadu_ps(static_cast<__mmask16>((1u << n) - 1), from);
}
PH_INLINE Vector<double> load_some(const double* from, int n) {
  return _mm512_maskz_loadu_pd(static_cast<__mmask8>((1u << n) - 1), from);
}
PH_INLINE void store_some(float* to, Vector<float> value, int n) {
  _mm512_mask_storeu_ps(to, static_cast<__mmask16>((1u << n) - 1), value);
}
PH_INLINE void store_some(double* to, Vector<double> value, int n) {
  _mm512_mask_storeu_pd(to, static_cast<__mmask8>((1u << n) - 1), value);
}
#endif

// Copies n elements in vectors, the last of which overlaps the one before; short runs one by one.
template <class T>
PH_INLINE void copy_run(const T* from, T* to, int64_t n) {
  constexpr int64_t w = 16 / static_cast<int64_t>(sizeof(T));
  typedef T Piece __attribute__((vector_size(16), aligned(sizeof(T)), may_alias));
  if (n >= lanes<T>) {
    for (int64_t j = 0; j + lanes<T> <= n; j += lanes<T>) store(to + j, load(from + j));
    store(to + n - lanes<T>, load(from + n - lanes<T>));
  } else if (n >= w) {
    for (int64_t j = 0; j + w <= n; j += w)
      *reinterpret_cast<Piece*>(to + j) = *reinterpret_cast<const Piece*>(from + j);
    *reinterpret_cast<Piece*>(to + n - w) = *reinterpret_cast<const Piece*>(from + n - w);
  } else {
    for (int64_t j = 0; j < n; ++j) to[j] = from[j];
  }
}

template <class T>
PH_INLINE Vector<T> max_of(Vector<T> a, Vector<T> b) {
  return a > b ? a : b;
}

typedef uint64_t Vector64 __attribute__((vector_size(vector_bytes)));
constexpr int lanes64 = vector_bytes / 8;

// The 64-bit product of the low 32 bits of each lane.
PH_INLINE Vector64 multiply_low_halves(Vector64 a, Vector64 b) {
#if defined(PH_SIMD_PORTABLE)
  return (a & 0xffffffff) * (b & 0xffffffff);
#elif defined(__AVX512F__)
  return (Vector64)_mm512_maskz_mul_epu32(0xff, (__m512i)a, (__m512i)b);  // the plain form warns in GCC 12
#elif defined(__AVX2__)
  return (Vector64)_mm256_mul_epu32((__m256i)a, (__m256i)b);
#else
  return (a & 0xffffffff) * (b & 0xffffffff);
#endif
}

}  // namespace
}  // namespace ph::PH_LEVEL
