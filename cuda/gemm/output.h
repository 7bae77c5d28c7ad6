// Where a main loop's sums go: its epilogue. An output is
//
//   template <int count> void store(int row, int column, const Sum (&sums)[count])
//
// called once for each run of `count` (a power of two) neighbours of a row, column a multiple of count; both may lie
// outside.
#pragma once
#include "core/activation.h"
#include "cuda/vector.h"

namespace ph::cuda {

template <class Sum>
__device__ __forceinline__ Sum activated(Sum x, Activation activation) {
  if constexpr (std::is_unsigned_v<Sum>) {
    return x;
  } else {
    return activation == Activation::relu && x < Sum(0) ? Sum(0) : x;  // keeps NaN
  }
}

// activation(sums + bias) in a row-major matrix. `bias` has one element a column, or is nullptr.
template <class Stored, class Sum>
struct MatrixOutput {
  Stored* data;
  const Stored* bias;
  int rows, columns;
  Activation activation;
  bool aligned;  // data and each row begin at a multiple of four elements, or of 16 bytes where those are more

  __device__ Sum finished(Sum sum, int column) const {
    return activated(bias ? sum + load_as<Sum>(bias[column]) : sum, activation);
  }

  template <int count>
  __device__ void store(int row, int column, const Sum (&sums)[count]) const {
    static_assert(count <= 4);
    if (row >= rows || column >= columns) return;
    Stored* to = data + int64_t{row} * columns + column;
    if (aligned) {
      Sum results[count];
      PH_UNROLL
      for (int i = 0; i < count; ++i) results[i] = finished(sums[i], column + i);
      store_vector(to, results);
    } else {
      PH_UNROLL
      for (int i = 0; i < count; ++i) {
        if (column + i < columns) to[i] = store_as<Stored>(finished(sums[i], column + i));
      }
    }
  }
};

}  // namespace ph::cuda
