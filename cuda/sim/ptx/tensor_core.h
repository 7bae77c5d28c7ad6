// How tensor cores add: found from products on an H200, where mma and wgmma give the same bits, these, for all three
// kinds of operands (tests/data/tensor_cores.npz).
//
// All products of an instruction's depth and the addend are aligned at once to the largest exponent among them, a
// product's being the sum of its operands' exponents. Each is cut towards zero to 25 bits below that exponent, which is
// two bits more than float32 has; their exact sum is cut towards zero to float32. Subnormal numbers count.
#pragma once
#include <algorithm>
#include <bit>
#include <cstdint>

namespace ph::sim::ptx {

constexpr int most_depth = 16, exponent_of_zero = -4096, exponent_of_infinity = 128;  // and of NaN

// A subnormal number has the least exponent of its type.
inline int exponent_of(float x, int least) {
  const uint32_t bits = std::bit_cast<uint32_t>(x) & 0x7fffffffu;
  return bits ? std::max(static_cast<int>(bits >> 23) - 127, least) : exponent_of_zero;
}

// A row of a or a column of b.
struct TensorCoreOperand {
  float value[most_depth];
  int exponent[most_depth];
  bool finite;

  void find_exponents(int depth, int least) {
    finite = true;
    for (int k = 0; k < depth; ++k) {
      exponent[k] = exponent_of(value[k], least);
      finite &= exponent[k] < exponent_of_infinity;
    }
  }
};

inline double power_of_two(int exponent) { return std::bit_cast<double>(static_cast<uint64_t>(exponent + 1023) << 52); }

// sum * 2^unit as float32, towards zero. What is too large becomes infinite.
inline float cut_to_float(int64_t sum, int unit) {
  const auto size = static_cast<uint64_t>(sum < 0 ? -sum : sum);
  const int cut = std::max({static_cast<int>(std::bit_width(size)) - 24, -149 - unit, 0});
  const double kept = static_cast<double>(size >> std::min(cut, 63)) * power_of_two(unit + cut);
  return static_cast<float>(sum < 0 ? -kept : kept);
}

// The sum over a[k] b[k], and the addend.
inline float tensor_core_sum(const TensorCoreOperand& a, const TensorCoreOperand& b, float addend, int depth) {
  int largest = exponent_of(addend, -126);
  if (!a.finite || !b.finite || largest == exponent_of_infinity) {
    double sum = addend;
    for (int k = 0; k < depth; ++k) sum += double{a.value[k]} * double{b.value[k]};
    return static_cast<float>(sum);
  }
  for (int k = 0; k < depth; ++k) largest = std::max(largest, a.exponent[k] + b.exponent[k]);
  if (largest <= exponent_of_zero / 2) return 0;
  const int unit = largest - 25;
  const double scale = power_of_two(-unit);
  int64_t sum = static_cast<int32_t>(addend * scale);  // each term is below 2^27 units
  for (int k = 0; k < depth; ++k) sum += static_cast<int32_t>(double{a.value[k]} * double{b.value[k]} * scale);
  return cut_to_float(sum, unit);
}

}  // namespace ph::sim::ptx
