// The formulas of the elementwise ops, one per op, for every device: the CPU's tiles, CUDA kernels and their simulator.
// float versions of the transcendental functions are branch-free polynomials, so that a compiler can run them on whole
// vectors; their largest error in units of the last place stands beside each. double versions call the C library.
#pragma once
#include <bit>
#include <cmath>
#include <cstdint>
#include <type_traits>

#include "core/inline.h"

// Internal linkage: each file compiled for an instruction-set level keeps its own copies.
namespace ph::scalar {
namespace {

template <class T>
constexpr bool is_floating = std::is_floating_point_v<T>;

PH_INLINE float bits_to_float(int32_t bits) { return __builtin_bit_cast(float, bits); }
PH_INLINE int32_t float_to_bits(float x) { return __builtin_bit_cast(int32_t, x); }

// Selects without a branch the vectoriser could not remove.
template <class T>
PH_INLINE T pick(bool condition, T a, T b) {
  return condition ? a : b;
}

// 2^n for integer-valued n in [-126, 127]; infinity for 128.
PH_INLINE float power_of_two(float n) { return bits_to_float((static_cast<int32_t>(n) + 127) << 23); }

// Nearest integer for |x| < 2^22, without a library call: adding 1.5 * 2^23 leaves no fraction bits.
PH_INLINE float nearest(float x) {
  const float shifted = x + 12582912.0f;
  return shifted - 12582912.0f;
}

// Bounds without a branch; NaN stays NaN.
PH_INLINE float within(float low, float x, float high) {
  const float raised = pick(x < low, low, x);
  return pick(raised > high, high, raised);
}

// e^x = 2^n (1 + q). x = n ln2 + r, |r| <= ln2 / 2, Cephes polynomial in r.
struct ExpParts {
  float n, q;
};
PH_INLINE ExpParts exp_parts(float x) {
  const float n = nearest(x * 1.44269504088896341f);
  float r = x - n * 0.693359375f;
  r = r - n * -2.12194440e-4f;
  float p = 1.9875691500e-4f;
  p = p * r + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  return {n, p * (r * r) + r};
}

// e^x, 1 ulp. 2^n in two factors so that subnormal results round.
PH_INLINE float exp(float x) {
  const ExpParts e = exp_parts(within(-104.0f, x, 89.0f));
  const float half = nearest(e.n * 0.5f);
  const float result = (e.q + 1.0f) * power_of_two(half) * power_of_two(e.n - half);
  return pick(x != x, x, result);
}

// ln(x), 1 ulp. Cephes: x = 2^e m, m in [sqrt(1/2), sqrt(2)).
PH_INLINE float log(float x) {
  const bool subnormal = x < 1.17549435e-38f;
  const float scaled = pick(subnormal, x * 8388608.0f, x);
  const int32_t bits = float_to_bits(scaled);
  float e = static_cast<float>((bits >> 23) - 126) - pick(subnormal, 23.0f, 0.0f);
  float m = bits_to_float((bits & 0x007fffff) | 0x3f000000);
  const bool low = m < 0.707106781186547524f;
  e = e - pick(low, 1.0f, 0.0f);
  m = m + pick(low, m, 0.0f) - 1.0f;
  const float z = m * m;
  float p = 7.0376836292e-2f;
  p = p * m - 1.1514610310e-1f;
  p = p * m + 1.1676998740e-1f;
  p = p * m - 1.2420140846e-1f;
  p = p * m + 1.4249322787e-1f;
  p = p * m - 1.6668057665e-1f;
  p = p * m + 2.0000714765e-1f;
  p = p * m - 2.4999993993e-1f;
  p = p * m + 3.3333331174e-1f;
  float y = m * z * p;
  y = y + e * -2.12194440e-4f;
  y = y - 0.5f * z;
  float result = m + y + e * 0.693359375f;
  result = pick(x == INFINITY, x, result);
  result = pick(x == 0.0f, -INFINITY, result);
  return pick(x < 0.0f || x != x, static_cast<float>(NAN), result);
}

// e^x - 1, 4 ulp: polynomial near 0, exp elsewhere.
PH_INLINE float expm1(float x) {
  float p = 1.9875691500e-4f;
  p = p * x + 1.3981999507e-3f;
  p = p * x + 8.3334519073e-3f;
  p = p * x + 4.1665795894e-2f;
  p = p * x + 1.6666665459e-1f;
  p = p * x + 5.0000001201e-1f;
  const float near = p * (x * x) + x;
  const float far = exp(x) - 1.0f;
  const bool is_near = x > -0.34f && x < 0.34f;
  return pick(is_near, near, far);
}

// ln(1 + x), 2 ulp: log of the rounded sum, corrected by what the rounding lost (Kahan).
PH_INLINE float log1p(float x) {
  const float u = 1.0f + x;
  const float lost = x - (u - 1.0f);
  const float corrected = log(u) + lost / u;
  const bool exact = u == 1.0f;
  const bool special = !(u > 0.0f) || u == INFINITY;
  return pick(special, log(u), pick(exact, x, corrected));
}

// tanh, 3 ulp: m / (m + 2) with m = e^2x - 1, which keeps the digits of a small x.
PH_INLINE float tanh(float x) {
  const ExpParts e = exp_parts(within(-20.0f, x + x, 20.0f));
  const float scale = power_of_two(e.n);
  const float m = e.q * scale + (scale - 1.0f);
  return m / (m + 2.0f);
}

// 1 / (1 + e^-x), 3 ulp; 0 below the smallest normal number.
PH_INLINE float sigmoid(float x) {
  const ExpParts e = exp_parts(within(-87.0f, -x, 89.0f));
  return 1.0f / (1.0f + (1.0f + e.q) * power_of_two(e.n));
}

// ln(1 + e^x), 2 ulp.
PH_INLINE float softplus(float x) {
  const float magnitude = bits_to_float(float_to_bits(x) & 0x7fffffff);
  const float tail = log1p(exp(-magnitude));
  return pick(x > 0.0f, x, 0.0f) + pick(x != x, x, tail);
}

// Error function, 1 ulp: N. Juffa's minimax polynomials, odd below 0.92, 1 - e^p above.
PH_INLINE float erf(float x) {
  const float magnitude = bits_to_float(float_to_bits(x) & 0x7fffffff);
  const float z = x * x;
  float p = -5.96761703e-4f;
  p = p * z + 4.99119423e-3f;
  p = p * z - 2.67681349e-2f;
  p = p * z + 1.12819925e-1f;
  p = p * z - 3.76125336e-1f;
  p = p * z + 1.28379166e-1f;
  const float near = p * x + x;
  float q = (-1.72853470e-5f * magnitude + 3.83197126e-4f) * z + (-3.88396438e-3f * magnitude + 2.42546219e-2f);
  q = q * magnitude - 1.06777877e-1f;
  q = q * magnitude - 6.34846687e-1f;
  q = q * magnitude - 1.28717512e-1f;
  q = q * magnitude - magnitude;
  const float far = 1.0f - exp(pick(magnitude > 4.0f, -20.0f, q));
  const float signed_far = bits_to_float(float_to_bits(far) | (float_to_bits(x) & INT32_MIN));
  return pick(x != x, x, pick(magnitude < 0.921875f, near, signed_far));
}

PH_INLINE double erf(double x) { return ::erf(x); }
PH_INLINE double exp(double x) { return ::exp(x); }
PH_INLINE double log(double x) { return ::log(x); }
PH_INLINE double expm1(double x) { return ::expm1(x); }
PH_INLINE double log1p(double x) { return ::log1p(x); }
PH_INLINE double tanh(double x) { return ::tanh(x); }
PH_INLINE double sigmoid(double x) {
  const double e = ::exp(-::fabs(x));
  return x >= 0 ? 1 / (1 + e) : x != x ? x : e / (1 + e);
}
PH_INLINE double softplus(double x) { return (x > 0 ? x : 0) + (x != x ? x : ::log1p(::exp(-::fabs(x)))); }

// The C library's functions, element by element.
#define PH_FROM_LIBRARY(name, c_name)                      \
  PH_INLINE float name(float x) { return ::c_name##f(x); } \
  PH_INLINE double name(double x) { return ::c_name(x); }
PH_FROM_LIBRARY(sin, sin)
PH_FROM_LIBRARY(cos, cos)
PH_FROM_LIBRARY(tan, tan)
PH_FROM_LIBRARY(arcsin, asin)
PH_FROM_LIBRARY(arccos, acos)
PH_FROM_LIBRARY(arctan, atan)
PH_FROM_LIBRARY(sinh, sinh)
PH_FROM_LIBRARY(cosh, cosh)
PH_FROM_LIBRARY(arcsinh, asinh)
PH_FROM_LIBRARY(arccosh, acosh)
PH_FROM_LIBRARY(arctanh, atanh)
PH_FROM_LIBRARY(sqrt, sqrt)
PH_FROM_LIBRARY(floor, floor)
PH_FROM_LIBRARY(ceil, ceil)
PH_FROM_LIBRARY(trunc, trunc)
PH_FROM_LIBRARY(round, rint)  // halves to even, as NumPy
#undef PH_FROM_LIBRARY
PH_INLINE float arctan2(float a, float b) { return ::atan2f(a, b); }
PH_INLINE double arctan2(double a, double b) { return ::atan2(a, b); }

// Inverse error function: Giles' approximation (GPU Computing Gems, 2010), then two Newton steps in double.
PH_INLINE double erfinv(double x) {
  if (!(x > -1 && x < 1)) return x == 1 ? INFINITY : x == -1 ? -INFINITY : NAN;
  double w = -::log((1 - x) * (1 + x)), p;
  if (w < 5) {
    w -= 2.5;
    p = 2.81022636e-08;
    p = 3.43273939e-07 + p * w;
    p = -3.5233877e-06 + p * w;
    p = -4.39150654e-06 + p * w;
    p = 0.00021858087 + p * w;
    p = -0.00125372503 + p * w;
    p = -0.00417768164 + p * w;
    p = 0.246640727 + p * w;
    p = 1.50140941 + p * w;
  } else {
    w = ::sqrt(w) - 3;
    p = -0.000200214257;
    p = 0.000100950558 + p * w;
    p = 0.00134934322 + p * w;
    p = -0.00367342844 + p * w;
    p = 0.00573950773 + p * w;
    p = -0.0076224613 + p * w;
    p = 0.00943887047 + p * w;
    p = 1.00167406 + p * w;
    p = 2.83297682 + p * w;
  }
  double y = p * x;
  for (int i = 0; i < 2; ++i) y -= (::erf(y) - x) * 0.88622692545275801 * ::exp(y * y);
  return y;
}
PH_INLINE float erfinv(float x) { return static_cast<float>(erfinv(static_cast<double>(x))); }

// Integer arithmetic wraps round as in NumPy: done in the unsigned type, where C++ defines it.
template <class T, bool integral = std::is_integral_v<T>>
struct WrappingType {
  using type = T;
};
template <class T>
struct WrappingType<T, true> {
  using type = std::make_unsigned_t<T>;
};
template <class T>
using Wrapping = typename WrappingType<T>::type;

template <class T>
PH_INLINE T negative(T x) {
  return static_cast<T>(-static_cast<Wrapping<T>>(x));
}
template <class T>
PH_INLINE T abs(T x) {
  if constexpr (is_floating<T>) {
    using Bits = std::conditional_t<sizeof(T) == 4, uint32_t, uint64_t>;
    return __builtin_bit_cast(T, static_cast<Bits>(__builtin_bit_cast(Bits, x) << 1 >> 1));
  } else {
    return x < 0 ? negative(x) : x;
  }
}
template <class T>
PH_INLINE T sign(T x) {
  const T magnitude = static_cast<T>((x > 0) - (x < 0));
  if constexpr (is_floating<T>) return pick(x != x, x, magnitude);
  return magnitude;
}
template <class T>
PH_INLINE T reciprocal(T x) {
  return 1 / x;
}
template <class T>
PH_INLINE T rsqrt(T x) {
  return 1 / sqrt(x);
}
template <class T>
PH_INLINE T relu(T x) {
  return x < 0 ? T(0) : x;  // NaN stays NaN
}
template <class T>
PH_INLINE T isnan(T x) {
  return static_cast<T>(x != x);
}
template <class T>
PH_INLINE T isinf(T x) {
  return static_cast<T>(abs(x) == static_cast<T>(INFINITY));
}
template <class T>
PH_INLINE T isfinite(T x) {
  return static_cast<T>(abs(x) < static_cast<T>(INFINITY));
}

template <class T>
PH_INLINE T add(T a, T b) {
  return static_cast<T>(static_cast<Wrapping<T>>(a) + static_cast<Wrapping<T>>(b));
}
template <class T>
PH_INLINE T subtract(T a, T b) {
  return static_cast<T>(static_cast<Wrapping<T>>(a) - static_cast<Wrapping<T>>(b));
}
template <class T>
PH_INLINE T multiply(T a, T b) {
  return static_cast<T>(static_cast<Wrapping<T>>(a) * static_cast<Wrapping<T>>(b));
}
template <class T>
PH_INLINE T square(T x) {
  return multiply(x, x);
}
template <class T>
PH_INLINE T divide(T a, T b) {
  return a / b;
}
template <class T>
PH_INLINE T maximum(T a, T b) {  // NaN in either gives NaN
  return a > b || a != a ? a : b;
}
template <class T>
PH_INLINE T minimum(T a, T b) {
  return a < b || a != a ? a : b;
}
template <class T>
PH_INLINE T floor_divide(T a, T b) {
  if constexpr (is_floating<T>) {
    return floor(a / b);
  } else {
    if (b == 0) return 0;  // as NumPy, which warns
    if (b == T(-1)) return negative(a);
    const T q = a / b;
    return a % b != 0 && (a < 0) != (b < 0) ? q - 1 : q;
  }
}
// The result has the divisor's sign, as in Python.
template <class T>
PH_INLINE T mod(T a, T b) {
  if constexpr (is_floating<T>) {
    const T r = std::fmod(a, b);
    return r != 0 && (r < 0) != (b < 0) ? r + b : r;
  } else {
    if (b == 0 || b == T(-1)) return 0;
    const T r = a % b;
    return r != 0 && (r < 0) != (b < 0) ? r + b : r;
  }
}
template <class T>
PH_INLINE T power(T a, T b) {
  if constexpr (is_floating<T>) {
    return std::pow(a, b);
  } else {
    if (b < 0) return a == 1 ? 1 : a == T(-1) ? (b % 2 ? -1 : 1) : 0;
    T result = 1;
    for (; b > 0; b >>= 1) {
      if (b & 1) result = multiply(result, a);
      a = multiply(a, a);
    }
    return result;
  }
}
template <class T>
PH_INLINE T divide_no_nan(T a, T b) {
  return b == 0 ? T(0) : a / b;
}
template <class T>
PH_INLINE T relu_grad(T dy, T y) {
  return y > 0 ? dy : T(0);
}

template <class T>
PH_INLINE T equal(T a, T b) {
  return static_cast<T>(a == b);
}
template <class T>
PH_INLINE T not_equal(T a, T b) {
  return static_cast<T>(a != b);
}
template <class T>
PH_INLINE T less(T a, T b) {
  return static_cast<T>(a < b);
}
template <class T>
PH_INLINE T less_equal(T a, T b) {
  return static_cast<T>(a <= b);
}
template <class T>
PH_INLINE T greater(T a, T b) {
  return static_cast<T>(a > b);
}
template <class T>
PH_INLINE T greater_equal(T a, T b) {
  return static_cast<T>(a >= b);
}
template <class T>
PH_INLINE T logical_not(T x) {
  return static_cast<T>(x == 0);
}
template <class T>
PH_INLINE T logical_and(T a, T b) {
  return static_cast<T>((a != 0) & (b != 0));
}
template <class T>
PH_INLINE T logical_or(T a, T b) {
  return static_cast<T>((a != 0) | (b != 0));
}
template <class T>
PH_INLINE T logical_xor(T a, T b) {
  return static_cast<T>((a != 0) != (b != 0));
}
template <class T>
PH_INLINE T bitwise_not(T x) {
  return ~x;
}
template <class T>
PH_INLINE T bitwise_and(T a, T b) {
  return a & b;
}
template <class T>
PH_INLINE T bitwise_or(T a, T b) {
  return a | b;
}
template <class T>
PH_INLINE T bitwise_xor(T a, T b) {
  return a ^ b;
}
template <class T>
PH_INLINE T left_shift(T a, T b) {
  return b < 0 || b >= T(8 * sizeof(T)) ? T(0) : static_cast<T>(static_cast<Wrapping<T>>(a) << b);
}
template <class T>
PH_INLINE T right_shift(T a, T b) {
  return b < 0 || b >= T(8 * sizeof(T)) ? (a < 0 ? T(-1) : T(0)) : static_cast<T>(a >> b);
}
template <class T>
PH_INLINE T select(T condition, T a, T b) {
  return condition != 0 ? a : b;
}

}  // namespace
}  // namespace ph::scalar
