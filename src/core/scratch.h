// Scratch memory for the tasks of a kernel: one block per thread, kept for the next task, so that it stays in the
// thread's cache however many tasks a kernel is cut into.
#pragma once
#include <cstddef>

namespace ph {

// At least `bytes`, 64-byte aligned, not cleared. The calling thread's own; what it got before is void.
void* thread_scratch(size_t bytes);

}  // namespace ph
