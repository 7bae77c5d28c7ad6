// Random bits made into numbers of a distribution, by arithmetic that rounds alike on every device and with every C
// library. Files that include this are compiled without contraction of a * b + c: then the numbers are the same bits
// everywhere.
#pragma once
#include "ops/normal_quantile.h"

namespace ph::random {
namespace {

// An odd multiple of 2^-24 (2^-52 for double) in (-1, 1): symmetric, never 0 or 1, and exact.
PH_INLINE float symmetric(uint32_t word) {
  return static_cast<float>(static_cast<int32_t>((word >> 8) * 2 + 1) - (1 << 24)) * 0x1p-24f;
}
PH_INLINE double symmetric(uint64_t word) {
  return static_cast<double>(static_cast<int64_t>((word >> 12) * 2 + 1) - (int64_t{1} << 52)) * 0x1p-52;
}

// A multiple of 2^-24 (2^-53) in [0, 1).
PH_INLINE float unit(uint32_t word) { return static_cast<float>(static_cast<int32_t>(word >> 8)) * 0x1p-24f; }
PH_INLINE double unit(uint64_t word) { return static_cast<double>(word >> 11) * 0x1p-53; }

// Giles' single-precision inverse error function (GPU Computing Gems, 2010), relative error 4e-7, without branches.
PH_INLINE float inverse_erf(float x) {
  const float w = -scalar::log((1.0f - x) * (1.0f + x));
  const float near = w - 2.5f;
  float p = 2.81022636e-08f;
  p = p * near + 3.43273939e-07f;
  p = p * near - 3.5233877e-06f;
  p = p * near - 4.39150654e-06f;
  p = p * near + 0.00021858087f;
  p = p * near - 0.00125372503f;
  p = p * near - 0.00417768164f;
  p = p * near + 0.246640727f;
  p = p * near + 1.50140941f;
  const float far = scalar::sqrt(scalar::pick(w > 5.0f, w, 5.0f)) - 3.0f;
  float q = -0.000200214257f;
  q = q * far + 0.000100950558f;
  q = q * far + 0.00134934322f;
  q = q * far - 0.00367342844f;
  q = q * far + 0.00573950773f;
  q = q * far - 0.0076224613f;
  q = q * far + 0.00943887047f;
  q = q * far + 1.00167406f;
  q = q * far + 2.83297682f;
  return scalar::pick(w < 5.0f, p, q) * x;
}

// x such that a share (1 + y) / 2 of the standard normal distribution lies below it, for y in (-1, 1).
PH_INLINE float standard_normal(float y) { return 1.4142135623730951f * inverse_erf(y); }
PH_INLINE double standard_normal(double y) { return normal_quantile(y); }

// Each makes a number of one word: uint32_t for float, uint64_t for double and int64_t.

template <class T>
struct Uniform {
  T low, high;
  template <class Word>
  PH_INLINE T operator()(Word word) const {
    const T value = low + unit(word) * (high - low);
    return scalar::pick(value < high, value, low);  // rounding may have reached the end
  }
};

template <class T>
struct Normal {
  T mean, stddev;
  template <class Word>
  PH_INLINE T operator()(Word word) const {
    return mean + stddev * standard_normal(symmetric(word));
  }
};

template <class T>
struct TruncatedNormal {
  T mean, stddev;
  template <class Word>
  PH_INLINE T operator()(Word word) const {
    // erf(sqrt(2)): the share of a normal within two standard deviations
    const T z = standard_normal(T(0.95449973610364158) * symmetric(word));
    return mean + stddev * scalar::pick(z > T(2), T(2), scalar::pick(z < T(-2), T(-2), z));
  }
};

// low + word * range / 2^64, for integers in [low, low + range).
struct Integer {
  uint64_t low, range;
  PH_INLINE int64_t operator()(uint64_t word) const {
    __extension__ typedef unsigned __int128 Wide;
    return static_cast<int64_t>(low + static_cast<uint64_t>(static_cast<Wide>(word) * range >> 64));
  }
};

}  // namespace
}  // namespace ph::random
