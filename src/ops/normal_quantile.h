// The quantiles of the standard normal distribution in double, by basic arithmetic and square roots alone: the same
// bits wherever a * b + c is not contracted. Wichura, Algorithm AS 241: the percentage points of the normal
// distribution (Applied Statistics 37, 1988); relative error about 10^-15.
#pragma once
#include "core/scalar.h"

namespace ph::random {
namespace {

// c + c1 x + c2 x^2 ...
PH_INLINE double polynomial(double, double c) { return c; }
template <class... Others>
PH_INLINE double polynomial(double x, double c, Others... others) {
  return c + x * polynomial(x, others...);
}

// Of a positive normal number: x = 2^e m with m in [sqrt(1/2), sqrt(2)), log m = 2 atanh(s), s = (m - 1) / (m + 1).
PH_INLINE double natural_log(double x) {
  constexpr uint64_t of_sqrt_half = 0x3fe6a09e667f3bcd;
  const uint64_t above = __builtin_bit_cast(uint64_t, x) - of_sqrt_half;
  const auto e = static_cast<double>(static_cast<int64_t>(above) >> 52);
  const double f = __builtin_bit_cast(double, (above & 0xfffffffffffff) + of_sqrt_half) - 1;
  const double s = f / (2 + f), z = s * s;
  // 2 atanh(s) = 2 s + s r = f - s (f - r)
  const double r =
      z * polynomial(z, 0.6666666666666735130, 0.3999999999940941908, 0.2857142874366239149, 0.2222219843214978396,
                     0.1818357216161805012, 0.1531383769920937332, 0.1479819860511658591);
  constexpr double upper = 6.93147180369123816490e-01, lower = 1.90821492927058770002e-10;  // log 2
  return e * upper + (f - (s * (f - r) - e * lower));
}

// x such that a share (1 + y) / 2 of the distribution lies below it, for y in (-1, 1).
PH_INLINE double normal_quantile(double y) {
  const double q = 0.5 * y;
  if (q >= -0.425 && q <= 0.425) {
    const double r = 0.180625 - q * q;
    return q *
           polynomial(r, 3.3871328727963666080, 133.14166789178437745, 1971.5909503065514427, 13731.693765509461125,
                      45921.953931549871457, 67265.770927008700853, 33430.575583588128105, 2509.0809287301226727) /
           polynomial(r, 1.0, 42.313330701600911252, 687.18700749205790830, 5394.1960214247511077,
                      21213.794301586595867, 39307.895800092710610, 28729.085735721942674, 5226.4952788528545610);
  }
  const double r = scalar::sqrt(-natural_log(0.5 * (1 - scalar::abs(y))));
  double x;
  if (r <= 5) {
    x = polynomial(r - 1.6, 1.42343711074968357734, 4.63033784615654529590, 5.76949722146069140550,
                   3.64784832476320460504, 1.27045825245236838258, 0.241780725177450611770, 0.0227238449892691845833,
                   7.74545014278341407640e-4) /
        polynomial(r - 1.6, 1.0, 2.05319162663775882187, 1.67638483018380384940, 0.689767334985100004550,
                   0.148103976427480074590, 0.0151986665636164571966, 5.47593808499534494600e-4,
                   1.05075007164441684324e-9);
  } else {
    x = polynomial(r - 5, 6.65790464350110377720, 5.46378491116411436990, 1.78482653991729133580,
                   0.296560571828504891230, 0.0265321895265761230930, 1.24266094738807843860e-3,
                   2.71155556874348757815e-5, 2.01033439929228813265e-7) /
        polynomial(r - 5, 1.0, 0.599832206555887937690, 0.136929880922735805310, 0.0148753612908506148525,
                   7.86869131145613259100e-4, 1.84631831751005467680e-5, 1.42151175831644588870e-7,
                   2.04426310338993978564e-15);
  }
  return y < 0 ? -x : x;
}

}  // namespace
}  // namespace ph::random
