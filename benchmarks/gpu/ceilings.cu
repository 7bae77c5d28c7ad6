// What a GPU can do at best, as JSON lines: memory, multiply-adds, tensor cores, launches, and copies over the bus.
// Each number is the median of several runs, timed by events. Built by
//   nvcc -std=c++20 -O3 -gencode=arch=compute_90a,code=sm_90a --expt-relaxed-constexpr -I. -Isrc -cudart static
//     -o ceilings benchmarks/gpu/ceilings.cu src/core/error.cpp
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "cuda/gpu.h"

using ph::BFloat16;
using ph::cuda::check;

namespace {

constexpr int samples = 9;

float median(std::vector<float> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

struct Clock {
  Clock() {
    check(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking), "stream");
    check(cudaEventCreate(&begin), "event");
    check(cudaEventCreate(&end), "event");
  }
  // Milliseconds of one call of work(), which puts things in the stream; `calls` are timed together.
  template <class Work>
  float milliseconds(int calls, Work work) {
    work();
    std::vector<float> times;
    for (int i = 0; i < samples; ++i) {
      check(cudaEventRecord(begin, stream), "record");
      for (int call = 0; call < calls; ++call) work();
      check(cudaEventRecord(end, stream), "record");
      check(cudaEventSynchronize(end), "synchronize");
      float time = 0;
      check(cudaEventElapsedTime(&time, begin, end), "elapsed");
      times.push_back(time / static_cast<float>(calls));
    }
    return median(times);
  }
  cudaStream_t stream;
  cudaEvent_t begin, end;
};

void row(const char* what, double size, double value, const char* unit) {
  std::printf("{\"what\": \"%s\", \"size\": %.0f, \"value\": %.4g, \"unit\": \"%s\"}\n", what, size, value, unit);
  std::fflush(stdout);
}

// ---- memory

// Random words, so that no run of zeros is faster than what networks have.
__global__ void fill_kernel(uint4* y, int64_t count) {
  for (int64_t i = int64_t{blockIdx.x} * blockDim.x + threadIdx.x; i < count; i += int64_t{gridDim.x} * blockDim.x) {
    const uint32_t x = static_cast<uint32_t>(i) * 2654435761u;
    y[i] = uint4{x ^ x >> 15, x * 40503u, x * 2246822519u, x + 374761393u};
  }
}
__global__ void __launch_bounds__(512) copy_kernel(const uint4* x, uint4* y, int64_t count) {
  for (int64_t i = int64_t{blockIdx.x} * 2048 + threadIdx.x; i < count; i += int64_t{gridDim.x} * 2048) {
    uint4 words[4];
    PH_UNROLL
    for (int j = 0; j < 4; ++j) words[j] = x[i + j * 512];
    PH_UNROLL
    for (int j = 0; j < 4; ++j) y[i + j * 512] = words[j];
  }
}
__global__ void __launch_bounds__(512) read_kernel(const uint4* x, uint4* y, int64_t count) {
  uint32_t all = 0;
  for (int64_t i = int64_t{blockIdx.x} * 2048 + threadIdx.x; i < count; i += int64_t{gridDim.x} * 2048) {
    uint4 words[4];
    PH_UNROLL
    for (int j = 0; j < 4; ++j) words[j] = x[i + j * 512];
    PH_UNROLL
    for (int j = 0; j < 4; ++j) all |= words[j].x & words[j].y & words[j].z & words[j].w;
  }
  if (all == 0x12345678u) y[threadIdx.x] = uint4{all, 0, 0, 0};  // so that the loads stay
}
__global__ void __launch_bounds__(512) write_kernel(const uint4*, uint4* y, int64_t count) {
  const uint4 word{threadIdx.x, blockIdx.x * 2654435761u, 3, 4};
  for (int64_t i = int64_t{blockIdx.x} * 2048 + threadIdx.x; i < count; i += int64_t{gridDim.x} * 2048) {
    PH_UNROLL
    for (int j = 0; j < 4; ++j) y[i + j * 512] = word;
  }
}

using MemoryKernel = void (*)(const uint4*, uint4*, int64_t);

// `bytes` of each buffer, a multiple of 32 KiB.
void memory_row(Clock& clock, const char* what, MemoryKernel kernel, const uint4* x, uint4* y, int64_t bytes,
                double moved_bytes) {
  const int64_t count = bytes / 16, chunks = count / 2048;
  const auto blocks = static_cast<unsigned>(std::min<int64_t>(chunks, 1 << 20));
  const int calls = bytes >= int64_t{1} << 28 ? 1 : 50;
  const float time = clock.milliseconds(calls, [&] { PH_LAUNCH(kernel, blocks, 512, 0, clock.stream, x, y, count); });
  row(what, static_cast<double>(bytes), moved_bytes / time * 1e-6, "GB/s");
}

void memory_rows(Clock& clock) {
  constexpr int64_t most = int64_t{1} << 30;
  uint4 *x = nullptr, *y = nullptr;
  check(cudaMalloc(reinterpret_cast<void**>(&x), most), "cudaMalloc");
  check(cudaMalloc(reinterpret_cast<void**>(&y), most), "cudaMalloc");
  PH_LAUNCH(fill_kernel, 4096, 256, 0, clock.stream, x, most / 16);
  for (const int64_t bytes : {most, int64_t{8} << 20}) {
    const auto size = static_cast<double>(bytes);
    memory_row(clock, "copy", copy_kernel, x, y, bytes, 2 * size);
    memory_row(clock, "read", read_kernel, x, y, bytes, size);
    memory_row(clock, "write", write_kernel, x, y, bytes, size);
    const float time = clock.milliseconds(bytes == most ? 1 : 50, [&] {
      check(cudaMemcpyAsync(y, x, static_cast<size_t>(bytes), cudaMemcpyDeviceToDevice, clock.stream), "copy");
    });
    row("cudaMemcpy on the device", size, 2 * size / time * 1e-6, "GB/s");
  }
  check(cudaFree(x), "cudaFree");
  check(cudaFree(y), "cudaFree");
}

// ---- arithmetic, from registers

constexpr int chains = 16;

__global__ void __launch_bounds__(256) ffma_kernel(float* y, int rounds, float by, float plus) {
  float sums[chains];
  PH_UNROLL
  for (int i = 0; i < chains; ++i) sums[i] = static_cast<float>(threadIdx.x + i);
  PH_NO_UNROLL
  for (int round = 0; round < rounds; ++round) {
    PH_UNROLL
    for (int again = 0; again < 8; ++again) {
      PH_UNROLL
      for (int i = 0; i < chains; ++i) sums[i] = sums[i] * by + plus;
    }
  }
  float all = 0;
  PH_UNROLL
  for (int i = 0; i < chains; ++i) all += sums[i];
  if (all == 12345.0f) y[threadIdx.x] = all;
}

// Bits of random numbers near one: pairs of bfloat16, or tf32.
template <class T>
__device__ uint32_t random_operand(uint32_t seed) {
  uint32_t x = (seed + 1) * 2654435761u;
  x ^= x >> 15, x *= 2246822519u, x ^= x >> 13;
  return sizeof(T) == 2 ? (x & 0x807f807fu) | 0x3f003f00u : (x & 0x807fe000u) | 0x3f000000u;
}

template <class T>
__global__ void __launch_bounds__(256) mma_kernel(float* y, int rounds) {
  constexpr int products = 8;
  uint32_t a[2][4], b[2][2];
  for (int i = 0; i < 2; ++i) {
    for (int r = 0; r < 4; ++r) a[i][r] = random_operand<T>(threadIdx.x * 16 + i * 4 + r);
    for (int r = 0; r < 2; ++r) b[i][r] = random_operand<T>(threadIdx.x * 16 + 8 + i * 2 + r);
  }
  float sums[products][4] = {};
  PH_NO_UNROLL
  for (int round = 0; round < rounds; ++round) {
    PH_UNROLL
    for (int i = 0; i < products; ++i) {
      if constexpr (sizeof(T) == 2) {
        ph::ptx::mma_bfloat16(sums[i], a[i % 2], b[i / 2 % 2]);
      } else {
        ph::ptx::mma_tf32(sums[i], a[i % 2], b[i / 2 % 2]);
      }
    }
  }
  float all = 0;
  PH_UNROLL
  for (int i = 0; i < products; ++i) all += sums[i][0] + sums[i][1] + sums[i][2] + sums[i][3];
  if (all == 12345.0f) y[threadIdx.x] = all;
}

// Two warpgroups, 64 x 256 each, over one stage of 64 of depth in shared memory that stays as it is.
__global__ void __launch_bounds__(256, 1) wgmma_kernel(float* y, int rounds) {
#if defined(PH_SIM) || PH_HAS_WGMMA
  constexpr int row_bytes = 128;
  PH_DYNAMIC_SHARED(char, memory);
  uint32_t* words = reinterpret_cast<uint32_t*>(memory);
  for (unsigned i = threadIdx.x; i < (128 + 256) * row_bytes / 4; i += 256) words[i] = random_operand<BFloat16>(i);
  ph::ptx::fence_async();
  __syncthreads();
  const char *a = memory + threadIdx.x / 128 * 64 * row_bytes, *b = memory + 128 * row_bytes;
  float sums[128];
  PH_NO_UNROLL
  for (int round = 0; round < rounds; ++round) {
    ph::ptx::fence_products();
    PH_UNROLL
    for (int k = 0; k < 4; ++k) {
      ph::ptx::wgmma<BFloat16, 256, false, false>(
          sums, ph::ptx::describe(a + k * 32, ph::ptx::Swizzle::bytes128, 0, 8 * row_bytes),
          ph::ptx::describe(b + k * 32, ph::ptx::Swizzle::bytes128, 0, 8 * row_bytes), round > 0 || k > 0);
    }
    ph::ptx::commit_products();
    ph::ptx::wait_products<1>();
  }
  ph::ptx::wait_products<0>();
  if (rounds > 0) return;  // stores, as nothing else is sure to stay behind the wait
  for (int i = 0; i < 128; ++i) y[i * 256 + threadIdx.x] = sums[i];
#else
  (void)y, (void)rounds;
#endif
}

void arithmetic_rows(Clock& clock, const cudaDeviceProp& device) {
  float* y = nullptr;
  check(cudaMalloc(reinterpret_cast<void**>(&y), 4096), "cudaMalloc");
  const int processors = device.multiProcessorCount;
  const auto measure = [&](const char* what, auto kernel, int blocks_each, size_t shared_bytes, int rounds,
                           double flops_of_block_round, auto... more) {
    const auto blocks = static_cast<unsigned>(processors * blocks_each);
    const float time =
        clock.milliseconds(1, [&] { PH_LAUNCH(kernel, blocks, 256, shared_bytes, clock.stream, y, rounds, more...); });
    row(what, rounds, flops_of_block_round * rounds * blocks / time * 1e-9, "TFLOP/s");
  };
  measure("ffma float32", ffma_kernel, 8, 0, 20000, 2.0 * 256 * chains * 8, 0.999f, 0.001f);
  if (device.major >= 8) {
    measure("mma bfloat16", mma_kernel<BFloat16>, 4, 0, 20000, 2.0 * 16 * 8 * 16 * 8 * 8);
    measure("mma tf32", mma_kernel<float>, 4, 0, 20000, 2.0 * 16 * 8 * 8 * 8 * 8);
  }
  if (device.major == 9) {
    constexpr int shared_bytes = (128 + 256) * 128;
    check(cudaFuncSetAttribute(wgmma_kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, shared_bytes), "attribute");
    measure("wgmma bfloat16, 10 ms", wgmma_kernel, 1, shared_bytes, 20000, 2.0 * 128 * 256 * 64);
    measure("wgmma bfloat16, 1 ms", wgmma_kernel, 1, shared_bytes, 2000, 2.0 * 128 * 256 * 64);
  }
  check(cudaFree(y), "cudaFree");
}

// ---- launches

__global__ void empty_kernel(int) {}

// Of the host, until a launch returns, and of the device, from one to the next.
void launch_rows(Clock& clock) {
  using Host = std::chrono::steady_clock;
  constexpr int count = 500;
  std::vector<float> host;
  const float device = clock.milliseconds(1, [&] {
    const auto begun = Host::now();
    for (int i = 0; i < count; ++i) PH_LAUNCH(empty_kernel, 1, 32, 0, clock.stream, 0);
    host.push_back(std::chrono::duration<float, std::micro>(Host::now() - begun).count());
  });
  row("launch, on the host", count, median(host) / count, "us");
  row("launch, on the device", count, device * 1000 / count, "us");
  std::vector<float> round_trips;
  for (int i = 0; i < 50; ++i) {
    const auto begun = Host::now();
    PH_LAUNCH(empty_kernel, 1, 32, 0, clock.stream, 0);
    check(cudaStreamSynchronize(clock.stream), "synchronize");
    round_trips.push_back(std::chrono::duration<float, std::micro>(Host::now() - begun).count());
  }
  row("launch and synchronize", 1, median(round_trips), "us");

  for (const int nodes : {1, 10, 100, 1000}) {
    cudaGraph_t graph;
    cudaGraphExec_t executable;
    check(cudaStreamBeginCapture(clock.stream, cudaStreamCaptureModeThreadLocal), "begin");
    for (int i = 0; i < nodes; ++i) PH_LAUNCH(empty_kernel, 1, 32, 0, clock.stream, 0);
    check(cudaStreamEndCapture(clock.stream, &graph), "end");
    check(cudaGraphInstantiate(&executable, graph, 0), "instantiate");
    const float time = clock.milliseconds(1000 / nodes < 20 ? 20 : 100,
                                          [&] { check(cudaGraphLaunch(executable, clock.stream), "cudaGraphLaunch"); });
    row("graph, whole", nodes, time * 1000, "us");
    row("graph, a node", nodes, time * 1000 / static_cast<float>(nodes), "us");
    check(cudaGraphExecDestroy(executable), "destroy");
    check(cudaGraphDestroy(graph), "destroy");
  }
}

// ---- the bus

void bus_rows(Clock& clock) {
  constexpr size_t bytes = size_t{256} << 20;
  void *pinned = nullptr, *device = nullptr;
  std::vector<char> pageable(bytes, 1);
  check(cudaMallocHost(&pinned, bytes), "cudaMallocHost");
  check(cudaMalloc(&device, bytes), "cudaMalloc");
  std::memset(pinned, 1, bytes);
  const auto measure = [&](const char* what, size_t size, void* host, bool up) {
    const float time = clock.milliseconds(1, [&] {
      check(cudaMemcpyAsync(up ? device : host, up ? host : device, size,
                            up ? cudaMemcpyHostToDevice : cudaMemcpyDeviceToHost, clock.stream),
            "copy");
    });
    row(what, static_cast<double>(size), static_cast<double>(size) / time * 1e-6, "GB/s");
  };
  for (const size_t size : {bytes, size_t{1} << 20}) {
    measure("host to device, pinned", size, pinned, true);
    measure("device to host, pinned", size, pinned, false);
    measure("host to device, pageable", size, pageable.data(), true);
    measure("device to host, pageable", size, pageable.data(), false);
  }
  check(cudaFree(device), "cudaFree");
  check(cudaFreeHost(pinned), "cudaFreeHost");
}

// 0 where it is not told.
int attribute(cudaDeviceAttr which) {
  int value = 0;
  if (cudaDeviceGetAttribute(&value, which, 0) != cudaSuccess) cudaGetLastError();
  return value;
}

}  // namespace

int main() {
  try {
    cudaDeviceProp device{};
    check(cudaGetDeviceProperties(&device, 0), "cudaGetDeviceProperties");
    std::printf(
        "{\"device\": \"%s\", \"capability\": \"%d.%d\", \"processors\": %d, \"clock_mhz\": %d, \"memory_clock_mhz\": "
        "%d, \"memory_bus_bits\": %d, \"l2_bytes\": %d, \"memory_bytes\": %zu, \"shared_bytes_of_block\": %zu}\n",
        device.name, device.major, device.minor, device.multiProcessorCount, attribute(cudaDevAttrClockRate) / 1000,
        attribute(cudaDevAttrMemoryClockRate) / 1000, device.memoryBusWidth, device.l2CacheSize, device.totalGlobalMem,
        device.sharedMemPerBlockOptin);
    Clock clock;
    launch_rows(clock);
    memory_rows(clock);
    arithmetic_rows(clock, device);
    bus_rows(clock);
  } catch (const ph::Error& error) {
    std::printf("{\"error\": \"%s\"}\n", error.what());
    return 1;
  }
  return 0;
}
