// Random tensors, a pure function of a seed: two uint32, the key of Philox 4x32-10 (core/philox.h). The same seed gives
// the same bits on every device and for any number of threads.
#pragma once
#include "core/apply.h"

namespace ph {

// Uniform in [minval, maxval).
struct RandomUniformAttrs {
  IntList shape;
  double minval = 0, maxval = 1;
  DType dtype = DType::float32;
  PH_FIELDS(RandomUniformAttrs, shape, minval, maxval, dtype)
};

// Normal; random_truncated_normal keeps to two standard deviations on either side of the mean.
struct RandomNormalAttrs {
  IntList shape;
  double mean = 0, stddev = 1;
  DType dtype = DType::float32;
  PH_FIELDS(RandomNormalAttrs, shape, mean, stddev, dtype)
};

// Integers in [minval, maxval).
struct RandomRandintAttrs {
  IntList shape;
  int64_t minval = 0, maxval = 1;
  DType dtype = DType::int32;
  PH_FIELDS(RandomRandintAttrs, shape, minval, maxval, dtype)

  PH_INLINE uint64_t range() const { return static_cast<uint64_t>(maxval) - static_cast<uint64_t>(minval); }
};

// dropout(x, seed): elements are set to zero with probability `rate`, the others scaled by 1 / (1 - rate). The rate is
// kept to 1 / 65536. The mask depends on the seed alone: the gradient is dropout(dy, seed).
struct DropoutAttrs {
  double rate = 0.5;
  PH_FIELDS(DropoutAttrs, rate)

  // An element is dropped where its 16 random bits are below this.
  PH_INLINE uint32_t threshold() const { return static_cast<uint32_t>(rate * 65536 + 0.5); }
};
Tensor dropout(const Tensor& x, const Tensor& seed, const DropoutAttrs& attrs);

}  // namespace ph
