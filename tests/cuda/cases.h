// Small programs for the CUDA tests: each case launches kernels and prints what came out. Built by simulator.py for the
// simulator; nvcc builds the same files for a device.
#pragma once
#include <cstdio>
#include <vector>

#include "cuda/gpu.h"

using ph::cuda::check;

struct Case {
  Case(const char* name, void (*run)());
};
#define CASE(name)                            \
  static void name##_case();                  \
  static const Case name(#name, name##_case); \
  static void name##_case()

// An array on the device.
template <class T>
struct Array {
  explicit Array(const std::vector<T>& values) : count(values.size()) {
    check(cudaMalloc(reinterpret_cast<void**>(&data), count * sizeof(T)), "cudaMalloc");
    check(cudaMemcpy(data, values.data(), count * sizeof(T), cudaMemcpyHostToDevice), "cudaMemcpy");
    // it returns when the values are on their way, and streams of the tests do not wait for that
    check(cudaDeviceSynchronize(), "synchronize");
  }
  Array(const Array&) = delete;
  ~Array() { cudaFree(data); }
  std::vector<T> values() const {
    std::vector<T> host(count);
    check(cudaMemcpy(host.data(), data, count * sizeof(T), cudaMemcpyDeviceToHost), "cudaMemcpy");
    return host;
  }
  size_t count;
  T* data = nullptr;
};

template <class T>
void print(const std::vector<T>& values) {
  for (const T value : values) std::printf("%.9g ", static_cast<double>(value));
  std::printf("\n");
}
template <class T>
void print(const Array<T>& array) {
  print(array.values());
}

inline std::vector<float> numbers(size_t n) {
  std::vector<float> values(n);
  for (size_t i = 0; i < n; ++i) values[i] = static_cast<float>(i);
  return values;
}
inline std::vector<float> zeros(size_t n) { return std::vector<float>(n); }

[[maybe_unused]] static __global__ void add_one_kernel(float* y, int n) {
  const int i = static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x);
  if (i < n) y[i] += 1;
}

// Launches over an array of the numbers from 0 on, and prints it.
#define LAUNCH_OVER_NUMBERS(n, kernel, grid, block, ...)                         \
  Array<float> y(numbers(n));                                                    \
  PH_LAUNCH(kernel, grid, block, 0, nullptr, y.data __VA_OPT__(, ) __VA_ARGS__); \
  check(cudaDeviceSynchronize(), "synchronize");                                 \
  print(y)

struct TestStream {
  TestStream() { check(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking), "stream"); }
  ~TestStream() { cudaStreamDestroy(stream); }
  operator cudaStream_t() const { return stream; }
  cudaStream_t stream;
};
struct TestEvent {
  TestEvent() { check(cudaEventCreateWithFlags(&event, cudaEventDisableTiming), "event"); }
  ~TestEvent() { cudaEventDestroy(event); }
  operator cudaEvent_t() const { return event; }
  cudaEvent_t event;
};

// What the nodes of a capture follow: the last ones captured, or others.
using GraphNodes = std::vector<cudaGraphNode_t>;
inline GraphNodes last_nodes(cudaStream_t stream) {
  cudaStreamCaptureStatus status;
  const cudaGraphNode_t* nodes = nullptr;
  size_t count = 0;
  check(cudaStreamGetCaptureInfo(stream, &status, nullptr, nullptr, &nodes, nullptr, &count), "capture info");
  return GraphNodes(nodes, nodes + count);
}
inline void follow(cudaStream_t stream, GraphNodes nodes) {
  check(cudaStreamUpdateCaptureDependencies(stream, nodes.data(), nullptr, nodes.size(),
                                            cudaStreamSetCaptureDependencies),
        "dependencies");
}
