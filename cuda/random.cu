// Random tensors: Philox 4x32-10, the same bits as on the CPU (core/philox.h fixes which element takes which word,
// ops/distributions.h what becomes of it). A thread computes four neighbouring blocks of a group, whose words are four
// neighbouring elements in each of four places: everything is written, and in dropout read, by packs of four. No mask
// of a dropout is stored. Compiled without contraction of a * b + c, as the CPU's file is.
#include "core/philox.h"
#include "cuda/device.h"
#include "cuda/element.h"
#include "cuda/partial.h"
#include "ops/distributions.h"
#include "ops/random.h"

namespace ph::cuda {

namespace {

constexpr int threads = 128, pack = 4;
constexpr int packs_per_group = philox::blocks_per_group / pack;  // threads that share a group

// word[w][b]: word w of block first + b.
struct Blocks {
  uint32_t word[4][pack];

  __device__ __forceinline__ Blocks(const uint32_t* key, int64_t first) {
    PH_UNROLL
    for (int b = 0; b < pack; ++b) {
      const uint64_t block = static_cast<uint64_t>(first) + static_cast<uint64_t>(b);
      word[0][b] = static_cast<uint32_t>(block);
      word[1][b] = static_cast<uint32_t>(block >> 32);
      word[2][b] = word[3][b] = 0;
    }
    uint32_t key_a = key[0], key_b = key[1];
    PH_UNROLL
    for (int r = 0; r < philox::rounds; ++r) {
      PH_UNROLL
      for (int b = 0; b < pack; ++b) philox::round(word[0][b], word[1][b], word[2][b], word[3][b], key_a, key_b);
      key_a += philox::weyl_a;
      key_b += philox::weyl_b;
    }
  }
};

// This thread's place: which group, and its first block there. Element e of its pack in place p of a group of `size`
// elements is group * size + p * 16 + first + e.
struct Share {
  int64_t group;
  int first;

  __device__ __forceinline__ Share() {
    const int64_t thread = int64_t{blockIdx.x} * threads + threadIdx.x;
    group = thread / packs_per_group;
    first = static_cast<int>(thread % packs_per_group) * pack;
  }
  __device__ __forceinline__ Blocks blocks(const uint32_t* key) const {
    return {key, group * philox::blocks_per_group + first};
  }
  __device__ __forceinline__ int64_t element(int size, int place) const {
    return group * size + place * philox::blocks_per_group + first;
  }
};

unsigned grid_for(int64_t n, int group_size) {
  return blocks_for((n + group_size - 1) / group_size * packs_per_group, threads);
}

// make() of one word each; S is a float of at most 32 bits.
template <class S, class Make>
__global__ void __launch_bounds__(threads)
    narrow_kernel(S* y, const uint32_t* key, Make make, int64_t n, bool aligned) {
  const Share share;
  if (share.element(philox::words_per_group, 0) >= n) return;
  const Blocks blocks = share.blocks(key);
  PH_UNROLL
  for (int place = 0; place < 4; ++place) {
    const int64_t at = share.element(philox::words_per_group, place);
    float values[pack];
    PH_UNROLL
    for (int e = 0; e < pack; ++e) values[e] = make(blocks.word[place][e]);
    store_partial(y + at, values, aligned && at + pack <= n, n - at);
  }
}

// make() of two words each, the later of a group above the earlier.
template <class S, class Make>
__global__ void __launch_bounds__(threads) wide_kernel(S* y, const uint32_t* key, Make make, int64_t n, bool aligned) {
  constexpr int group_size = philox::words_per_group / 2;
  const Share share;
  if (share.element(group_size, 0) >= n) return;
  const Blocks blocks = share.blocks(key);
  PH_UNROLL
  for (int place = 0; place < 2; ++place) {
    const int64_t at = share.element(group_size, place);
    S values[pack];
    PH_UNROLL
    for (int e = 0; e < pack; ++e) {
      values[e] = static_cast<S>(make(uint64_t{blocks.word[2 + place][e]} << 32 | blocks.word[place][e]));
    }
    store_partial(y + at, values, aligned && at + pack <= n, n - at);
  }
}

template <class S, class Make>
void generate_narrow(const KernelCall& k, Make make) {
  const View& y = k.out[0];
  if (y.size() == 0) return;
  PH_LAUNCH((narrow_kernel<S, Make>), grid_for(y.size(), philox::words_per_group), threads, 0, device().stream,
            y.as<S>(), k.in[0].as<uint32_t>(), make, y.size(), is_aligned(y.data));
}

template <class S, class Make>
void generate_wide(const KernelCall& k, Make make) {
  const View& y = k.out[0];
  if (y.size() == 0) return;
  PH_LAUNCH((wide_kernel<S, Make>), grid_for(y.size(), philox::words_per_group / 2), threads, 0, device().stream,
            y.as<S>(), k.in[0].as<uint32_t>(), make, y.size(), is_aligned(y.data));
}

template <template <class> class Distribution>
void generate(const KernelCall& k, double a, double b) {
  with_float_type(k.out[0].dtype, [&](auto stored) {
    using S = decltype(stored);
    if constexpr (std::is_same_v<S, double>) {
      generate_wide<S>(k, Distribution<double>{a, b});
    } else {
      generate_narrow<S>(k, Distribution<float>{static_cast<float>(a), static_cast<float>(b)});
    }
  });
}

void uniform(const KernelCall& k, const RandomUniformAttrs& a) { generate<random::Uniform>(k, a.minval, a.maxval); }
void normal(const KernelCall& k, const RandomNormalAttrs& a) { generate<random::Normal>(k, a.mean, a.stddev); }
void truncated_normal(const KernelCall& k, const RandomNormalAttrs& a) {
  generate<random::TruncatedNormal>(k, a.mean, a.stddev);
}

// By the size of the type: an integer's sign does not matter to its low bits.
void randint(const KernelCall& k, const RandomRandintAttrs& a) {
  const random::Integer make{static_cast<uint64_t>(a.minval), a.range()};
  with_word_type(k.out[0].dtype, [&](auto word) { generate_wide<decltype(word)>(k, make); });
}

// Each word serves two elements: of 128 in a group the first 64 take the low halves, the others the high ones. y may
// be x.
template <class S, class T>
__global__ void __launch_bounds__(threads)
    dropout_kernel(const S* x, const uint32_t* key, S* y, uint32_t threshold, T scale, int64_t n, bool aligned) {
  constexpr int places = 8, group_size = 2 * philox::words_per_group;
  const Share share;
  if (share.element(group_size, 0) >= n) return;
  T values[places][pack];
  PH_UNROLL
  for (int place = 0; place < places; ++place) {
    const int64_t at = share.element(group_size, place);
    if (at < n) load_partial(values[place], x + at, aligned && at + pack <= n, n - at);
  }
  const Blocks blocks = share.blocks(key);
  PH_UNROLL
  for (int place = 0; place < places; ++place) {
    const int64_t at = share.element(group_size, place);
    if (at >= n) return;
    PH_UNROLL
    for (int e = 0; e < pack; ++e) {
      const uint32_t word = blocks.word[place % 4][e], bits = place < 4 ? word & 0xffff : word >> 16;
      values[place][e] = bits < threshold ? T(0) : values[place][e] * scale;
    }
    store_partial(y + at, values[place], aligned && at + pack <= n, n - at);
  }
}

void dropout(const KernelCall& k, const DropoutAttrs& a) {
  const View &x = k.in[0], &y = k.out[0];
  if (x.size() == 0) return;
  const bool aligned = is_aligned(x.data) && is_aligned(y.data);
  with_float_type(x.dtype, [&](auto stored) {
    using S = decltype(stored);
    using T = Compute<S>;
    const T scale = a.rate < 1 ? static_cast<T>(1 / (1 - a.rate)) : T(0);
    PH_LAUNCH((dropout_kernel<S, T>), grid_for(x.size(), 2 * philox::words_per_group), threads, 0, device().stream,
              x.as<S>(), k.in[1].as<uint32_t>(), y.as<S>(), a.threshold(), scale, x.size(), aligned);
  });
}

}  // namespace

PH_KERNELS(random_uniform, kernel<uniform>("philox"));
PH_KERNELS(random_normal, kernel<normal>("philox"));
PH_KERNELS(random_truncated_normal, kernel<truncated_normal>("philox"));
PH_KERNELS(random_randint, kernel<randint>("philox"));
PH_KERNELS(dropout, kernel<dropout>("philox"));

}  // namespace ph::cuda
