// Division by a number known when a kernel is launched: one multiplication and a shift, where the hardware's division
// takes some twenty instructions. Granlund and Montgomery, "Division by invariant integers using multiplication", 1994.
#pragma once
#include <bit>

#include "cuda/gpu.h"

namespace ph::cuda {

class Divider {
 public:
  Divider() = default;
  explicit Divider(int64_t divisor) : divisor_(divisor) {
    if (divisor > most) {  // anything below 2^31 is less than that: gives 0
      multiplier_ = 0;
      shift_ = 31;
      return;
    }
    const uint64_t d = static_cast<uint64_t>(divisor);
    shift_ = static_cast<uint32_t>(std::bit_width(d - 1));  // 2^shift >= d
    multiplier_ = static_cast<uint32_t>((((uint64_t{1} << shift_) - d) << 32) / d + 1);
  }

  __host__ __device__ __forceinline__ int64_t divisor() const { return divisor_; }

  // n / divisor for n >= 0.
  __device__ __forceinline__ int64_t divide(int64_t n) const {
    if (n > most) return n / divisor_;
    const uint32_t small = static_cast<uint32_t>(n);
    return (__umulhi(small, multiplier_) + small) >> shift_;
  }

 private:
  static constexpr int64_t most = INT32_MAX;
  int64_t divisor_ = 1;
  uint32_t multiplier_ = 1, shift_ = 0;
};

}  // namespace ph::cuda
