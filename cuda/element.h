// Elements as they are stored and as kernels compute with them.
#pragma once
#include <type_traits>

#include "core/half.h"
#include "core/spec.h"
#include "cuda/gpu.h"

namespace ph::cuda {

// The type a kernel computes in for elements stored as S: float for the 16-bit floats, else S itself.
template <class S>
struct ComputeType {
  using type = S;
};
template <>
struct ComputeType<Float16> {
  using type = float;
};
template <>
struct ComputeType<BFloat16> {
  using type = float;
};
template <class S>
using Compute = typename ComputeType<S>::type;

// Any stored element as a T and back, as the CPU does it (cpu/convert.h).
template <class T, class S>
__device__ __forceinline__ T load_as(S stored) {
  if constexpr (std::is_same_v<S, Float16>) {
    return static_cast<T>(ptx::from_float16(stored));
  } else if constexpr (std::is_same_v<S, BFloat16>) {
    return static_cast<T>(to_float(stored));
  } else {
    return static_cast<T>(stored);
  }
}
template <class S, class T>
__host__ __device__ __forceinline__ S store_as(T value) {
  if constexpr (std::is_same_v<S, Float16>) {
    return ptx::to_float16(static_cast<float>(value));
  } else if constexpr (std::is_same_v<S, BFloat16>) {
    return ptx::to_bfloat16(static_cast<float>(value));
  } else if constexpr (std::is_same_v<S, bool>) {
    return value != T(0);
  } else {
    return static_cast<S>(value);
  }
}

// body(S()) with the type that elements of `dtype` are stored as; on the host (to choose a kernel's instance) and on
// the device (to load and store, the same way in all threads).
template <class Body>
__host__ __device__ __forceinline__ void with_stored_type(DType dtype, Body&& body) {
  switch (dtype) {
    case DType::bool_:
      return body(bool());
    case DType::int8:
      return body(int8_t());
    case DType::int16:
      return body(int16_t());
    case DType::int32:
      return body(int32_t());
    case DType::int64:
      return body(int64_t());
    case DType::uint8:
      return body(uint8_t());
    case DType::uint16:
      return body(uint16_t());
    case DType::uint32:
      return body(uint32_t());
    case DType::uint64:
      return body(uint64_t());
    case DType::float16:
      return body(Float16());
    case DType::bfloat16:
      return body(BFloat16());
    case DType::float32:
      return body(float());
    case DType::float64:
      return body(double());
  }
  __builtin_unreachable();
}

// The same for the four float types; does nothing for others, which accepts() refuses.
template <class Body>
void with_float_type(DType dtype, Body&& body) {
  switch (dtype) {
    case DType::float16:
      return body(Float16());
    case DType::bfloat16:
      return body(BFloat16());
    case DType::float32:
      return body(float());
    case DType::float64:
      return body(double());
    default:
      return;
  }
}

// Unsigned integers of an element's size, for kernels that only move elements.
template <class Body>
void with_word_type(DType dtype, Body&& body) {
  switch (size_of(dtype)) {
    case 1:
      return body(uint8_t());
    case 2:
      return body(uint16_t());
    case 4:
      return body(uint32_t());
    default:
      return body(uint64_t());
  }
}

// On the host: the bits of a value as it is stored, in the low bytes.
inline uint64_t stored_bits(double value, DType dtype) {
  uint64_t bits = 0;
  with_stored_type(dtype, [&](auto type) {
    const auto stored = store_as<decltype(type)>(value);
    memcpy(&bits, &stored, sizeof(stored));
  });
  return bits;
}

template <class T>
__device__ __forceinline__ T load_element(const void* from, DType storage, int64_t i) {
  T value{};
  with_stored_type(storage, [&](auto stored) {
    using S = decltype(stored);
    value = load_as<T>(static_cast<const S*>(from)[i]);
  });
  return value;
}
template <class T>
__device__ __forceinline__ void store_element(void* to, DType storage, int64_t i, T value) {
  with_stored_type(storage, [&](auto stored) {
    using S = decltype(stored);
    static_cast<S*>(to)[i] = store_as<S>(value);
  });
}

}  // namespace ph::cuda
