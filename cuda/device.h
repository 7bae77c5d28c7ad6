// The device that the calling thread puts work on: its stream, what its kernels report, and what it can do.
#pragma once
#include "core/kernel.h"
#include "cuda/gpu.h"

namespace ph::cuda {

// What a kernel found wrong with its input. Lies in host memory that kernels may write; the first report stays until
// the backend's next synchronize(), which throws it.
struct Fault {
  enum Kind : int { none, index, label };
  int kind;
  const char* op;  // a static text of the host
  int64_t value, size;
};

struct Device {
  int number;
  cudaStream_t stream;
  Fault* fault;
  int processors;  // streaming multiprocessors
};

// Set while a backend runs a kernel.
const Device& device();
void set_device(const Device& device);

// The lowest compute capability of the devices in use, times ten (75, 80, 90, ...): what kernels are chosen by.
int capability();

// Called by a kernel's thread; `op` is a static text of the host.
__device__ inline void report(Fault* fault, Fault::Kind kind, const char* op, int64_t value, int64_t size) {
  if (atomicCAS(&fault->kind, static_cast<int>(Fault::none), static_cast<int>(kind)) != Fault::none) return;
  fault->op = op;
  fault->value = value;
  fault->size = size;
}

// Blocks of `threads` that give each of n elements a thread, `per_thread` elements to each.
inline unsigned blocks_for(int64_t n, int threads, int per_thread = 1) {
  const int64_t per_block = int64_t{threads} * per_thread;
  return static_cast<unsigned>((n + per_block - 1) / per_block);
}

}  // namespace ph::cuda
