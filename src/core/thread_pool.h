// Threads: one small pool. The caller takes part in its own job and waits only for chunks that somebody has begun, so a
// worker that the system has put aside delays a job by one chunk at most. Workers spin for about 50 microseconds after
// a job, then sleep. Who runs a chunk never matters to its result: work is cut by shape, not by the number of threads.
#pragma once
#include <cstdint>

#include "core/inline.h"

namespace ph {

// PRONGHORN_NUM_THREADS, else OMP_NUM_THREADS, else the processors this process may use.
int num_threads();
// Throws below 1.
void set_num_threads(int threads);

// Runs task(context, chunk) for each chunk in [0, chunks). An exception of any chunk is rethrown when all have ended.
void run_chunks(int64_t chunks, void (*task)(void* context, int64_t chunk), void* context);

// Estimated work below which waking others does not pay.
constexpr double serial_ns = 8000;

// f(chunk) for each chunk, in parallel where the estimated work is worth it; serial inside another parallel_for.
template <class F>
PH_INLINE void parallel_for(int64_t chunks, double ns_per_chunk, F&& f) {
  if (chunks <= 1 || ns_per_chunk * static_cast<double>(chunks) < serial_ns) {
    for (int64_t chunk = 0; chunk < chunks; ++chunk) f(chunk);
    return;
  }
  run_chunks(
      chunks, [](void* context, int64_t chunk) { (*static_cast<decltype(&f)>(context))(chunk); },
      const_cast<void*>(static_cast<const void*>(&f)));
}

}  // namespace ph
