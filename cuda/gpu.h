// What a kernel file includes. nvcc makes device code of it, a host compiler code for the simulator in cuda/sim.
//
//   __global__ void scale(float* y, float by) {
//     PH_SHARED(float, tile, [32][33]);           // static shared memory
//     PH_DYNAMIC_SHARED(float, rest);             // dynamic shared memory
//   }
//   PH_UNROLL for (...)                           // a loop to unroll whole
//   PH_NO_UNROLL for (...)                        // one to leave as it is
//   PH_LAUNCH(scale, grid, block, dynamic_bytes, stream, y, by);   // throws an Error that names the kernel
//
// Kernels use no <<<>>>, no asm outside ptx.h, no cooperative groups, no managed or __constant__ memory, no texture,
// and no atomics on floats.
#pragma once
#if defined(__CUDACC__)
#include <cuda_runtime.h>

#include <cstdint>
#include <cstring>

#define PH_DYNAMIC_SHARED(T, name)                                     \
  extern __shared__ __align__(1024) unsigned char ph_dynamic_shared[]; \
  T* name = reinterpret_cast<T*>(ph_dynamic_shared)
#define PH_SHARED(T, name, ...) __shared__ __align__(16) T name __VA_ARGS__
#define PH_UNROLL _Pragma("unroll")
#define PH_NO_UNROLL _Pragma("unroll 1")

namespace ph::cuda {
template <class... Parameters, class... Arguments>
cudaError_t launch(void (*kernel)(Parameters...), const char*, dim3 grid, dim3 block, size_t dynamic_bytes,
                   cudaStream_t stream, Arguments... arguments) {
  cudaLaunchConfig_t config{};
  config.gridDim = grid;
  config.blockDim = block;
  config.dynamicSmemBytes = dynamic_bytes;
  config.stream = stream;
  return cudaLaunchKernelEx(&config, kernel, static_cast<Parameters>(arguments)...);
}
}  // namespace ph::cuda
#else
#include "cuda/sim/sim.h"
#define PH_UNROLL
#define PH_NO_UNROLL

namespace ph::cuda {
using ph::sim::launch;
}
#endif

#include "core/error.h"
#include "cuda/ptx.h"

namespace ph::cuda {

// Throws naming what was tried.
inline void check(cudaError_t error, const char* what) {
  if (error != cudaSuccess) PH_FAIL("gpu: ", what, ": ", cudaGetErrorString(error));
}

}  // namespace ph::cuda

#define PH_LAUNCH(kernel, grid, block, dynamic_bytes, stream, ...)                                        \
  ::ph::cuda::check(::ph::cuda::launch(kernel, #kernel, grid, block, dynamic_bytes, stream, __VA_ARGS__), \
                    "kernel " #kernel)
