// Finding an element of one tensor from its place in another: broadcasts, transposes, slices.
#pragma once
#include "core/shape.h"
#include "cuda/gpu.h"

namespace ph::cuda {

// Maps a flat index of `size` (row-major) to an offset: the sum of coordinate * stride over the dimensions, innermost
// first here. Dimensions that lie alike are merged; stride 0 repeats.
struct Strides {
  int rank = 0;
  int64_t size[Shape::max_rank], stride[Shape::max_rank];

  // Adds a dimension outside those there are.
  void add_outer(int64_t n, int64_t step) {
    if (n == 1) return;
    if (rank > 0 && stride[rank - 1] * size[rank - 1] == step) {
      size[rank - 1] *= n;  // also merges neighbouring repeats, 0 * size == 0
      return;
    }
    size[rank] = n;
    stride[rank] = step;
    ++rank;
  }

  __host__ __device__ __forceinline__ int64_t offset(int64_t index) const {
    int64_t at = 0;
    PH_UNROLL
    for (int d = 0; d < Shape::max_rank; ++d) {
      if (d == rank) break;
      if (d == rank - 1) {
        at += index * stride[d];
        break;
      }
      // 32-bit division is several times cheaper, and nearly always enough
      int64_t rest, next;
      if (index < (int64_t{1} << 31) && size[d] < (int64_t{1} << 31)) {
        next = static_cast<uint32_t>(index) / static_cast<uint32_t>(size[d]);
        rest = static_cast<uint32_t>(index) - static_cast<uint32_t>(next) * static_cast<uint32_t>(size[d]);
      } else {
        next = index / size[d];
        rest = index - next * size[d];
      }
      at += rest * stride[d];
      index = next;
    }
    return at;
  }
};

// How an element of `in` is found for each of `out`, a shape `in` broadcasts to.
inline Strides broadcast_strides(const Shape& in, const Shape& out) {
  Strides strides;
  int64_t step = 1;
  for (int i = 0; i < out.rank(); ++i) {
    const int at = in.rank() - 1 - i;
    const bool present = at >= 0 && in[at] != 1;
    strides.add_outer(out[out.rank() - 1 - i], present ? step : 0);
    if (present) step *= in[at];
  }
  return strides;
}

}  // namespace ph::cuda
