// The places of elements of tensors that are broadcast to one shape. Axes along which all of them lie alike are merged
// to one; then each tensor is told by the set of axes it has, since it lies densely in memory.
#pragma once
#include "core/shape.h"
#include "cuda/divide.h"

namespace ph::cuda {

struct BroadcastAxes {
  int rank = 0;
  Divider size[Shape::max_rank];  // innermost first

  // Where a tensor that has the axes of the set `present` (bit d for axis d) is read for element `index` of the result.
  __device__ __forceinline__ int64_t offset(int64_t index, unsigned present) const {
    int64_t at = 0, step = 1;
    PH_NO_UNROLL
    for (int d = 0; present >> d; ++d) {
      const bool outermost = d + 1 == rank;
      const int64_t n = size[d].divisor(), next = outermost ? 0 : size[d].divide(index);
      if (present >> d & 1) {
        at += (index - next * n) * step;
        step *= n;
      }
      index = next;
    }
    return at;
  }
};

// The axes of `out` as the tensors of these shapes see them, and in present[i] the set that tensor i has.
template <int most>
BroadcastAxes broadcast_axes(const Shape& out, const Shape* const (&shapes)[most], int count,
                             uint8_t (&present)[most]) {
  static_assert(Shape::max_rank <= 8);
  BroadcastAxes axes;
  int64_t size = 1;
  uint64_t owners = 0;  // the tensors that have the axis being merged
  static_assert(most <= 64);
  for (int i = 0; i < count; ++i) present[i] = 0;
  const auto end_axis = [&] {
    if (size == 1) return;
    for (int i = 0; i < count; ++i) present[i] |= static_cast<uint8_t>((owners >> i & 1) << axes.rank);
    axes.size[axes.rank++] = Divider(size);
  };
  for (int d = 0; d < out.rank(); ++d) {
    const int64_t n = out[out.rank() - 1 - d];
    if (n == 1) continue;
    uint64_t having = 0;
    for (int i = 0; i < count; ++i) {
      const int at = shapes[i]->rank() - 1 - d;
      if (at >= 0 && (*shapes[i])[at] != 1) having |= uint64_t{1} << i;
    }
    if (having != owners) {
      end_axis();
      size = 1;
      owners = having;
    }
    size *= n;
  }
  end_axis();
  return axes;
}

}  // namespace ph::cuda
