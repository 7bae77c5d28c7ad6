// Random tensors. Sixteen Philox blocks at a time give a group of 64 words, in an order fixed in core/philox.h; element
// i of a tensor depends on the seed and i alone, so chunks may be made by any thread. This file is compiled without
// contraction of a * b + c, so that every instruction-set level gives the same bits.
#include "ops/random.h"

#include "core/philox.h"
#include "core/scalar.h"
#include "core/thread_pool.h"
#include "cpu/convert.h"
#include "cpu/simd.h"
#include "ops/distributions.h"

namespace ph::PH_LEVEL {

namespace {

constexpr int group_words = philox::words_per_group;

// Fills words[] with group `group` of the sequence. Each word of the counter lies in the low half of a 64-bit lane;
// what the upper halves hold never matters, as a round multiplies low halves and shifts only products.
PH_INLINE void philox_group(uint32_t* words, int64_t group, const uint32_t* key) {
  constexpr int n = philox::blocks_per_group, parts = n / lanes64;
  typedef uint32_t Halves __attribute__((vector_size(vector_bytes / 2), aligned(4), may_alias));
  uint64_t start[n];
  for (int l = 0; l < n; ++l) start[l] = static_cast<uint64_t>(group) * n + static_cast<uint64_t>(l);
  Vector64 a[parts] = {}, b[parts] = {}, c[parts] = {}, d[parts] = {};
  __builtin_memcpy(a, start, sizeof(start));
  for (int p = 0; p < parts; ++p) b[p] = a[p] >> 32;
  uint32_t key_a = key[0], key_b = key[1];
  for (int r = 0; r < philox::rounds; ++r) {
    for (int p = 0; p < parts; ++p) {
      const Vector64 left = multiply_low_halves(a[p], Vector64{} + philox::multiplier_a);
      const Vector64 right = multiply_low_halves(c[p], Vector64{} + philox::multiplier_b);
      a[p] = (right >> 32) ^ b[p] ^ key_a;
      b[p] = right;
      c[p] = (left >> 32) ^ d[p] ^ key_b;
      d[p] = left;
    }
    key_a += philox::weyl_a;
    key_b += philox::weyl_b;
  }
  for (int p = 0; p < parts; ++p) {
    uint32_t* to = words + p * lanes64;
    *reinterpret_cast<Halves*>(to) = __builtin_convertvector(a[p], Halves);
    *reinterpret_cast<Halves*>(to + n) = __builtin_convertvector(b[p], Halves);
    *reinterpret_cast<Halves*>(to + 2 * n) = __builtin_convertvector(c[p], Halves);
    *reinterpret_cast<Halves*>(to + 3 * n) = __builtin_convertvector(d[p], Halves);
  }
}

// Elements [chunk * size, ...) of a tensor of n, for each chunk.
constexpr int64_t chunk_size = 8192;
template <class F>
PH_INLINE void for_chunks(int64_t n, double ns_per_element, F f) {
  parallel_for((n + chunk_size - 1) / chunk_size, ns_per_element * chunk_size, [&](int64_t chunk) {
    const int64_t begin = chunk * chunk_size;
    f(begin, begin + chunk_size < n ? begin + chunk_size : n);
  });
}

// make() of one word (float) or of two (double) each, stored as the output's type.
template <class Make>
void generate_float(const KernelCall& k, Make make, double ns) {
  const uint32_t* key = k.in[0].as<uint32_t>();
  const View& out = k.out[0];
  const int64_t bytes = static_cast<int64_t>(size_of(out.dtype));
  for_chunks(out.size(), ns, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; i += group_words) {
      uint32_t words[group_words];
      float values[group_words];
      philox_group(words, i / group_words, key);
      for (int j = 0; j < group_words; ++j) values[j] = make(words[j]);
      const int64_t n = end - i < group_words ? end - i : group_words;
      if (n == group_words && out.dtype == DType::float32) {
        __builtin_memcpy(out.as<float>() + i, values, sizeof(values));
      } else {
        store_converted(out.as<char>() + i * bytes, values, out.dtype, n);
      }
    }
  });
}

// Value i takes words 2 * i and 2 * i + 1 of the sequence in the order of each group's halves.
template <class T, class Make>
void generate_wide(const KernelCall& k, Make make, double ns) {
  constexpr int per_group = group_words / 2;
  const uint32_t* key = k.in[0].as<uint32_t>();
  const View& out = k.out[0];
  const int64_t bytes = static_cast<int64_t>(size_of(out.dtype));
  for_chunks(out.size(), ns, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; i += per_group) {
      uint32_t words[group_words];
      T values[per_group];
      philox_group(words, i / per_group, key);
      for (int j = 0; j < per_group; ++j) {
        values[j] = make(static_cast<uint64_t>(words[per_group + j]) << 32 | words[j]);
      }
      store_converted(out.as<char>() + i * bytes, values, out.dtype, end - i < per_group ? end - i : per_group);
    }
  });
}

template <template <class> class Distribution>
void generate(const KernelCall& k, double a, double b) {
  if (k.out[0].dtype == DType::float64) {
    generate_wide<double>(k, Distribution<double>{a, b}, 30);
  } else {
    generate_float(k, Distribution<float>{static_cast<float>(a), static_cast<float>(b)}, 1.5);
  }
}

void uniform(const KernelCall& k, const RandomUniformAttrs& a) { generate<random::Uniform>(k, a.minval, a.maxval); }
void normal(const KernelCall& k, const RandomNormalAttrs& a) { generate<random::Normal>(k, a.mean, a.stddev); }
void truncated_normal(const KernelCall& k, const RandomNormalAttrs& a) {
  generate<random::TruncatedNormal>(k, a.mean, a.stddev);
}

void randint(const KernelCall& k, const RandomRandintAttrs& a) {
  generate_wide<int64_t>(k, random::Integer{static_cast<uint64_t>(a.minval), a.range()}, 2);
}

// Each word serves two elements: of 128 in a group the first 64 take the low halves, the others the high ones.
constexpr int drop_group = 2 * group_words;

// The first n of a group.
template <class T>
PH_INLINE void drop(const T* x, T* y, int64_t n, const uint32_t* words, uint32_t threshold, T scale) {
  if (n == drop_group) {
    for (int j = 0; j < group_words; ++j) {
      y[j] = scalar::pick((words[j] & 0xffff) < threshold, T(0), x[j] * scale);
    }
    for (int j = 0; j < group_words; ++j) {
      y[group_words + j] = scalar::pick((words[j] >> 16) < threshold, T(0), x[group_words + j] * scale);
    }
  } else {
    for (int64_t j = 0; j < n; ++j) {
      const uint32_t bits = j < group_words ? words[j] & 0xffff : words[j - group_words] >> 16;
      y[j] = scalar::pick(bits < threshold, T(0), x[j] * scale);
    }
  }
}

template <class T>
void dropout_typed(const KernelCall& k, const DropoutAttrs& a) {
  const uint32_t* key = k.in[1].as<uint32_t>();
  const uint32_t threshold = a.threshold();
  const T scale = a.rate < 1 ? static_cast<T>(1 / (1 - a.rate)) : T(0);
  const View &x = k.in[0], &y = k.out[0];
  const int64_t bytes = static_cast<int64_t>(size_of(x.dtype));
  for_chunks(x.size(), 0.4, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; i += drop_group) {
      uint32_t words[group_words];
      philox_group(words, i / drop_group, key);
      const int64_t n = end - i < drop_group ? end - i : drop_group;
      if (x.dtype == dtype_of<T>()) {
        drop(x.as<T>() + i, y.as<T>() + i, n, words, threshold, scale);
      } else {
        T values[drop_group];
        load_converted(values, x.as<char>() + i * bytes, x.dtype, n);
        drop(values, values, n, words, threshold, scale);
        store_converted(y.as<char>() + i * bytes, values, y.dtype, n);
      }
    }
  });
}

void dropout(const KernelCall& k, const DropoutAttrs& a) {
  k.in[0].dtype == DType::float64 ? dropout_typed<double>(k, a) : dropout_typed<float>(k, a);
}

}  // namespace

PH_KERNELS(random_uniform, kernel<uniform>("philox"));
PH_KERNELS(random_normal, kernel<normal>("philox"));
PH_KERNELS(random_truncated_normal, kernel<truncated_normal>("philox"));
PH_KERNELS(random_randint, kernel<randint>("philox"));
PH_KERNELS(dropout, kernel<dropout>("philox"));

}  // namespace ph::PH_LEVEL
