// Reductions. Dimensions are first merged into runs that are all reduced or all kept; the result's elements are then
// independent, and each is summed in a fixed order: rows in blocks, so that rounding errors grow with the logarithm.
#include "ops/reduce.h"

#include "core/thread_pool.h"
#include "cpu/convert.h"

namespace ph::PH_LEVEL {

namespace {

// The input seen as (outer, reduced, inner): true of every reduction over neighbouring axes.
struct Pattern {
  int64_t outer = 1, reduced = 1, inner = 1;
  bool is_simple = true;
};

Pattern pattern_of(const Shape& shape, const ReduceAttrs& a) {
  bool is_reduced[Shape::max_rank] = {};
  for (const int64_t axis : a.axes) is_reduced[axis < 0 ? axis + shape.rank() : axis] = true;
  Pattern p;
  int phase = 0;  // outer, reduced, inner
  for (int i = 0; i < shape.rank(); ++i) {
    const bool now = a.axes.size() == 0 || is_reduced[i];
    if (shape[i] == 1) continue;
    if (now) {
      if (phase == 2) p.is_simple = false;
      phase = 1;
      p.reduced *= shape[i];
    } else {
      if (phase == 1) phase = 2;
      (phase == 0 ? p.outer : p.inner) *= shape[i];
    }
  }
  return p;
}

template <class T>
T sum_row(const T* x, int64_t n) {
  constexpr int64_t lanes = 16, block = 1024;
  if (n > block) {
    const int64_t half = (n / 2 + lanes - 1) / lanes * lanes;
    return sum_row(x, half) + sum_row(x + half, n - half);
  }
  T partial[lanes] = {};
  int64_t i = 0;
  for (; i + lanes <= n; i += lanes) {
    for (int64_t l = 0; l < lanes; ++l) partial[l] += x[i + l];
  }
  T total = 0;
  for (int64_t l = 0; l < lanes; ++l) total += partial[l];
  for (; i < n; ++i) total += x[i];
  return total;
}

template <class T>
void sum_columns(const T* x, T* y, int64_t rows, int64_t columns, int64_t stride) {
  constexpr int64_t block = 64;
  if (rows > block) {
    // two halves, added: like pairwise summation, one column strip at a time
    const int64_t half = rows / 2;
    constexpr int64_t strip = 512;
    T second[strip];
    for (int64_t begin = 0; begin < columns; begin += strip) {
      const int64_t n = columns - begin < strip ? columns - begin : strip;
      sum_columns(x + begin, y + begin, half, n, stride);
      sum_columns(x + begin + half * stride, second, rows - half, n, stride);
      for (int64_t j = 0; j < n; ++j) y[begin + j] += second[j];
    }
    return;
  }
  for (int64_t j = 0; j < columns; ++j) y[j] = 0;
  for (int64_t r = 0; r < rows; ++r) {
    const T* row = x + r * stride;
    for (int64_t j = 0; j < columns; ++j) y[j] += row[j];
  }
}

template <class T>
void sum_typed(const KernelCall& k, const ReduceAttrs& a) {
  const Pattern p = pattern_of(k.in[0].shape, a);
  const T* x = k.in[0].as<T>();
  T* y = k.out[0].as<T>();
  for (int64_t o = 0; o < p.outer; ++o) {
    if (p.inner == 1) {
      y[o] = sum_row(x + o * p.reduced, p.reduced);
    } else {
      sum_columns(x + o * p.reduced * p.inner, y + o * p.inner, p.reduced, p.inner, p.inner);
    }
  }
}

const char* simple_pattern(SpecSpan in, const ReduceAttrs& a) {
  return pattern_of(in[0].shape, a).is_simple ? nullptr : "the axes are not neighbours";
}

void sum(const KernelCall& k, const ReduceAttrs& a) {
  switch (k.in[0].dtype) {
    case DType::float64:
      return sum_typed<double>(k, a);
    case DType::int32:
      return sum_typed<int32_t>(k, a);
    case DType::int64:
      return sum_typed<int64_t>(k, a);
    default:
      return sum_typed<float>(k, a);
  }
}

}  // namespace

PH_KERNELS(reduce_sum, kernel<sum, simple_pattern>("pairwise"));

}  // namespace ph::PH_LEVEL
