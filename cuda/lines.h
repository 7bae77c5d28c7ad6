// A tensor seen along one axis, as (outer, n, inner): lines of n elements that are `inner` apart.
#pragma once
#include "core/shape.h"
#include "cuda/divide.h"

namespace ph::cuda {

struct Lines {
  int64_t outer, n, inner;
  Divider by_inner;

  Lines(int64_t outer, int64_t n, int64_t inner) : outer(outer), n(n), inner(inner), by_inner(inner > 0 ? inner : 1) {}

  __host__ __device__ __forceinline__ int64_t count() const { return outer * inner; }
  // Of the first element of a line.
  __device__ __forceinline__ int64_t start(int64_t line) const {
    const int64_t o = by_inner.divide(line);
    return o * n * inner + (line - o * inner);
  }
};

inline Lines lines_along(const Shape& shape, int64_t axis) {
  const int at = static_cast<int>(axis < 0 ? axis + shape.rank() : axis);
  return {shape.product(0, at), shape[at], shape.product(at + 1, shape.rank())};
}

constexpr int walk_threads = 128;  // of blocks whose threads walk a line each

}  // namespace ph::cuda
