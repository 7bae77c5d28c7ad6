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

// The same for all n below 2^63, at some more multiplications, and never a division.
class LongDivider {
 public:
  LongDivider() = default;
  explicit LongDivider(int64_t divisor) : divisor_(divisor) {
    if (divisor < 2) return;  // multiplier 0 and shift 0 divide by 1; nothing is divided by 0
    const uint64_t d = static_cast<uint64_t>(divisor);
    shift_ = static_cast<uint32_t>(std::bit_width(d - 1));  // 2^shift >= d
    // floor(2^64 * (2^shift - d) / d) + 1, digit by digit
    uint64_t rest = (uint64_t{1} << shift_) - d, quotient = 0;
    for (int bit = 0; bit < 64; ++bit) {
      const bool digit = rest >= d - rest;
      rest = digit ? rest - (d - rest) : rest * 2;
      quotient = quotient * 2 + digit;
    }
    multiplier_ = quotient + 1;
  }

  __host__ __device__ __forceinline__ int64_t divisor() const { return divisor_; }

  __device__ __forceinline__ int64_t divide(int64_t n) const {
    const uint64_t whole = static_cast<uint64_t>(n);
    return static_cast<int64_t>((__umul64hi(whole, multiplier_) + whole) >> shift_);
  }

 private:
  int64_t divisor_ = 1;
  uint64_t multiplier_ = 0;
  uint32_t shift_ = 0;
};

}  // namespace ph::cuda
