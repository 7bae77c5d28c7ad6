// Right kernels: what C++ can say, and streams, events and graphs.
#include "cases.h"

__global__ void reverse_block_kernel(float* y) {
  PH_SHARED(float, tile, [256]);
  const unsigned i = threadIdx.x, at = blockIdx.x * blockDim.x;
  tile[i] = y[at + i];
  __syncthreads();
  y[at + i] = tile[blockDim.x - 1 - i];
}
CASE(reverse_block) { LAUNCH_OVER_NUMBERS(128, reverse_block_kernel, 2, 64); }

// So many that threads of the host share the blocks.
CASE(many_blocks) { LAUNCH_OVER_NUMBERS(25600, reverse_block_kernel, 100, 256); }

__global__ void dynamic_shared_kernel(float* y) {
  PH_DYNAMIC_SHARED(float, tile);
  tile[threadIdx.x] = y[threadIdx.x];
  __syncthreads();
  y[threadIdx.x] = tile[threadIdx.x ^ 1];
}
CASE(dynamic_shared) {
  constexpr size_t bytes = 100 * 1024;  // more than the usual limit
  check(cudaFuncSetAttribute(dynamic_shared_kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, bytes), "attribute");
  Array<float> y(numbers(64));
  PH_LAUNCH(dynamic_shared_kernel, 1, 64, bytes, nullptr, y.data);
  print(y);
}

__global__ void indices_kernel(float* y) {
  const unsigned block = (blockIdx.z * gridDim.y + blockIdx.y) * gridDim.x + blockIdx.x;
  const unsigned thread = (threadIdx.z * blockDim.y + threadIdx.y) * blockDim.x + threadIdx.x;
  const unsigned at = block * blockDim.x * blockDim.y * blockDim.z + thread;
  y[at] = static_cast<float>(blockIdx.z * 100000 + blockIdx.y * 10000 + blockIdx.x * 1000 + threadIdx.z * 100 +
                             threadIdx.y * 10 + threadIdx.x);
}
CASE(indices) {
  Array<float> y(zeros(2 * 3 * 2 * 4 * 3 * 2));
  PH_LAUNCH(indices_kernel, dim3(2, 3, 2), dim3(4, 3, 2), 0, nullptr, y.data);
  print(y);
}

__global__ void warp_sum_kernel(float* y) {
  float sum = y[threadIdx.x];
  for (int step = 16; step > 0; step /= 2) sum += __shfl_xor_sync(~0u, sum, step);
  y[threadIdx.x] = sum;
}
CASE(warp_sum) { LAUNCH_OVER_NUMBERS(64, warp_sum_kernel, 1, 64); }

// Each 4 lanes under a mask of their own, while the other lanes go their way.
__global__ void sums_of_fours_kernel(float* y) {
  float sum = y[threadIdx.x];
  const unsigned mask = 0xfu << (threadIdx.x % 32 & ~3u);
  if (threadIdx.x % 32 / 4 % 2 == 0) {
    for (int step = 2; step > 0; step /= 2) sum += __shfl_xor_sync(mask, sum, step, 4);
  }
  y[threadIdx.x] = sum;
}
CASE(sums_of_fours) { LAUNCH_OVER_NUMBERS(64, sums_of_fours_kernel, 1, 64); }

__global__ void shuffles_kernel(float* y) {
  const float own = static_cast<float>(threadIdx.x);
  y[threadIdx.x] = __shfl_up_sync(~0u, own, 1);
  y[32 + threadIdx.x] = __shfl_down_sync(~0u, own, 1, 8);
  y[64 + threadIdx.x] = __shfl_sync(~0u, own, 3, 16);
  y[96 + threadIdx.x] = static_cast<float>(__popc(__ballot_sync(~0u, threadIdx.x % 3 == 0)));
  y[128 + threadIdx.x] = static_cast<float>(__any_sync(~0u, threadIdx.x == 7) * 10 + __all_sync(~0u, own < 31));
  y[160 + threadIdx.x] = static_cast<float>(__shfl_xor_sync(~0u, static_cast<double>(own) + 0.5, 1));
}
CASE(shuffles) { LAUNCH_OVER_NUMBERS(192, shuffles_kernel, 1, 32); }

// The last warp of 48 threads has 16; a full mask means those that are there.
__global__ void part_of_a_warp_kernel(float* y) {
  const float neighbour = __shfl_xor_sync(~0u, y[threadIdx.x], 1);
  __syncwarp();
  y[threadIdx.x] = neighbour;
}
CASE(part_of_a_warp) { LAUNCH_OVER_NUMBERS(48, part_of_a_warp_kernel, 1, 48); }

__global__ void some_end_early_kernel(float* y, int n) {
  if (threadIdx.x >= static_cast<unsigned>(n)) return;
  PH_SHARED(float, tile, [64]);
  tile[threadIdx.x] = y[threadIdx.x];
  __syncthreads();
  y[threadIdx.x] = tile[static_cast<unsigned>(n) - 1 - threadIdx.x];
}
CASE(some_end_early) { LAUNCH_OVER_NUMBERS(64, some_end_early_kernel, 1, 64, 40); }

// The first block to count to the end adds up what all have written.
__global__ void last_block_sums_kernel(float* parts, int* counter, float* sum) {
  PH_SHARED(bool, is_last, [1]);
  if (threadIdx.x == 0) {
    parts[blockIdx.x] = static_cast<float>(blockIdx.x);
    __threadfence();
    is_last[0] = atomicAdd(counter, 1) == static_cast<int>(gridDim.x) - 1;
    __threadfence();
  }
  __syncthreads();
  if (!is_last[0] || threadIdx.x != 0) return;
  float total = 0;
  for (unsigned b = 0; b < gridDim.x; ++b) total += parts[b];
  *sum = total;
}
CASE(last_block_sums) {
  Array<float> parts(zeros(20)), sum(zeros(1));
  Array<int> counter(std::vector<int>(1));
  PH_LAUNCH(last_block_sums_kernel, 20, 32, 0, nullptr, parts.data, counter.data, sum.data);
  print(sum);
}

__global__ void atomics_kernel(int* y) {
  const int i = static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x);
  atomicAdd(&y[0], i);
  atomicMax(&y[1], i * 7 % 64);
  atomicCAS(&y[2], 0, 5);
  if (i == 9) atomicExch(&y[3], 9);
}
CASE(atomics) {
  Array<int> y(std::vector<int>(4));
  PH_LAUNCH(atomics_kernel, 4, 16, 0, nullptr, y.data);
  print(y);
}

__global__ void vectors_kernel(const float4* x, float4* y) {
  const float4 v = x[threadIdx.x];
  y[threadIdx.x] = make_float4(v.w, v.z, v.y, v.x);
}
CASE(vectors) {
  Array<float> x(numbers(64)), y(zeros(64));
  PH_LAUNCH(vectors_kernel, 1, 16, 0, nullptr, reinterpret_cast<const float4*>(x.data),
            reinterpret_cast<float4*>(y.data));
  print(y);
}

// ---- streams, events and graphs

static __global__ void double_kernel(float* y) { *y *= 2; }
static __global__ void add_kernel(float* sum, const float* y, const float* z) { *sum += *y + *z; }

// Two streams, forked and joined in the capture; the graph runs three times, and not while it is recorded.
CASE(graph) {
  Array<float> y(zeros(4));
  TestStream stream, other;
  TestEvent fork, join;
  cudaGraph_t recorded;
  cudaGraphExec_t executable;
  check(cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal), "begin");
  PH_LAUNCH(add_one_kernel, 1, 32, 0, stream, y.data, 4);
  check(cudaEventRecord(fork, stream), "record");
  check(cudaStreamWaitEvent(other, fork), "wait");
  PH_LAUNCH(add_one_kernel, 1, 32, 0, other, y.data, 2);
  check(cudaEventRecord(join, other), "record");
  check(cudaStreamWaitEvent(stream, join), "wait");
  check(cudaStreamEndCapture(stream, &recorded), "end");
  check(cudaGraphInstantiate(&executable, recorded, 0), "instantiate");
  check(cudaGraphDestroy(recorded), "destroy");
  print(y);
  for (int i = 0; i < 3; ++i) check(cudaGraphLaunch(executable, stream), "launch");
  check(cudaStreamSynchronize(stream), "synchronize");
  print(y);
  check(cudaGraphExecDestroy(executable), "destroy");
}

// One capture whose nodes are told what to follow: y is written twice, z once, and both are added at the end.
CASE(graph_of_two_branches) {
  Array<float> y(zeros(1)), z(zeros(1)), sum(zeros(1));
  TestStream stream;
  cudaGraph_t recorded;
  cudaGraphExec_t executable;
  check(cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal), "begin");
  PH_LAUNCH(add_one_kernel, 1, 1, 0, stream, y.data, 1);
  PH_LAUNCH(double_kernel, 1, 1, 0, stream, y.data);
  const GraphNodes first = last_nodes(stream);
  follow(stream, {});
  PH_LAUNCH(add_one_kernel, 1, 1, 0, stream, z.data, 1);
  GraphNodes both = last_nodes(stream);
  both.insert(both.end(), first.begin(), first.end());
  follow(stream, both);
  PH_LAUNCH(add_kernel, 1, 1, 0, stream, sum.data, y.data, z.data);
  check(cudaStreamEndCapture(stream, &recorded), "end");
  check(cudaGraphInstantiate(&executable, recorded, 0), "instantiate");
  check(cudaGraphDestroy(recorded), "destroy");
  for (int i = 0; i < 2; ++i) check(cudaGraphLaunch(executable, stream), "launch");
  check(cudaStreamSynchronize(stream), "synchronize");
  print(sum);
  check(cudaGraphExecDestroy(executable), "destroy");
}

CASE(stream_that_waits) {
  Array<float> y(zeros(1)), z(zeros(1));
  TestStream first, second;
  TestEvent written;
  PH_LAUNCH(add_one_kernel, 1, 1, 0, first, y.data, 1);
  check(cudaEventRecord(written, first), "record");
  check(cudaStreamWaitEvent(second, written), "wait");
  check(cudaMemcpyAsync(z.data, y.data, 4, cudaMemcpyDeviceToDevice, second), "copy");
  check(cudaStreamSynchronize(second), "synchronize");
  print(z);
}

CASE(polled_event) {
  Array<float> y(zeros(1));
  TestStream stream;
  TestEvent done;
  for (int i = 0; i < 3; ++i) PH_LAUNCH(add_one_kernel, 1, 1, 0, stream, y.data, 1);
  check(cudaEventRecord(done, stream), "record");
  while (cudaEventQuery(done) == cudaErrorNotReady) continue;
  print(y);
}

CASE(pinned_buffer_used_again) {
  Array<float> y(zeros(1)), z(zeros(1));
  TestStream stream;
  TestEvent copied;
  float* pinned = nullptr;
  check(cudaMallocHost(reinterpret_cast<void**>(&pinned), sizeof(float)), "cudaMallocHost");
  for (int i = 0; i < 2; ++i) {
    *pinned = static_cast<float>(i + 1);
    check(cudaMemcpyAsync(i == 0 ? y.data : z.data, pinned, 4, cudaMemcpyHostToDevice, stream), "copy");
    check(cudaEventRecord(copied, stream), "record");
    check(cudaEventSynchronize(copied), "synchronize");
  }
  print(y);
  print(z);
  check(cudaFreeHost(pinned), "cudaFreeHost");
}
