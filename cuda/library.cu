// What this shared library says of itself to the core (core/device_library.h).
#include <vector>

#include "core/device_library.h"
#include "cuda/backend.h"
#include "cuda/gpu.h"

namespace ph {

static const CoreServices* core;

Precision matmul_precision() { return core->matmul_precision(); }

static std::vector<KernelEntry>& entries() {
  static std::vector<KernelEntry> all;
  return all;
}

// Here the kernels are only listed; the core enters them into its table when it opens the library.
KernelRegistrar::KernelRegistrar(const char* op, const char*, const Kernel* kernels, int count) {
  entries().push_back({op, {kernels, count}});
}

}  // namespace ph

namespace ph::cuda {

namespace {

constexpr int oldest_capability = 75;

__global__ void self_test_kernel(int* y) { y[threadIdx.x] = static_cast<int>(threadIdx.x) + 1; }

// Whether the machine code in this library runs on a device: its driver may be older than the library's CUDA.
cudaError_t self_test(int device) {
  constexpr int n = 32;
  int* y = nullptr;
  int values[n] = {};
  cudaError_t error = cudaSetDevice(device);
  if (error == cudaSuccess) error = cudaMalloc(reinterpret_cast<void**>(&y), sizeof(values));
  if (error != cudaSuccess) return error;
  error = launch(self_test_kernel, "self_test_kernel", 1, n, 0, nullptr, y);
  if (error == cudaSuccess) error = cudaMemcpy(values, y, sizeof(values), cudaMemcpyDeviceToHost);
  cudaFree(y);
  for (int i = 0; i < n && error == cudaSuccess; ++i) {
    if (values[i] != i + 1) error = cudaErrorLaunchFailure;
  }
  return error;
}

int device_count(const char** reason) {
  int count = 0;
  const cudaError_t error = cudaGetDeviceCount(&count);
  if (error != cudaSuccess) {
    *reason = cudaGetErrorString(error);
    return 0;
  }
  for (int i = 0; i < count; ++i) {
    if (capability_of(i) < oldest_capability) {
      *reason = "a GPU here is older than compute capability 7.5";
      return 0;
    }
    const cudaError_t failed = self_test(i);
    if (failed == cudaSuccess) continue;
    *reason = cudaGetErrorString(failed);
    return 0;
  }
  if (count == 0) *reason = "the NVIDIA driver knows no GPU";
  return count;
}

std::string device_name(int device) {
#ifdef PH_SIM
  (void)device;
  return "gpu:sim";
#else
  return "gpu:" + std::to_string(device);
#endif
}

}  // namespace

}  // namespace ph::cuda

extern "C" __attribute__((visibility("default"))) const ph::DeviceLibrary* pronghorn_device_library(
    const ph::CoreServices* services) {
  ph::core = services;
  static const ph::DeviceLibrary library{
      ph::device_library_layout,
      "cuda",
      {ph::entries().data(), static_cast<int>(ph::entries().size())},
      ph::cuda::device_count,
      ph::cuda::device_name,
      ph::cuda::make_backend,
  };
  return &library;
}
