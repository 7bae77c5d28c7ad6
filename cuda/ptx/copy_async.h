// Copies from global to shared memory that go on beside the thread (cp.async).
#pragma once
#include "cuda/ptx/architecture.h"

namespace ph::ptx {

// Copies 4, 8 or 16 bytes; not enabled, writes zeros. Both addresses are multiples of the size.
template <int bytes>
__device__ inline void copy_async(void* to, const void* from, bool enabled) {
  static_assert(bytes == 4 || bytes == 8 || bytes == 16);
#if defined(PH_SIM)
  sim::start_copy({to, from, bytes, enabled});
#elif PH_ARCH >= 800
  if constexpr (bytes == 16) {  // past the first-level cache
    asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(shared_address(to)), "l"(from),
                 "r"(enabled ? 16 : 0)
                 : "memory");
  } else {
    asm volatile("cp.async.ca.shared.global [%0], [%1], %2, %3;" ::"r"(shared_address(to)), "l"(from), "n"(bytes),
                 "r"(enabled ? bytes : 0)
                 : "memory");
  }
#else
  struct alignas(bytes) Words {
    uint32_t word[bytes / 4];
  };
  *static_cast<Words*>(to) = enabled ? *static_cast<const Words*>(from) : Words{};
#endif
}

// Closes the group of the copies begun since the last call.
__device__ inline void commit_copies() {
#if defined(PH_SIM)
  sim::commit_copies();
#elif PH_ARCH >= 800
  asm volatile("cp.async.commit_group;" ::: "memory");
#endif
}

// Waits until at most `pending` of this thread's groups are under way. Other threads see the copies after a barrier.
template <int pending>
__device__ inline void wait_copies() {
#if defined(PH_SIM)
  sim::wait_copies(pending);
#elif PH_ARCH >= 800
  asm volatile("cp.async.wait_group %0;" ::"n"(pending) : "memory");
#endif
}

}  // namespace ph::ptx
