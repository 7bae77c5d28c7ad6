// Finding an element of one tensor from its place in another: broadcasts, transposes, slices.
#pragma once
#include "core/shape.h"
#include "cuda/divide.h"

namespace ph::cuda {

// Maps a flat index of `size` (row-major) to an offset: the sum of coordinate * stride over the dimensions, innermost
// first here. Dimensions that lie alike are merged; stride 0 repeats. Made and changed on the host.
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
};

// The same for a kernel, of at most `most` dimensions.
template <int most = Shape::max_rank>
struct Places {
  int rank = 0;
  Divider size[most];
  int64_t stride[most];

  Places() = default;
  Places(const Strides& strides) : rank(strides.rank) {
    for (int d = 0; d < rank; ++d) {
      size[d] = Divider(strides.size[d]);
      stride[d] = strides.stride[d];
    }
  }

  __device__ __forceinline__ int64_t offset(int64_t index) const {
    int64_t at = 0;
    PH_UNROLL
    for (int d = 0; d < most; ++d) {
      if (d == rank) break;
      if (d == rank - 1) {
        at += index * stride[d];
        break;
      }
      const int64_t next = size[d].divide(index);
      at += (index - next * size[d].divisor()) * stride[d];
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
