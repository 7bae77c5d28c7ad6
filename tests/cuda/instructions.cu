// Right kernels, one for each wrapper of cuda/ptx.
#include "cases.h"

using namespace ph::ptx;
using ph::BFloat16;
using ph::Float16;

// Whole numbers that every type here holds exactly.
static std::vector<float> left_numbers(size_t n) {
  std::vector<float> values(n);
  for (size_t i = 0; i < n; ++i) values[i] = static_cast<float>(static_cast<int>(i * 7 % 23) - 11);
  return values;
}
static std::vector<float> right_numbers(size_t n) {
  std::vector<float> values(n);
  for (size_t i = 0; i < n; ++i) values[i] = static_cast<float>(static_cast<int>(i * 5 % 17) - 8);
  return values;
}
template <class T>
std::vector<T> converted(const std::vector<float>& values) {
  std::vector<T> result;
  for (const float value : values) {
    if constexpr (sizeof(T) == 4) {
      result.push_back(value);
    } else if constexpr (std::is_same_v<T, BFloat16>) {
      result.push_back(ph::bfloat16_from(value));
    } else {
      result.push_back(ph::float16_from(value));
    }
  }
  return result;
}

// ---- mma and ldmatrix

// d (16 x 8) = a (16 x 16) b (16 x 8), all row by row; b goes through the transposing load.
template <class T>
__global__ void halves_product_kernel(const T* a, const T* b, float* d) {
  PH_SHARED(T, a_tile, [16][16]);
  PH_SHARED(T, b_tile, [32][8]);
  const unsigned lane = threadIdx.x;
  for (unsigned i = lane; i < 256; i += 32) a_tile[i / 16][i % 16] = a[i];
  for (unsigned i = lane; i < 256; i += 32) b_tile[i / 8][i % 8] = i < 128 ? b[i] : T{};
  __syncwarp();
  uint32_t left[4], right[4];
  ldmatrix<false>(left, &a_tile[lane % 16][lane / 16 * 8]);
  ldmatrix<true>(right, &b_tile[lane][0]);
  const uint32_t used[2] = {right[0], right[1]};
  float c[4] = {};
  if constexpr (std::is_same_v<T, BFloat16>) {
    mma_bfloat16(c, left, used);
  } else {
    mma_float16(c, left, used);
  }
  for (unsigned e = 0; e < 4; ++e) d[(lane / 4 + e / 2 * 8) * 8 + 2 * (lane % 4) + e % 2] = c[e];
}
template <class T>
static void halves_product() {
  Array<T> a(converted<T>(left_numbers(256))), b(converted<T>(right_numbers(128)));
  Array<float> d(zeros(128));
  PH_LAUNCH(halves_product_kernel<T>, 1, 32, 0, nullptr, a.data, b.data, d.data);
  print(d);
}
CASE(mma_bfloat16_product) { halves_product<BFloat16>(); }
CASE(mma_float16_product) { halves_product<Float16>(); }

__global__ void tf32_product_kernel(const float* a, const float* b, float* d) {
  const unsigned lane = threadIdx.x, group = lane / 4, member = lane % 4;
  uint32_t left[4], right[2];
  for (unsigned r = 0; r < 4; ++r) left[r] = to_tf32(a[(group + r % 2 * 8) * 8 + member + r / 2 * 4]);
  for (unsigned r = 0; r < 2; ++r) right[r] = to_tf32(b[(member + r * 4) * 8 + group]);
  float c[4] = {};
  mma_tf32(c, left, right);
  for (unsigned e = 0; e < 4; ++e) d[(group + e / 2 * 8) * 8 + 2 * member + e % 2] = c[e];
}
CASE(mma_tf32_product) {
  Array<float> a(left_numbers(128)), b(right_numbers(64)), d(zeros(128));
  PH_LAUNCH(tf32_product_kernel, 1, 32, 0, nullptr, a.data, b.data, d.data);
  print(d);
}

__global__ void tf32_rounding_kernel(float* y) {
  const float x = (1 + y[threadIdx.x] / 8192) * (threadIdx.x % 2 ? -1.0f : 1.0f);  // 13 bits of fraction
  y[threadIdx.x] = __uint_as_float(to_tf32(x));
}
CASE(tf32_rounding) { LAUNCH_OVER_NUMBERS(64, tf32_rounding_kernel, 1, 64); }

__global__ void ldmatrix_kernel(const uint16_t* x, float* y) {
  PH_SHARED(uint16_t, tile, [32][8]);
  for (unsigned i = threadIdx.x; i < 256; i += 32) tile[i / 8][i % 8] = x[i];
  __syncwarp();
  uint32_t straight[4], transposed[4];
  ldmatrix<false>(straight, &tile[threadIdx.x][0]);
  ldmatrix<true>(transposed, &tile[threadIdx.x][0]);
  for (unsigned m = 0; m < 4; ++m) {
    for (unsigned e = 0; e < 2; ++e) {
      y[m * 64 + threadIdx.x * 2 + e] = static_cast<float>(straight[m] >> 16 * e & 0xffff);
      y[256 + m * 64 + threadIdx.x * 2 + e] = static_cast<float>(transposed[m] >> 16 * e & 0xffff);
    }
  }
}
CASE(ldmatrix_both_ways) {
  std::vector<uint16_t> values(256);
  for (size_t i = 0; i < 256; ++i) values[i] = static_cast<uint16_t>(i * 251);
  Array<uint16_t> x(values);
  Array<float> y(zeros(512));
  PH_LAUNCH(ldmatrix_kernel, 1, 32, 0, nullptr, x.data, y.data);
  print(y);
}

// ---- conversions and stores

// From the numbers 0, 1, ... scaled to where each type rounds, and back.
__global__ void halves_kernel(const float* x, float* y, int n) {
  const int i = static_cast<int>(threadIdx.x);
  y[i] = from_float16(to_float16(x[i]));
  y[n + i] = ph::to_float(to_bfloat16(x[i]));
}
CASE(conversions_to_halves) {
  std::vector<float> values;
  for (int i = 0; i < 64; ++i)
    values.push_back((i % 2 ? -1.0f : 1.0f) * (2048 + static_cast<float>(i)));       // ties in both
  for (int i = 0; i < 32; ++i) values.push_back(static_cast<float>(i) * 0x1p-26f);   // subnormal float16
  for (int i = 0; i < 32; ++i) values.push_back(65500 + static_cast<float>(i) * 4);  // up to infinity
  Array<float> x(values), y(zeros(256));
  PH_LAUNCH(halves_kernel, 1, 128, 0, nullptr, x.data, y.data, 128);
  print(y);
}

__global__ void store_global_kernel(const uint32_t* x, uint32_t* y) {
  const unsigned i = threadIdx.x;
  store_global(y + 4 * i, uint4{x[4 * i + 3], x[4 * i + 2], x[4 * i + 1], x[4 * i]});
  store_global(y + 128 + 2 * i, uint2{x[2 * i + 1], x[2 * i]});
}
CASE(stores_of_words) {
  std::vector<uint32_t> values(128);
  for (uint32_t i = 0; i < 128; ++i) values[i] = i;
  Array<uint32_t> x(values), y{std::vector<uint32_t>(192)};
  PH_LAUNCH(store_global_kernel, 1, 32, 0, nullptr, x.data, y.data);
  print(y);
}

// ---- cp.async

template <int bytes>
__global__ void copy_async_kernel(const float* x, float* y) {
  constexpr unsigned each = bytes / 4;
  PH_SHARED(float, tile, [128]);
  const unsigned i = threadIdx.x * each;
  copy_async<bytes>(&tile[i], x + i, threadIdx.x != 31);
  commit_copies();
  wait_copies<0>();
  __syncthreads();
  for (unsigned e = 0; e < each; ++e) y[i + e] = tile[i + e];
}
template <int bytes>
static void copied_async() {
  Array<float> x(numbers(128)), y(zeros(8 * bytes));
  PH_LAUNCH(copy_async_kernel<bytes>, 1, 32, 0, nullptr, x.data, y.data);
  print(y);
}
CASE(copy_async_4) { copied_async<4>(); }
CASE(copy_async_8) { copied_async<8>(); }
CASE(copy_async_16) { copied_async<16>(); }

// Three stages, two copies ahead.
__global__ void copy_pipeline_kernel(const float* x, float* y, int rounds) {
  PH_SHARED(float, stage, [3][32]);
  const unsigned i = threadIdx.x;
  const auto begin = [&](int round) {
    if (round < rounds) copy_async<4>(&stage[round % 3][i], x + round * 32 + i, true);
    commit_copies();
  };
  begin(0);
  begin(1);
  float sum = 0;
  for (int round = 0; round < rounds; ++round) {
    wait_copies<1>();
    __syncthreads();
    begin(round + 2);
    sum += stage[round % 3][31 - i];
  }
  y[i] = sum;
}
CASE(copy_pipeline) {
  Array<float> x(numbers(32 * 7)), y(zeros(32));
  PH_LAUNCH(copy_pipeline_kernel, 1, 32, 0, nullptr, x.data, y.data, 7);
  print(y);
}

// ---- barriers

// Two warps hand a value over to two others and back, without the rest of the block.
__global__ void named_barriers_kernel(float* y) {
  PH_SHARED(float, box, [64]);
  const unsigned i = threadIdx.x;
  if (i < 64) {
    box[i] = y[i];
    synchronize(1, 128);
    synchronize(2, 128);
    y[i] = box[63 - i];
  } else if (i < 128) {
    synchronize(1, 128);
    box[i - 64] += 100;
    synchronize(2, 128);
  }
}
CASE(named_barriers) { LAUNCH_OVER_NUMBERS(160, named_barriers_kernel, 1, 160); }

// One warp writes, another reads, over two places and several phases.
__global__ void mbarrier_kernel(float* y, int rounds) {
  PH_SHARED(float, box, [2][32]);
  PH_SHARED(Mbarrier, full, [2]);
  PH_SHARED(Mbarrier, empty, [2]);
  if (threadIdx.x == 0) {
    for (int s = 0; s < 2; ++s) {
      initialize(&full[s], 32);
      initialize(&empty[s], 32);
    }
    fence_initialized();
  }
  __syncthreads();
  const unsigned lane = threadIdx.x % 32;
  float sum = 0;
  for (int round = 0; round < rounds; ++round) {
    const int place = round % 2, phase = round / 2 % 2;
    if (threadIdx.x < 32) {
      wait(&empty[place], phase ^ 1);
      box[place][lane] = static_cast<float>(round) + static_cast<float>(lane) / 32;
      arrive(&full[place]);
    } else {
      wait(&full[place], phase);
      sum += box[place][31 - lane];
      arrive(&empty[place]);
    }
  }
  if (threadIdx.x >= 32) y[lane] = sum;
}
CASE(mbarrier_phases) { LAUNCH_OVER_NUMBERS(32, mbarrier_kernel, 1, 64, 9); }

// ---- TMA

template <int rank>
struct Corner {
  int places[rank];
};

// Copies a box of `count` elements to shared memory and writes that out byte for byte.
template <class T, int rank>
__global__ void box_kernel(const __grid_constant__ TensorMap map, const Corner<rank> corner, int count, T* y) {
  PH_DYNAMIC_SHARED(T, box);
  PH_SHARED(Mbarrier, full, [1]);
  if (threadIdx.x == 0) {
    initialize(full, 1);
    fence_initialized();
    arrive_expecting(full, count * static_cast<int>(sizeof(T)));
    copy_box(box, map, corner.places, full);
  }
  __syncthreads();
  wait(full, 0);
  for (int i = static_cast<int>(threadIdx.x); i < count; i += 32) y[i] = box[i];
}
template <class T, int rank>
static void box_case(const TensorMap& map, const Array<T>& /*of the map*/, const Corner<rank>& corner, int count) {
  Array<T> y{std::vector<T>(static_cast<size_t>(count))};
  PH_LAUNCH((box_kernel<T, rank>), 1, 32, static_cast<size_t>(count) * sizeof(T), nullptr, map, corner, count, y.data);
  std::vector<float> seen;
  for (const T value : y.values()) {
    if constexpr (sizeof(T) == 4) {
      seen.push_back(value);
    } else {
      seen.push_back(ph::to_float(value));
    }
  }
  print(seen);
}
template <class T, int box_columns>
static void tile_case(int row, int column, Swizzle swizzle) {
  constexpr int rows = 20, columns = 72, box_rows = 16;
  Array<T> x(converted<T>(numbers(rows * columns)));
  box_case(tensor_map(x.data, rows, columns, box_rows, box_columns, swizzle), x, Corner<2>{{row, column}},
           box_rows * box_columns);
}
CASE(tile_none) { tile_case<float, 12>(1, 4, Swizzle::none); }
CASE(tile_32) { tile_case<float, 8>(2, 24, Swizzle::bytes32); }
CASE(tile_64) { tile_case<float, 16>(0, 8, Swizzle::bytes64); }
CASE(tile_128) { tile_case<float, 32>(3, 16, Swizzle::bytes128); }
CASE(tile_128_beyond_the_end) { tile_case<float, 32>(12, 56, Swizzle::bytes128); }
CASE(tile_64_before_the_start) { tile_case<float, 16>(-3, -8, Swizzle::bytes64); }
CASE(tile_float16) { tile_case<Float16, 64>(1, 8, Swizzle::bytes128); }

// Images as convolutions read them: (3, 6, 5, 40), in boxes of some images, rows and columns, 64 channels wide.
static void pixels_case(int images, int rows, int columns, int row_step, int column_step, const Corner<4>& corner) {
  Array<BFloat16> x(converted<BFloat16>(left_numbers(3 * 6 * 5 * 40)));
  box_case(
      tensor_map(x.data,
                 {{3, 6 * 5 * 40, images}, {6, 5 * 40, rows, row_step}, {5, 40, columns, column_step}, {40, 1, 64}},
                 Swizzle::bytes128),
      x, corner, images * rows * columns * 64);
}
CASE(pixels) { pixels_case(2, 3, 5, 1, 1, {{1, 2, 0, 0}}); }
CASE(pixels_outside) { pixels_case(2, 4, 7, 1, 1, {{2, -1, -1, 0}}); }
CASE(pixels_in_steps) { pixels_case(1, 3, 3, 2, 2, {{1, 0, 1, 0}}); }
CASE(pixels_in_steps_outside) { pixels_case(3, 4, 4, 3, 2, {{0, -2, -3, 0}}); }
CASE(three_axes) {
  Array<float> x(numbers(4 * 6 * 20));
  box_case(tensor_map(x.data, {{4, 6 * 20, 1}, {6, 20, 8}, {20, 1, 32}}, Swizzle::bytes128), x, Corner<3>{{2, 1, 8}},
           8 * 32);
}
// The numbers that tf32_rounding takes.
CASE(tile_rounded_to_tf32) {
  std::vector<float> values;
  for (int n = 0; n < 64; ++n) {
    values.push_back((1 + static_cast<float>(n) / 8192) * (n % 2 ? -1.0f : 1.0f));
  }
  Array<float> x(values);
  box_case(tensor_map(x.data, 2, 32, 2, 32, Swizzle::none, Rounding::tf32), x, Corner<2>{{0, 0}}, 64);
}

// ---- wgmma

// d (64 x n) = a b over `steps` products of 32 bytes of depth. a is stored 64 x depth, or transposed depth x 64; b is
// stored n x depth, or transposed depth x n: rows along the depth are what wgmma calls not transposed.
template <class T, int n, bool a_transposed, bool b_transposed, int pattern, int steps>
__global__ void wgmma_kernel(const __grid_constant__ TensorMap a_map, const __grid_constant__ TensorMap b_map,
                             float* d) {
  constexpr int size = sizeof(T), step_depth = 32 / size, depth = steps * step_depth, across = pattern / size;
  constexpr Swizzle swizzle = static_cast<Swizzle>(pattern);
  // tiles are `across` columns wide: as many of them as the rows are long
  constexpr int a_rows = a_transposed ? depth : 64, a_tiles = (a_transposed ? 64 : depth) / across;
  constexpr int b_rows = b_transposed ? depth : n, b_tiles = (b_transposed ? n : depth) / across;
  constexpr int a_bytes = a_rows * pattern, b_bytes = b_rows * pattern;  // of each tile
  PH_DYNAMIC_SHARED(char, memory);
  char *a_tile = memory, *b_tile = memory + a_bytes * a_tiles;
  PH_SHARED(Mbarrier, full, [1]);
  if (threadIdx.x == 0) {
    initialize(full, 1);
    fence_initialized();
    arrive_expecting(full, a_bytes * a_tiles + b_bytes * b_tiles);
    for (int t = 0; t < a_tiles; ++t) copy_tile(a_tile + t * a_bytes, a_map, 0, t * across, full);
    for (int t = 0; t < b_tiles; ++t) copy_tile(b_tile + t * b_bytes, b_map, 0, t * across, full);
  }
  __syncthreads();
  wait(full, 0);
  float sums[n / 2];
  fence_products();
  for (int s = 0; s < steps; ++s) {
    const auto at = [&](const char* tile, int tile_bytes, bool transposed) {
      return transposed ? tile + s * step_depth * pattern : tile + s * 32 / pattern * tile_bytes + s * 32 % pattern;
    };
    wgmma<T, n, a_transposed, b_transposed>(
        sums, describe(at(a_tile, a_bytes, a_transposed), swizzle, a_bytes, 8 * pattern),
        describe(at(b_tile, b_bytes, b_transposed), swizzle, b_bytes, 8 * pattern), s > 0);
  }
  commit_products();
  wait_products<0>();
  const unsigned t = threadIdx.x;
  for (unsigned e = 0; e < n / 2; ++e) {
    const unsigned row = t / 32 * 16 + t % 32 / 4 + e / 2 % 2 * 8, column = e / 4 * 8 + t % 4 * 2 + e % 2;
    d[row * n + column] = sums[e];
  }
}
template <class T, int n, bool a_transposed, bool b_transposed, int pattern, int steps>
static void wgmma_case() {
  constexpr int size = sizeof(T), depth = steps * 32 / size, across = pattern / size;
  constexpr int a_rows = a_transposed ? depth : 64, a_columns = a_transposed ? 64 : depth;
  constexpr int b_rows = b_transposed ? depth : n, b_columns = b_transposed ? n : depth;
  Array<T> a(converted<T>(left_numbers(64 * depth))), b(converted<T>(right_numbers(n * depth)));
  Array<float> d(zeros(64 * n));
  constexpr size_t bytes = (64 + n) * depth * size;
  const auto kernel = wgmma_kernel<T, n, a_transposed, b_transposed, pattern, steps>;
  check(cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, bytes), "attribute");
  const Swizzle swizzle = static_cast<Swizzle>(pattern);
  PH_LAUNCH(kernel, 1, 128, bytes, nullptr, tensor_map(a.data, a_rows, a_columns, a_rows, across, swizzle),
            tensor_map(b.data, b_rows, b_columns, b_rows, across, swizzle), d.data);
  print(d);
}
CASE(wgmma_bfloat16_64) { wgmma_case<BFloat16, 64, false, false, 128, 4>(); }
CASE(wgmma_bfloat16_128_b_transposed) { wgmma_case<BFloat16, 128, false, true, 128, 4>(); }
CASE(wgmma_bfloat16_64_both_transposed) { wgmma_case<BFloat16, 64, true, true, 128, 2>(); }
CASE(wgmma_bfloat16_64_pattern_64) { wgmma_case<BFloat16, 64, false, true, 64, 4>(); }
CASE(wgmma_bfloat16_64_pattern_32) { wgmma_case<BFloat16, 64, true, false, 32, 2>(); }
CASE(wgmma_bfloat16_256) { wgmma_case<BFloat16, 256, false, false, 128, 4>(); }
CASE(wgmma_float16_64) { wgmma_case<Float16, 64, false, false, 128, 4>(); }
CASE(wgmma_float16_128_a_transposed) { wgmma_case<Float16, 128, true, false, 128, 4>(); }
CASE(wgmma_tf32_64) { wgmma_case<float, 64, false, false, 128, 4>(); }
CASE(wgmma_tf32_128) { wgmma_case<float, 128, false, false, 128, 8>(); }

// Without a swizzle: units of 8 rows of 16 bytes, put in place by the threads. a is transposed, b is not.
__global__ void wgmma_units_kernel(const BFloat16* a, const BFloat16* b, float* d) {
  PH_DYNAMIC_SHARED(BFloat16, memory);
  BFloat16 *a_tile = memory, *b_tile = memory + 64 * 16;
  for (unsigned i = threadIdx.x; i < 64 * 16; i += 128) {
    const unsigned k = i / 64, m = i % 64;  // a: 16 rows of 64, units of 8 x 8, the next along m first
    a_tile[(k / 8 * 8 + m / 8) * 64 + k % 8 * 8 + m % 8] = a[i];
    const unsigned n = i / 16, kb = i % 16;  // b: 64 rows of 16, the next along k first
    b_tile[(n / 8 * 2 + kb / 8) * 64 + n % 8 * 8 + kb % 8] = b[i];
  }
  fence_async();
  __syncthreads();
  float sums[32];
  fence_products();
  wgmma<BFloat16, 64, true, false>(sums, describe(a_tile, Swizzle::none, 8 * 128, 128),
                                   describe(b_tile, Swizzle::none, 128, 256), false);
  commit_products();
  wait_products<0>();
  const unsigned t = threadIdx.x;
  for (unsigned e = 0; e < 32; ++e) {
    d[(t / 32 * 16 + t % 32 / 4 + e / 2 % 2 * 8) * 64 + e / 4 * 8 + t % 4 * 2 + e % 2] = sums[e];
  }
}
CASE(wgmma_units) {
  Array<BFloat16> a(converted<BFloat16>(left_numbers(64 * 16))), b(converted<BFloat16>(right_numbers(64 * 16)));
  Array<float> d(zeros(64 * 64));
  PH_LAUNCH(wgmma_units_kernel, 1, 128, 4096, nullptr, a.data, b.data, d.data);
  print(d);
}

// A warp that copies and a warpgroup that multiplies, over two stages: d (64 x 64) = a (64 x depth) b (64 x depth)^T.
__global__ void __launch_bounds__(256, 1)
    warp_specialised_kernel(const __grid_constant__ TensorMap a_map, const __grid_constant__ TensorMap b_map, float* d,
                            int rounds) {
  constexpr int tile_bytes = 64 * 128;
  PH_DYNAMIC_SHARED(char, memory);
  PH_SHARED(Mbarrier, full, [2]);
  PH_SHARED(Mbarrier, empty, [2]);
  if (threadIdx.x == 0) {
    for (int s = 0; s < 2; ++s) {
      initialize(&full[s], 1);
      initialize(&empty[s], 1);
    }
    fence_initialized();
  }
  __syncthreads();
  if (threadIdx.x >= 128) {
    give_registers<24>();
    for (int round = 0; round < rounds && threadIdx.x == 128; ++round) {
      const int s = round % 2;
      wait(&empty[s], round / 2 % 2 ^ 1);
      arrive_expecting(&full[s], 2 * tile_bytes);
      copy_tile(memory + 2 * s * tile_bytes, a_map, 0, round * 64, &full[s]);
      copy_tile(memory + (2 * s + 1) * tile_bytes, b_map, 0, round * 64, &full[s]);
    }
    return;
  }
  take_registers<240>();
  float sums[32];
  for (int round = 0; round < rounds; ++round) {
    const int s = round % 2;
    wait(&full[s], round / 2 % 2);
    fence_products();
    const char *a = memory + 2 * s * tile_bytes, *b = a + tile_bytes;
    for (int k = 0; k < 4; ++k) {
      wgmma<BFloat16, 64, false, false>(sums, describe(a + 32 * k, Swizzle::bytes128, 0, 1024),
                                        describe(b + 32 * k, Swizzle::bytes128, 0, 1024), round > 0 || k > 0);
    }
    commit_products();
    wait_products<0>();
    if (threadIdx.x == 0) arrive(&empty[s]);
  }
  const unsigned t = threadIdx.x;
  for (unsigned e = 0; e < 32; ++e) {
    d[(t / 32 * 16 + t % 32 / 4 + e / 2 % 2 * 8) * 64 + e / 4 * 8 + t % 4 * 2 + e % 2] = sums[e];
  }
}
CASE(warp_specialised_product) {
  constexpr int depth = 256;
  Array<BFloat16> a(converted<BFloat16>(left_numbers(64 * depth))), b(converted<BFloat16>(right_numbers(64 * depth)));
  Array<float> d(zeros(64 * 64));
  PH_LAUNCH(warp_specialised_kernel, 1, 256, 4 * 64 * 128, nullptr,
            tensor_map(a.data, 64, depth, 64, 64, Swizzle::bytes128),
            tensor_map(b.data, 64, depth, 64, 64, Swizzle::bytes128), d.data, depth / 64);
  print(d);
}
