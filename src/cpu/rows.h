// What softmax, losses and norms do along a row: the largest element and sums, in sixteen parts side by side.
#pragma once
#include "core/scalar.h"

namespace ph::PH_LEVEL {
namespace {

template <class T>
PH_INLINE T row_max(const T* x, int64_t n) {
  constexpr int lanes = 16;
  T best = x[0];
  int64_t i = 0;
  if (n >= 2 * lanes) {
    T most[lanes];
    for (int l = 0; l < lanes; ++l) most[l] = x[l];
    for (i = lanes; i + lanes <= n; i += lanes) {
      for (int l = 0; l < lanes; ++l) most[l] = scalar::maximum(most[l], x[i + l]);
    }
    for (int l = 0; l < lanes; ++l) best = scalar::maximum(best, most[l]);
  }
  for (; i < n; ++i) best = scalar::maximum(best, x[i]);
  return best;
}

// sum of f(i), in sixteen parts
template <class T, class F>
PH_INLINE T row_sum(int64_t n, F f) {
  constexpr int lanes = 16;
  T total = 0;
  int64_t i = 0;
  if (n >= 2 * lanes) {
    T part[lanes] = {};
    for (; i + lanes <= n; i += lanes) {
      for (int l = 0; l < lanes; ++l) part[l] += f(i + l);
    }
    for (int l = 0; l < lanes; ++l) total += part[l];
  }
  for (; i < n; ++i) total += f(i);
  return total;
}

}  // namespace
}  // namespace ph::PH_LEVEL
