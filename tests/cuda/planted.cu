// Kernels and host code with one planted bug each; test_planted_bugs.py says how each is caught.
#include "cases.h"

using namespace ph::ptx;
using ph::BFloat16;

// ---- barriers and shared memory

__global__ void global_store_to_shared_kernel(const uint32_t* x) {
  PH_SHARED(uint32_t, tile, [128]);
  store_global(tile + 4 * threadIdx.x, uint4{x[threadIdx.x], 0, 0, 0});
}
CASE(global_store_to_shared) {
  Array<uint32_t> x{std::vector<uint32_t>(32)};
  PH_LAUNCH(global_store_to_shared_kernel, 1, 32, 0, nullptr, x.data);
  print(x);
}

__global__ void missing_barrier_kernel(float* y) {
  PH_SHARED(float, tile, [64]);
  tile[threadIdx.x] = y[threadIdx.x];
  y[threadIdx.x] = tile[63 - threadIdx.x];
}
CASE(missing_barrier) { LAUNCH_OVER_NUMBERS(64, missing_barrier_kernel, 1, 64); }

// The second round may write before the first one's value is read.
__global__ void scratch_reused_kernel(float* y) {
  PH_SHARED(float, total, [1]);
  float sum = 0;
  for (int round = 0; round < 2; ++round) {
    if (threadIdx.x == 0) total[0] = static_cast<float>(round + 1);
    __syncthreads();
    sum += total[0];
  }
  y[threadIdx.x] = sum;
}
CASE(scratch_reused) { LAUNCH_OVER_NUMBERS(64, scratch_reused_kernel, 1, 64); }

__global__ void missing_syncwarp_kernel(float* y) {
  PH_SHARED(float, tile, [32]);
  tile[threadIdx.x] = y[threadIdx.x];
  y[threadIdx.x] = __shfl_xor_sync(~0u, tile[threadIdx.x], 1) + tile[31 - threadIdx.x];  // a shuffle orders no memory
}
CASE(missing_syncwarp) { LAUNCH_OVER_NUMBERS(32, missing_syncwarp_kernel, 1, 32); }

__global__ void barrier_in_a_branch_kernel(float* y) {
  if (threadIdx.x < 32) {
    __syncthreads();
    y[threadIdx.x] = 1;
  } else {
    __syncthreads();
    y[threadIdx.x] = 2;
  }
}
CASE(barrier_in_a_branch) { LAUNCH_OVER_NUMBERS(64, barrier_in_a_branch_kernel, 1, 64); }

__global__ void uninitialised_shared_kernel(float* y) {
  PH_SHARED(float, tile, [64]);
  if (threadIdx.x) tile[threadIdx.x] = 1;
  __syncthreads();
  y[threadIdx.x] = tile[threadIdx.x];
}
CASE(uninitialised_shared) { LAUNCH_OVER_NUMBERS(64, uninitialised_shared_kernel, 1, 64); }

__global__ void copy_kernel(const float* x, float* y) { y[threadIdx.x] = x[threadIdx.x]; }
CASE(uninitialised_global) {
  float* x = nullptr;
  Array<float> y(zeros(32));
  check(cudaMalloc(reinterpret_cast<void**>(&x), 128), "cudaMalloc");
  PH_LAUNCH(copy_kernel, 1, 32, 0, nullptr, x, y.data);
  print(y);
  check(cudaFree(x), "cudaFree");
}

#if defined(PH_SIM)  // nvcc refuses it
__global__ void too_much_shared_kernel(float* y) {
  PH_SHARED(float, first, [8000]);
  PH_SHARED(float, second, [8000]);
  first[0] = second[0] = y[0];
}
CASE(too_much_shared) { LAUNCH_OVER_NUMBERS(64, too_much_shared_kernel, 1, 64); }
#endif

__global__ void wrong_barrier_count_kernel(float* y) {
  if (threadIdx.x < 64) synchronize(1, 96);
  y[threadIdx.x] = 1;
}
CASE(wrong_barrier_count) { LAUNCH_OVER_NUMBERS(128, wrong_barrier_count_kernel, 1, 128); }

__global__ void part_of_a_warp_at_a_barrier_kernel(float* y) {
  if (threadIdx.x < 48) synchronize(1, 48);
  y[threadIdx.x] = 1;
}
CASE(part_of_a_warp_at_a_barrier) { LAUNCH_OVER_NUMBERS(64, part_of_a_warp_at_a_barrier_kernel, 1, 64); }

// ---- warps

__global__ void half_warp_shuffle_kernel(float* y) {
  if (threadIdx.x % 32 < 16) y[threadIdx.x] = __shfl_xor_sync(~0u, y[threadIdx.x], 8);
}
CASE(half_warp_shuffle) { LAUNCH_OVER_NUMBERS(64, half_warp_shuffle_kernel, 1, 64); }

__global__ void lane_outside_its_mask_kernel(float* y) { y[threadIdx.x] = __shfl_xor_sync(0xffffu, y[threadIdx.x], 1); }
CASE(lane_outside_its_mask) { LAUNCH_OVER_NUMBERS(32, lane_outside_its_mask_kernel, 1, 32); }

__global__ void lane_outside_the_mask_read_kernel(float* y) {
  if (threadIdx.x < 16) y[threadIdx.x] = __shfl_xor_sync(0xffffu, y[threadIdx.x], 16);
}
CASE(lane_outside_the_mask_read) { LAUNCH_OVER_NUMBERS(32, lane_outside_the_mask_read_kernel, 1, 32); }

__global__ void warps_diverge_kernel(float* y) {
  if (threadIdx.x % 2) {
    y[threadIdx.x] = __shfl_xor_sync(~0u, y[threadIdx.x], 1);
  } else {
    y[threadIdx.x] = __shfl_xor_sync(~0u, y[threadIdx.x], 1) + 1;
  }
}
CASE(warps_diverge) { LAUNCH_OVER_NUMBERS(32, warps_diverge_kernel, 1, 32); }

// ---- bounds and alignment

__global__ void beyond_global_kernel(float* y, int n) {
  const int i = static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x);
  if (i <= n) y[i] = 1;
}
CASE(beyond_global) { LAUNCH_OVER_NUMBERS(100, beyond_global_kernel, 2, 64, 100); }

__global__ void beyond_shared_kernel(float* y) {
  PH_SHARED(float, tile, [64]);
  float* all = &tile[0];
  all[threadIdx.x + 1] = y[threadIdx.x];
  __syncthreads();
  y[threadIdx.x] = tile[threadIdx.x];
}
CASE(beyond_shared) { LAUNCH_OVER_NUMBERS(64, beyond_shared_kernel, 1, 64); }

__global__ void index_beyond_array_kernel(float* y) {
  PH_SHARED(float, tile, [2][32]);
  tile[threadIdx.x / 32][threadIdx.x % 32 + 1] = y[threadIdx.x];  // in bounds of the whole, not of its row
  __syncthreads();
  y[threadIdx.x] = tile[threadIdx.x / 32][threadIdx.x % 32];
}
CASE(index_beyond_array) { LAUNCH_OVER_NUMBERS(32, index_beyond_array_kernel, 1, 32); }

__global__ void beyond_dynamic_kernel(float* y) {
  PH_DYNAMIC_SHARED(float, tile);
  tile[threadIdx.x] = y[threadIdx.x];
  __syncthreads();
  y[threadIdx.x] = tile[63 - threadIdx.x];
}
CASE(beyond_dynamic) {
  Array<float> y(numbers(64));
  PH_LAUNCH(beyond_dynamic_kernel, 1, 64, 128, nullptr, y.data);
  print(y);
}
CASE(too_much_dynamic) {
  Array<float> y(numbers(64));
  PH_LAUNCH(beyond_dynamic_kernel, 1, 64, 100000, nullptr, y.data);
  print(y);
}

__global__ void misaligned_vector_kernel(float* y) { *reinterpret_cast<float4*>(y + 1) = make_float4(1, 2, 3, 4); }
CASE(misaligned_vector) { LAUNCH_OVER_NUMBERS(8, misaligned_vector_kernel, 1, 1); }

__global__ void misaligned_ldmatrix_kernel(float* y) {
  PH_SHARED(uint16_t, tile, [264]);
  for (unsigned i = threadIdx.x; i < 264; i += 32) tile[i] = 0;
  __syncwarp();
  uint32_t to[4];
  ldmatrix<false>(to, &tile[threadIdx.x * 8 + 4]);
  y[threadIdx.x] = static_cast<float>(to[0]);
}
CASE(misaligned_ldmatrix) { LAUNCH_OVER_NUMBERS(32, misaligned_ldmatrix_kernel, 1, 32); }

CASE(copy_beyond_the_end) {
  Array<float> y(numbers(32));
  std::vector<float> host(64);
  check(cudaMemcpy(y.data, host.data(), 64 * sizeof(float), cudaMemcpyHostToDevice), "cudaMemcpy");
}

CASE(use_after_free) {
  Array<float> y(zeros(32));
  float* x = nullptr;
  check(cudaMalloc(reinterpret_cast<void**>(&x), 128), "cudaMalloc");
  check(cudaFree(x), "cudaFree");
  PH_LAUNCH(copy_kernel, 1, 32, 0, nullptr, x, y.data);
  print(y);
}

CASE(freed_twice) {
  float* x = nullptr;
  check(cudaMalloc(reinterpret_cast<void**>(&x), 128), "cudaMalloc");
  check(cudaFree(x), "cudaFree");
  check(cudaFree(x), "cudaFree");
}

__global__ void too_many_threads_kernel(float* y) { y[threadIdx.x] = 1; }
CASE(too_many_threads) { LAUNCH_OVER_NUMBERS(2048, too_many_threads_kernel, 1, 2048); }

// ---- blocks

__global__ void blocks_race_kernel(float* y) { y[threadIdx.x] = static_cast<float>(blockIdx.x); }
CASE(blocks_race) { LAUNCH_OVER_NUMBERS(32, blocks_race_kernel, 3, 32); }

__global__ void blocks_depend_kernel(float* y) {  // each block reads what the one before it wrote
  if (threadIdx.x == 0) y[blockIdx.x + 1] = y[blockIdx.x] + 10;
}
CASE(blocks_depend) { LAUNCH_OVER_NUMBERS(9, blocks_depend_kernel, 8, 32); }

__global__ void last_block_without_fence_kernel(float* parts, int* counter) {
  parts[1 + blockIdx.x] = static_cast<float>(blockIdx.x);
  if (atomicAdd(counter, 1) != static_cast<int>(gridDim.x) - 1) return;
  float total = 0;
  for (unsigned b = 0; b < gridDim.x; ++b) total += parts[1 + b];
  parts[0] = total;
}
CASE(last_block_without_fence) {
  Array<int> counter(std::vector<int>(1));
  LAUNCH_OVER_NUMBERS(9, last_block_without_fence_kernel, 8, 1, counter.data);
}

// ---- cp.async

__global__ void misaligned_copy_kernel(const float* x, float* y) {
  PH_SHARED(float, tile, [8]);
  copy_async<16>(tile, x + 1, true);
  commit_copies();
  wait_copies<0>();
  y[0] = tile[0];
}
CASE(misaligned_copy) {
  Array<float> x(numbers(8)), y(zeros(1));
  PH_LAUNCH(misaligned_copy_kernel, 1, 1, 0, nullptr, x.data, y.data);
  print(y);
}

enum class Wait { none, one_too_few, no_barrier };
template <Wait bug>
__global__ void badly_awaited_copy_kernel(const float* x, float* y) {
  PH_SHARED(float, tile, [2][32]);
  const unsigned i = threadIdx.x;
  for (unsigned stage = 0; stage < 2; ++stage) {
    copy_async<4>(&tile[stage][i], x + stage * 32 + i, true);
    commit_copies();
  }
  if constexpr (bug == Wait::one_too_few) wait_copies<1>();
  if constexpr (bug == Wait::no_barrier) wait_copies<0>();
  if constexpr (bug != Wait::no_barrier) __syncthreads();
  y[i] = tile[0][31 - i];
  y[32 + i] = tile[1][31 - i];
}
template <Wait bug>
static void badly_awaited_copy() {
  Array<float> x(numbers(64)), y(zeros(64));
  PH_LAUNCH(badly_awaited_copy_kernel<bug>, 1, 32, 0, nullptr, x.data, y.data);
  print(y);
}
CASE(copy_without_wait) { badly_awaited_copy<Wait::none>(); }
CASE(copy_with_one_wait_too_few) { badly_awaited_copy<Wait::one_too_few>(); }
CASE(copy_without_barrier) { badly_awaited_copy<Wait::no_barrier>(); }

// ---- mbarriers and TMA

__global__ void mbarrier_not_initialised_kernel(float* y) {
  PH_SHARED(Mbarrier, full, [1]);
  arrive(full);
  y[threadIdx.x] = 1;
}
CASE(mbarrier_not_initialised) { LAUNCH_OVER_NUMBERS(32, mbarrier_not_initialised_kernel, 1, 32); }

__global__ void one_arrival_missing_kernel(float* y) {
  PH_SHARED(Mbarrier, full, [1]);
  if (threadIdx.x == 0) initialize(full, 32);
  __syncthreads();
  if (threadIdx.x) arrive(full);
  wait(full, 0);
  y[threadIdx.x] = 1;
}
CASE(one_arrival_missing) { LAUNCH_OVER_NUMBERS(32, one_arrival_missing_kernel, 1, 32); }

enum class TileBug { none, no_wait, too_many_bytes, misaligned, part_of_16_bytes, wrong_phase, never_awaited };
template <TileBug bug>
__global__ void badly_awaited_tile_kernel(const __grid_constant__ TensorMap map, float* y) {
  PH_DYNAMIC_SHARED(char, memory);
  PH_SHARED(Mbarrier, full, [1]);
  float* tile = reinterpret_cast<float*>(memory + (bug == TileBug::misaligned ? 128 : 0));
  if (threadIdx.x == 0) {
    initialize(full, 1);
    fence_initialized();
    arrive_expecting(full, bug == TileBug::too_many_bytes ? 2048 : 1024);
    copy_tile(tile, map, 0, bug == TileBug::part_of_16_bytes ? -5 : 0, full);
  }
  __syncthreads();
  if constexpr (bug == TileBug::never_awaited) return;
  if constexpr (bug == TileBug::wrong_phase) wait(full, 1);  // the phase before the first is over at once
  if constexpr (bug != TileBug::no_wait && bug != TileBug::wrong_phase) wait(full, 0);
  for (unsigned i = threadIdx.x; i < 256; i += 32) y[i] = tile[i];
  if constexpr (bug == TileBug::no_wait || bug == TileBug::wrong_phase) wait(full, 0);
}
template <TileBug bug>
static void badly_awaited_tile() {
  Array<float> x(numbers(256)), y(zeros(256));
  PH_LAUNCH(badly_awaited_tile_kernel<bug>, 1, 32, 2048, nullptr, tensor_map(x.data, 8, 32, 8, 32, Swizzle::bytes128),
            y.data);
  print(y);
}
CASE(tile_without_wait) { badly_awaited_tile<TileBug::no_wait>(); }
CASE(tile_with_too_many_bytes) { badly_awaited_tile<TileBug::too_many_bytes>(); }
CASE(misaligned_tile) { badly_awaited_tile<TileBug::misaligned>(); }
CASE(tile_at_part_of_16_bytes) { badly_awaited_tile<TileBug::part_of_16_bytes>(); }
CASE(tile_awaited_in_the_wrong_phase) { badly_awaited_tile<TileBug::wrong_phase>(); }
CASE(tile_never_awaited) { badly_awaited_tile<TileBug::never_awaited>(); }

CASE(tile_wider_than_its_swizzle) {
  Array<float> x(numbers(256));
  tensor_map(x.data, 4, 64, 4, 64, Swizzle::bytes128);
}

// ---- wgmma

enum class ProductBug { none, no_wait, no_fence, other_descriptors, half_a_warpgroup, released_early };
template <ProductBug bug>
__global__ void bad_product_kernel(const __grid_constant__ TensorMap map, float* y) {
  constexpr int tile_bytes = 64 * 128;
  PH_DYNAMIC_SHARED(char, tile);
  PH_SHARED(Mbarrier, full, [1]);
  PH_SHARED(Mbarrier, empty, [1]);
  if (threadIdx.x == 0) {
    initialize(full, 1);
    initialize(empty, 1);
    fence_initialized();
  }
  __syncthreads();
  if (threadIdx.x == 128) {
    for (int round = 0; round < 2; ++round) {
      wait(empty, round ^ 1);
      arrive_expecting(full, tile_bytes);
      copy_tile(tile, map, 0, round * 64, full);
    }
  }
  if (threadIdx.x >= 128) return;
  if (bug == ProductBug::half_a_warpgroup && threadIdx.x >= 64) return;
  float sums[32] = {};
  for (int round = 0; round < 2; ++round) {
    wait(full, round);
    if constexpr (bug != ProductBug::no_fence) fence_products();
    const char* a = tile + (bug == ProductBug::other_descriptors && threadIdx.x >= 64 ? 32 : 0);
    const uint64_t own = describe(a, Swizzle::bytes128, 0, 1024), both = describe(tile, Swizzle::bytes128, 0, 1024);
    wgmma<BFloat16, 64, false, false>(sums, own, both, true);
    commit_products();
    if (bug == ProductBug::released_early && threadIdx.x == 0) arrive(empty);
    if constexpr (bug != ProductBug::no_wait) wait_products<0>();
    if (bug != ProductBug::released_early && threadIdx.x == 0) arrive(empty);
  }
  for (unsigned e = 0; e < 32; ++e) y[threadIdx.x * 32 + e] = sums[e];
  if constexpr (bug == ProductBug::no_wait) wait_products<0>();
}
template <ProductBug bug>
static void bad_product() {
  std::vector<BFloat16> values;
  for (int i = 0; i < 64 * 128; ++i) values.push_back(ph::bfloat16_from(static_cast<float>(i % 5 + 1)));
  Array<BFloat16> x(values);
  Array<float> y(zeros(128 * 32));
  PH_LAUNCH(bad_product_kernel<bug>, 1, 160, 64 * 128, nullptr, tensor_map(x.data, 64, 128, 64, 64, Swizzle::bytes128),
            y.data);
  print(y);
}
CASE(product_with_no_bug) { bad_product<ProductBug::none>(); }
CASE(product_without_wait) { bad_product<ProductBug::no_wait>(); }
CASE(product_without_fence) { bad_product<ProductBug::no_fence>(); }
CASE(product_of_other_descriptors) { bad_product<ProductBug::other_descriptors>(); }
CASE(product_of_half_a_warpgroup) { bad_product<ProductBug::half_a_warpgroup>(); }
CASE(stage_released_early) { bad_product<ProductBug::released_early>(); }

// ---- streams and graphs

CASE(synchronize_in_capture) {
  TestStream stream;
  check(cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal), "begin");
  check(cudaStreamSynchronize(stream), "synchronize");
}

CASE(allocate_in_capture) {
  TestStream stream;
  void* memory = nullptr;
  check(cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal), "begin");
  check(cudaMalloc(&memory, 16), "cudaMalloc");
}

CASE(fork_not_joined) {
  Array<float> y(zeros(4));
  TestStream stream, other;
  TestEvent fork;
  cudaGraph_t graph;
  check(cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal), "begin");
  check(cudaEventRecord(fork, stream), "record");
  check(cudaStreamWaitEvent(other, fork), "wait");
  PH_LAUNCH(add_one_kernel, 1, 32, 0, other, y.data, 4);
  check(cudaStreamEndCapture(stream, &graph), "end");
}

// The copy reads what the kernel before it writes.
CASE(graph_without_an_edge) {
  Array<float> y(zeros(1)), z(zeros(1));
  TestStream stream;
  cudaGraph_t graph;
  cudaGraphExec_t executable;
  check(cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal), "begin");
  PH_LAUNCH(add_one_kernel, 1, 1, 0, stream, y.data, 1);
  follow(stream, {});
  check(cudaMemcpyAsync(z.data, y.data, 4, cudaMemcpyDeviceToDevice, stream), "copy");
  check(cudaStreamEndCapture(stream, &graph), "end");
  check(cudaGraphInstantiate(&executable, graph, 0), "instantiate");
  check(cudaGraphLaunch(executable, stream), "launch");
  check(cudaStreamSynchronize(stream), "synchronize");
  print(z);
}

// The second stream reads what the first writes.
CASE(stream_that_does_not_wait) {
  Array<float> y(zeros(1)), z(zeros(1));
  TestStream first, second;
  PH_LAUNCH(add_one_kernel, 1, 1, 0, first, y.data, 1);
  check(cudaMemcpyAsync(z.data, y.data, 4, cudaMemcpyDeviceToDevice, second), "copy");
  check(cudaStreamSynchronize(second), "synchronize");
  check(cudaStreamSynchronize(first), "synchronize");
  print(z);
}

CASE(pinned_buffer_used_too_early) {
  Array<float> y(zeros(1));
  TestStream stream;
  float* pinned = nullptr;
  check(cudaMallocHost(reinterpret_cast<void**>(&pinned), sizeof(float)), "cudaMallocHost");
  *pinned = 1;
  check(cudaMemcpyAsync(y.data, pinned, 4, cudaMemcpyHostToDevice, stream), "copy");
  *pinned = 2;
  check(cudaStreamSynchronize(stream), "synchronize");
  print(y);
  check(cudaFreeHost(pinned), "cudaFreeHost");
}
