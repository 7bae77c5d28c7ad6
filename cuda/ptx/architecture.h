// What is being compiled for, and addresses as instructions take them.
#pragma once
#include <cstdint>

#if defined(__CUDA_ARCH__)
#define PH_ARCH __CUDA_ARCH__
#else
#define PH_ARCH 0  // host code, or the simulator
#endif
#if defined(__CUDA_ARCH_FEAT_SM90_ALL)
#define PH_HAS_WGMMA 1
#else
#define PH_HAS_WGMMA 0
#endif

namespace ph::ptx {

#if !defined(PH_SIM)
__device__ inline uint32_t shared_address(const void* at) {
  return static_cast<uint32_t>(__cvta_generic_to_shared(at));
}
#endif

}  // namespace ph::ptx
