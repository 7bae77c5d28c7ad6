// Barriers that C++ has no word for: of some of a block's warps, and in shared memory for arrivals and bytes
// (mbarrier).
#pragma once
#include "cuda/ptx/architecture.h"

namespace ph::ptx {

// Barriers 1 to 15, where `threads` threads, a multiple of 32, meet; __syncthreads is barrier 0.
__device__ inline void synchronize(int number, int threads) {
#if defined(PH_SIM)
  sim::named_barrier(static_cast<unsigned>(number), static_cast<unsigned>(threads), {"bar.sync", __FILE__, __LINE__});
#else
  asm volatile("bar.sync %0, %1;" ::"r"(number), "r"(threads) : "memory");
#endif
}

// In shared memory. Its phase, at first 0, turns when `arrivals` threads have arrived and all expected bytes have come.
struct Mbarrier {
  uint64_t bits;
};

__device__ inline void initialize(Mbarrier* barrier, int arrivals) {
#if defined(PH_SIM)
  sim::mbarrier_init(&barrier->bits, static_cast<unsigned>(arrivals));
#elif PH_ARCH >= 900
  asm volatile("mbarrier.init.shared::cta.b64 [%0], %1;" ::"r"(shared_address(barrier)), "r"(arrivals) : "memory");
#else
  __trap();
#endif
}

// Orders this thread's reads and writes of shared memory before what TMA and wgmma do there.
__device__ inline void fence_async() {
#if PH_ARCH >= 900
  asm volatile("fence.proxy.async.shared::cta;" ::: "memory");
#endif
}

// After the initialisation, by the thread that made it, before TMA gets the barrier; a __syncthreads follows before
// other threads do.
__device__ inline void fence_initialized() {
#if PH_ARCH >= 900
  asm volatile("fence.mbarrier_init.release.cluster;" ::: "memory");
#endif
  fence_async();
}

__device__ inline void arrive(Mbarrier* barrier) {
#if defined(PH_SIM)
  sim::mbarrier_arrive(&barrier->bits, 0);
#elif PH_ARCH >= 900
  asm volatile("mbarrier.arrive.shared::cta.b64 _, [%0];" ::"r"(shared_address(barrier)) : "memory");
#else
  __trap();
#endif
}

// Arrives, and has the phase wait for so many bytes more.
__device__ inline void arrive_expecting(Mbarrier* barrier, int bytes) {
#if defined(PH_SIM)
  sim::mbarrier_arrive(&barrier->bits, static_cast<unsigned>(bytes));
#elif PH_ARCH >= 900
  asm volatile("mbarrier.arrive.expect_tx.shared::cta.b64 _, [%0], %1;" ::"r"(shared_address(barrier)), "r"(bytes)
               : "memory");
#else
  __trap();
#endif
}

// Returns once the phase of this parity is over: 0 waits for the first phase, then 1, and so on.
__device__ inline void wait(Mbarrier* barrier, int parity) {
#if defined(PH_SIM)
  sim::mbarrier_wait(&barrier->bits, static_cast<unsigned>(parity), {"mbarrier wait", __FILE__, __LINE__});
#elif PH_ARCH >= 900
  const uint32_t at = shared_address(barrier);
  uint32_t is_over = 0;
  while (!is_over) {
    asm volatile(
        "{\n.reg .pred over;\nmbarrier.try_wait.parity.shared::cta.b64 over, [%1], %2;\nselp.u32 %0, 1, 0, over;\n}"
        : "=r"(is_over)
        : "r"(at), "r"(parity)
        : "memory");
  }
#else
  __trap();
#endif
}

}  // namespace ph::ptx
