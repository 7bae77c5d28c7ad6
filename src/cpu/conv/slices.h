// Kernel gradients are summed in slices of the images, whose number the shape decides.
#pragma once
#include "core/integers.h"

namespace ph::PH_LEVEL {
namespace {

constexpr int64_t most_slices = 8;

// Adds sums[1], sums[2], ... to sums[0], in order; sums (slices, size).
template <class T>
PH_INLINE void add_slices(T* sums, int64_t slices, int64_t size) {
  for (int64_t slice = 1; slice < slices; ++slice) {
    const T* sum = sums + slice * size;
    for (int64_t j = 0; j < size; ++j) sums[j] += sum[j];
  }
}

}  // namespace
}  // namespace ph::PH_LEVEL
