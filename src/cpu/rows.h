// What softmax, losses and norms do along a row: the largest element and sums, sixteen at a time.
#pragma once
#include <cmath>

#include "core/scalar.h"
#include "cpu/simd.h"

namespace ph::PH_LEVEL {
namespace {

constexpr int row_lanes = 16;

// Sixteen numbers side by side.
template <class T>
struct Sixteen {
  static constexpr int parts = row_lanes * static_cast<int>(sizeof(T)) / vector_bytes;
  Vector<T> part[parts];

  PH_INLINE static Sixteen splat(T value) {
    Sixteen all;
#pragma GCC unroll 8
    for (int p = 0; p < parts; ++p) all.part[p] = ph::PH_LEVEL::splat(value);
    return all;
  }
  PH_INLINE void add(const T* from) {
#pragma GCC unroll 8
    for (int p = 0; p < parts; ++p) part[p] += load(from + p * lanes<T>);
  }
  PH_INLINE void keep_larger(const T* from) {
#pragma GCC unroll 8
    for (int p = 0; p < parts; ++p) part[p] = max_of<T>(load(from + p * lanes<T>), part[p]);
  }
  PH_INLINE void copy_to(T* to) const {
#pragma GCC unroll 8
    for (int p = 0; p < parts; ++p) store(to + p * lanes<T>, part[p]);
  }
};

// The largest element; a NaN may be passed over.
template <class T>
PH_INLINE T row_max(const T* x, int64_t n) {
  T best = x[0];
  int64_t i = 0;
  if (n >= 2 * row_lanes) {
    Sixteen<T> most = Sixteen<T>::splat(best);
    for (; i + row_lanes <= n; i += row_lanes) most.keep_larger(x + i);
    T each[row_lanes];
    most.copy_to(each);
    for (int l = 0; l < row_lanes; ++l) best = each[l] > best ? each[l] : best;
  }
  for (; i < n; ++i) best = x[i] > best ? x[i] : best;
  return best;
}

// Sum of f(i) for i in [0, n), in sixteen parts. The terms are stored before they are added: GCC 12 miscompiles the sum
// of conditional terms of double type (y > 0 ? x : 0) where both are done in one loop of sixteen.
template <class T, class F>
PH_INLINE T row_sum(int64_t n, F f) {
  constexpr int64_t chunk = 256;
  T terms[chunk], total = 0;
  if (n < 2 * row_lanes) {
    for (int64_t i = 0; i < n; ++i) total += f(i);
    return total;
  }
  Sixteen<T> sums = Sixteen<T>::splat(0);
  for (int64_t from = 0; from < n; from += chunk) {
    const int64_t count = n - from < chunk ? n - from : chunk;
    for (int64_t i = 0; i < count; ++i) terms[i] = f(from + i);
    int64_t i = 0;
    for (; i + row_lanes <= count; i += row_lanes) sums.add(terms + i);
    for (; i < count; ++i) total += terms[i];
  }
  T each[row_lanes];
  sums.copy_to(each);
  for (int l = 0; l < row_lanes; ++l) total += each[l];
  return total;
}

// Rows from this length on are exponentiated one by one; shorter ones are laid side by side by the caller.
constexpr int64_t long_row = 64;

// Returns sum(exp(x - most)); each exponential goes to y[i] (if store), which may be x.
template <bool store, class T>
T exponentiate_row(const T* x, T* y, int64_t n, T most) {
  constexpr int64_t chunk = 512;
  Sixteen<T> sums = Sixteen<T>::splat(0);
  T raised[chunk];
  for (int64_t from = 0; from < n; from += chunk) {
    const int64_t count = n - from < chunk ? n - from : chunk;
    const int64_t padded = (count + row_lanes - 1) / row_lanes * row_lanes;
    for (int64_t i = 0; i < count; ++i) raised[i] = x[from + i] - most;
    for (int64_t i = count; i < padded; ++i) raised[i] = T(-INFINITY);
    for (int64_t i = 0; i < padded; ++i) raised[i] = scalar::exp(raised[i]);
    for (int64_t i = 0; i < padded; i += row_lanes) sums.add(raised + i);
    if (store) {
      for (int64_t i = 0; i < count; ++i) y[from + i] = raised[i];
    }
  }
  T each[row_lanes], total = 0;
  sums.copy_to(each);
  for (int l = 0; l < row_lanes; ++l) total += each[l];
  return total;
}

}  // namespace
}  // namespace ph::PH_LEVEL
