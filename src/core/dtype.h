// Element types: sizes, names, promotion.
#pragma once
#include <cstddef>
#include <cstdint>
#include <ostream>
#include <string_view>

#include "core/inline.h"

namespace ph {

enum class DType : int32_t {
  bool_,
  int8,
  int16,
  int32,
  int64,
  uint8,
  uint16,
  uint32,
  uint64,
  float16,
  bfloat16,
  float32,
  float64,
};
constexpr int dtype_count = 13;

PH_INLINE constexpr size_t size_of(DType dtype) {
  constexpr size_t sizes[dtype_count] = {1, 1, 2, 4, 8, 1, 2, 4, 8, 2, 2, 4, 8};
  return sizes[static_cast<int>(dtype)];
}
PH_INLINE constexpr bool is_float(DType dtype) { return dtype >= DType::float16; }
PH_INLINE constexpr bool is_half(DType dtype) { return dtype == DType::float16 || dtype == DType::bfloat16; }
PH_INLINE constexpr bool is_integer(DType dtype) { return dtype >= DType::int8 && dtype <= DType::uint64; }
PH_INLINE constexpr bool is_unsigned(DType dtype) { return dtype >= DType::uint8 && dtype <= DType::uint64; }

const char* name_of(DType dtype);

// Throws TypeError for an unknown name, listing the known ones.
DType dtype_from_name(std::string_view name);

// The type two tensors are brought to before arithmetic: Keras 3's (that is JAX's) lattice, in which an integer never
// widens a float: int64 with float16 gives float16.
DType promote(DType a, DType b);

std::ostream& operator<<(std::ostream& out, DType dtype);

template <class T>
constexpr DType dtype_of();
template <>
PH_INLINE constexpr DType dtype_of<bool>() {
  return DType::bool_;
}
template <>
PH_INLINE constexpr DType dtype_of<int8_t>() {
  return DType::int8;
}
template <>
PH_INLINE constexpr DType dtype_of<int16_t>() {
  return DType::int16;
}
template <>
PH_INLINE constexpr DType dtype_of<int32_t>() {
  return DType::int32;
}
template <>
PH_INLINE constexpr DType dtype_of<int64_t>() {
  return DType::int64;
}
template <>
PH_INLINE constexpr DType dtype_of<uint8_t>() {
  return DType::uint8;
}
template <>
PH_INLINE constexpr DType dtype_of<uint16_t>() {
  return DType::uint16;
}
template <>
PH_INLINE constexpr DType dtype_of<uint32_t>() {
  return DType::uint32;
}
template <>
PH_INLINE constexpr DType dtype_of<uint64_t>() {
  return DType::uint64;
}
template <>
PH_INLINE constexpr DType dtype_of<float>() {
  return DType::float32;
}
template <>
PH_INLINE constexpr DType dtype_of<double>() {
  return DType::float64;
}

}  // namespace ph
