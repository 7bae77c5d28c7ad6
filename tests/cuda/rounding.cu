// Random products through every kind of tensor core instruction, to see how each rounds. A case prints four lines, over
// all trials: a (16 x depth), b (depth x 8), c (16 x 8) and d, which the instruction made of a b + c. wgmma gives the
// same rows and columns of its larger product, of the same operands.
#include <cmath>

#include "cases.h"

using namespace ph::ptx;
using ph::BFloat16;
using ph::Float16;

namespace {

class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed) {}
  uint32_t bits() {
    state_ = state_ * 6364136223846793005u + 1442695040888963407u;
    return static_cast<uint32_t>(state_ >> 32);
  }
  int between(int least, int most) {
    return least + static_cast<int>(bits() % static_cast<uint32_t>(most - least + 1));
  }
  // A random fraction and sign, times a power of two from the range.
  float number(int least_exponent, int most_exponent) {
    const float fraction = 1 + static_cast<float>(bits() >> 9) * 0x1p-23f;
    return std::ldexp(bits() & 1u ? -fraction : fraction, between(least_exponent, most_exponent));
  }

 private:
  uint64_t state_;
};

template <class T>
T stored(float x) {
  if constexpr (std::is_same_v<T, BFloat16>) {
    return ph::bfloat16_from(x);
  } else if constexpr (std::is_same_v<T, Float16>) {
    return ph::float16_from(x);
  } else {
    return std::bit_cast<float>((std::bit_cast<uint32_t>(x) + 0x1000u) & ~0x1fffu);
  }
}
float read(float x) { return x; }
template <class T>
float read(T x) {
  return ph::to_float(x);
}

constexpr int trials = 4, families = 7;

template <class T>
struct Operands {
  static constexpr int depth = 32 / sizeof(T);
  std::vector<T> a, b;
  std::vector<float> c;

  Operands() {
    Random random(2026);
    for (int family = 0; family < families; ++family) {
      for (int trial = 0; trial < trials; ++trial) add(random, family);
    }
  }

 private:
  void add(Random& random, int family) {
    constexpr int wide = std::is_same_v<T, Float16> ? 10 : 20;
    const auto random_of = [&](int size, int least, int most) {
      std::vector<float> values;
      for (int i = 0; i < size; ++i) values.push_back(random.number(least, most));
      return values;
    };
    std::vector<float> left = random_of(16 * depth, -1, 0), right = random_of(depth * 8, -1, 0);
    std::vector<float> start = random_of(16 * 8, -2, 2);
    switch (family) {
      case 0:  // of like size
        break;
      case 1:  // without a start
        start.assign(16 * 8, 0);
        break;
      case 2:  // of widely different size
        left = random_of(16 * depth, -wide, wide), right = random_of(depth * 8, -wide, wide);
        break;
      case 3:  // the second half of the depth takes away what the first gives, but for a little
        for (int i = 0; i < 16; ++i) {
          for (int k = depth / 2; k < depth; ++k) left[i * depth + k] = -left[i * depth + k - depth / 2];
        }
        for (int k = depth / 2; k < depth; ++k) {
          for (int j = 0; j < 8; ++j)
            right[k * 8 + j] = right[(k - depth / 2) * 8 + j] * (1 + random.between(0, 1) * 0x1p-7f);
        }
        start = random_of(16 * 8, -20, -8);
        break;
      case 4: {  // small products beside a large start: bits below the last of the sum
        left.assign(16 * depth, 0), right.assign(depth * 8, 0);
        for (int i = 0; i < 16; ++i) {
          for (int k = 0; k < depth; ++k) left[i * depth + k] = (i % 2 ? -1.0f : 1.0f) * (k <= i / 2 ? 1.0f : 0.0f);
        }
        for (int k = 0; k < depth; ++k) {
          for (int j = 0; j < 8; ++j) right[k * 8 + j] = std::ldexp(random.between(0, 1) ? 1.5f : 1.0f, -10 - j % 4);
        }
        for (float& x : left) x *= 0x1p-12f;  // products of 2^-22 to 2^-25
        for (int i = 0; i < 16 * 8; ++i) start[i] = i / 16 % 2 ? -1.0f : 1.0f;
        break;
      }
      case 5:  // subnormal operands, times numbers that bring them up where the type has room
        if (std::is_same_v<T, Float16>) {
          left = random_of(16 * depth, -22, -15), start = random_of(16 * 8, -20, -15);
        } else {
          left = random_of(16 * depth, -130, -127), right = random_of(depth * 8, 0, 20),
          start = random_of(16 * 8, -128, -108);
        }
        break;
      default:  // subnormal results
        if (std::is_same_v<T, Float16>) {
          left = random_of(16 * depth, -24, -15), right = random_of(depth * 8, -24, -15);
          start = random_of(16 * 8, -140, -127);
        } else {
          left = random_of(16 * depth, -70, -65), right = random_of(depth * 8, -72, -64);
          start = random_of(16 * 8, -140, -128);
        }
    }
    for (const float x : left) a.push_back(stored<T>(x));
    for (const float x : right) b.push_back(stored<T>(x));
    c.insert(c.end(), start.begin(), start.end());
  }
};

// A block of one warp for each trial.
template <class T>
__global__ void mma_kernel(const T* a, const T* b, const float* c, float* d) {
  constexpr unsigned depth = 32 / sizeof(T);
  const unsigned lane = threadIdx.x, group = lane / 4, member = lane % 4;
  a += blockIdx.x * 16 * depth, b += blockIdx.x * depth * 8, c += blockIdx.x * 128, d += blockIdx.x * 128;
  uint32_t left[4], right[2];
  float sums[4];
  for (unsigned e = 0; e < 4; ++e) sums[e] = c[(group + e / 2 * 8) * 8 + 2 * member + e % 2];
  if constexpr (sizeof(T) == 4) {
    for (unsigned r = 0; r < 4; ++r) left[r] = __float_as_uint(a[(group + r % 2 * 8) * depth + member + r / 2 * 4]);
    for (unsigned r = 0; r < 2; ++r) right[r] = __float_as_uint(b[(member + r * 4) * 8 + group]);
    mma_tf32(sums, left, right);
  } else {
    for (unsigned r = 0; r < 4; ++r) {
      const T* from = a + (group + r % 2 * 8) * depth + 2 * member + r / 2 * 8;
      left[r] = static_cast<uint32_t>(from[0].bits) | static_cast<uint32_t>(from[1].bits) << 16;
    }
    for (unsigned r = 0; r < 2; ++r) {
      const T* from = b + (2 * member + r * 8) * 8 + group;
      right[r] = static_cast<uint32_t>(from[0].bits) | static_cast<uint32_t>(from[8].bits) << 16;
    }
    if constexpr (std::is_same_v<T, BFloat16>) {
      mma_bfloat16(sums, left, right);
    } else {
      mma_float16(sums, left, right);
    }
  }
  for (unsigned e = 0; e < 4; ++e) d[(group + e / 2 * 8) * 8 + 2 * member + e % 2] = sums[e];
}

// A block of one warpgroup for each trial. Tiles without a swizzle: units of 8 rows of 16 bytes, the next along the
// depth first. What the product has beyond the trial is zero.
template <class T>
__global__ void rounding_wgmma_kernel(const T* a, const T* b, const float* c, float* d) {
  constexpr unsigned depth = 32 / sizeof(T), piece = 16 / sizeof(T);
  PH_DYNAMIC_SHARED(T, memory);
  T *a_tile = memory, *b_tile = memory + 64 * depth;
  a += blockIdx.x * 16 * depth, b += blockIdx.x * depth * 8, c += blockIdx.x * 128, d += blockIdx.x * 128;
  for (unsigned i = threadIdx.x; i < 64 * depth; i += 128) {
    const unsigned row = i / depth, k = i % depth;
    const unsigned to = (row / 8 * 2 + k / piece) * 8 * piece + row % 8 * piece + k % piece;
    a_tile[to] = row < 16 ? a[row * depth + k] : T{};
    b_tile[to] = row < 8 ? b[k * 8 + row] : T{};
  }
  fence_async();
  __syncthreads();
  const unsigned t = threadIdx.x, row = t / 32 * 16 + t % 32 / 4, column = t % 4 * 2;
  float sums[32] = {};
  if (row < 16) {
    for (unsigned e = 0; e < 4; ++e) sums[e] = c[(row + e / 2 * 8) * 8 + column + e % 2];
  }
  fence_products();
  wgmma<T, 64, false, false>(sums, describe(a_tile, Swizzle::none, 128, 256), describe(b_tile, Swizzle::none, 128, 256),
                             true);
  commit_products();
  wait_products<0>();
  if (row >= 16) return;
  for (unsigned e = 0; e < 4; ++e) d[(row + e / 2 * 8) * 8 + column + e % 2] = sums[e];
}

template <class T>
void print_operands(const std::vector<T>& values) {
  std::vector<float> seen;
  for (const T x : values) seen.push_back(read(x));
  print(seen);
}

template <class T, bool by_warpgroup>
void rounding_case() {
  const Operands<T> operands;
  Array<T> a(operands.a), b(operands.b);
  Array<float> c(operands.c), d(zeros(operands.c.size()));
  const unsigned products = trials * families;
  if constexpr (by_warpgroup) {
    PH_LAUNCH(rounding_wgmma_kernel<T>, products, 128, 2 * 64 * 32, nullptr, a.data, b.data, c.data, d.data);
  } else {
    PH_LAUNCH(mma_kernel<T>, products, 32, 0, nullptr, a.data, b.data, c.data, d.data);
  }
  print_operands(operands.a);
  print_operands(operands.b);
  print(operands.c);
  print(d);
}

}  // namespace

CASE(rounding_mma_bfloat16) { rounding_case<BFloat16, false>(); }
CASE(rounding_mma_float16) { rounding_case<Float16, false>(); }
CASE(rounding_mma_tf32) { rounding_case<float, false>(); }
CASE(rounding_wgmma_bfloat16) { rounding_case<BFloat16, true>(); }
CASE(rounding_wgmma_float16) { rounding_case<Float16, true>(); }
CASE(rounding_wgmma_tf32) { rounding_case<float, true>(); }

// Whole float32 operands: what the instructions read of them is the upper 19 bits.
CASE(tf32_reads_upper_bits) {
  Random random(7);
  std::vector<float> left, right;
  for (int i = 0; i < 16 * 8; ++i) left.push_back(random.number(-2, 2));
  for (int i = 0; i < 8 * 8; ++i) right.push_back(random.number(-2, 2));
  Array<float> a(left), b(right), c(zeros(128)), d(zeros(128)), e(zeros(128));
  PH_LAUNCH(mma_kernel<float>, 1, 32, 0, nullptr, a.data, b.data, c.data, d.data);
  PH_LAUNCH(rounding_wgmma_kernel<float>, 1, 128, 2 * 64 * 32, nullptr, a.data, b.data, c.data, e.data);
  print(left);
  print(right);
  print(d);
  print(e);
}
