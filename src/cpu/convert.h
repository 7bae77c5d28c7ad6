// Bringing stored elements into a compute type and back.
#pragma once
#include <type_traits>

#include "core/dtype.h"
#include "core/half.h"
#if !defined(PH_SIMD_PORTABLE) && defined(__F16C__)
#include <immintrin.h>
#define PH_F16C
#endif

namespace ph::PH_LEVEL {
namespace {

template <class T, class S>
PH_INLINE void load_plain(T* to, const void* from, int64_t n) {
  const S* s = static_cast<const S*>(from);
  for (int64_t i = 0; i < n; ++i) to[i] = static_cast<T>(s[i]);
}

template <class T, class H>
PH_INLINE void load_half(T* to, const void* from, int64_t n) {
  const H* s = static_cast<const H*>(from);
  int64_t i = 0;
#ifdef PH_F16C
  if constexpr (std::is_same_v<T, float> && std::is_same_v<H, Float16>) {
    for (; i + 8 <= n; i += 8) {
      _mm256_storeu_ps(to + i, _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(s + i))));
    }
  }
#endif
  for (; i < n; ++i) to[i] = static_cast<T>(to_float(s[i]));
}

PH_INLINE void round_to(Float16& to, float from) { to = float16_from(from); }
PH_INLINE void round_to(BFloat16& to, float from) { to = bfloat16_from(from); }

template <class T, class H>
PH_INLINE void store_half(void* to, const T* from, int64_t n) {
  H* s = static_cast<H*>(to);
  int64_t i = 0;
#ifdef PH_F16C
  if constexpr (std::is_same_v<T, float> && std::is_same_v<H, Float16>) {
    for (; i + 8 <= n; i += 8) {
      _mm_storeu_si128(reinterpret_cast<__m128i*>(s + i),
                       _mm256_cvtps_ph(_mm256_loadu_ps(from + i), _MM_FROUND_TO_NEAREST_INT));
    }
  }
#endif
  for (; i < n; ++i) round_to(s[i], static_cast<float>(from[i]));
}

// to[i] = from[i] for n elements stored as `storage`; from has no alignment beyond the element's.
template <class T>
void load_converted(T* to, const void* from, DType storage, int64_t n) {
  switch (storage) {
    case DType::bool_:
    case DType::uint8:
      return load_plain<T, uint8_t>(to, from, n);
    case DType::int8:
      return load_plain<T, int8_t>(to, from, n);
    case DType::int16:
      return load_plain<T, int16_t>(to, from, n);
    case DType::int32:
      return load_plain<T, int32_t>(to, from, n);
    case DType::int64:
      return load_plain<T, int64_t>(to, from, n);
    case DType::uint16:
      return load_plain<T, uint16_t>(to, from, n);
    case DType::uint32:
      return load_plain<T, uint32_t>(to, from, n);
    case DType::uint64:
      return load_plain<T, uint64_t>(to, from, n);
    case DType::float16:
      return load_half<T, Float16>(to, from, n);
    case DType::bfloat16:
      return load_half<T, BFloat16>(to, from, n);
    case DType::float32:
      return load_plain<T, float>(to, from, n);
    case DType::float64:
      return load_plain<T, double>(to, from, n);
  }
}

template <class T, class S>
PH_INLINE void store_plain(void* to, const T* from, int64_t n) {
  S* s = static_cast<S*>(to);
  for (int64_t i = 0; i < n; ++i) s[i] = static_cast<S>(from[i]);
}

// The inverse; bool gets "is not zero", narrower integers the low bits.
template <class T>
void store_converted(void* to, const T* from, DType storage, int64_t n) {
  switch (storage) {
    case DType::bool_:
      for (int64_t i = 0; i < n; ++i) static_cast<uint8_t*>(to)[i] = from[i] != 0;
      return;
    case DType::uint8:
      return store_plain<T, uint8_t>(to, from, n);
    case DType::int8:
      return store_plain<T, int8_t>(to, from, n);
    case DType::int16:
      return store_plain<T, int16_t>(to, from, n);
    case DType::int32:
      return store_plain<T, int32_t>(to, from, n);
    case DType::int64:
      return store_plain<T, int64_t>(to, from, n);
    case DType::uint16:
      return store_plain<T, uint16_t>(to, from, n);
    case DType::uint32:
      return store_plain<T, uint32_t>(to, from, n);
    case DType::uint64:
      return store_plain<T, uint64_t>(to, from, n);
    case DType::float16:
      return store_half<T, Float16>(to, from, n);
    case DType::bfloat16:
      return store_half<T, BFloat16>(to, from, n);
    case DType::float32:
      return store_plain<T, float>(to, from, n);
    case DType::float64:
      return store_plain<T, double>(to, from, n);
  }
}

// All n elements, stored as `storage`, set to one value.
[[maybe_unused]] void fill_converted(void* to, double value, DType storage, int64_t n) {
  if (n == 0) return;
  const int64_t bytes = static_cast<int64_t>(size_of(storage));
  char* data = static_cast<char*>(to);
  store_converted(data, &value, storage, 1);
  int64_t done = 1;
  for (; done < n && done * bytes < 4096; done *= 2) {  // doubled up to a piece that stays in the cache
    __builtin_memcpy(data + done * bytes, data, static_cast<size_t>((n - done < done ? n - done : done) * bytes));
  }
  for (int64_t at = done; at < n; at += done) {
    __builtin_memcpy(data + at * bytes, data, static_cast<size_t>((n - at < done ? n - at : done) * bytes));
  }
}

}  // namespace
}  // namespace ph::PH_LEVEL
