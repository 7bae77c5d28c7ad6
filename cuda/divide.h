// Division by a number known when a kernel is launched: one multiplication and a shift, where the hardware's division
// takes some twenty instructions. Granlund and Montgomery, "Division by invariant integers using multiplication", 1994.
#pragma once
#include <bit>

#include "cuda/gpu.h"

namespace ph::cuda {

class Divider {
 public:
  Divider() = default;
  // 0, the length of an axis without elements, where nobody asks for a place, is taken as 1.
  explicit Divider(int64_t divisor) : divisor_(divisor > 0 ? divisor : 1) {
    __extension__ using Wide = unsigned __int128;
    const uint64_t d = static_cast<uint64_t>(divisor_);
    shift_ = static_cast<uint32_t>(std::bit_width(d - 1));  // 2^shift >= d
    const Wide excess = (Wide{1} << shift_) - d;
    multiplier_ = static_cast<uint64_t>((excess << 64) / d + 1);
    if (shift_ < 32) small_multiplier_ = static_cast<uint32_t>((excess << 32) / d + 1);
  }

  __host__ __device__ __forceinline__ int64_t divisor() const { return divisor_; }

  // n / divisor for n >= 0.
  __device__ __forceinline__ int64_t divide(int64_t n) const {
    if (n <= INT32_MAX && shift_ < 32) {
      const uint32_t small = static_cast<uint32_t>(n);
      return (__umulhi(small, small_multiplier_) + small) >> shift_;
    }
    const uint64_t large = static_cast<uint64_t>(n);
    return static_cast<int64_t>((__umul64hi(large, multiplier_) + large) >> shift_);
  }

 private:
  int64_t divisor_ = 1;
  uint64_t multiplier_ = 1;
  uint32_t small_multiplier_ = 1, shift_ = 0;
};

}  // namespace ph::cuda
