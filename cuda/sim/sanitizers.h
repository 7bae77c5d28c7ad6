// What the engine tells the sanitizers that watch the kernels. The engine itself is built without one; it asks when it
// runs which is there.
#pragma once
#include <cstddef>

namespace ph::sim {

bool addresses_are_watched();
bool races_are_watched();

// For the race checker: memory written before a release is seen after the acquire of the same address. Each distinct
// occasion needs an address of its own, or the checker sees more order than there is.
void release(void* address);
void acquire(void* address);

// The race checker takes no notice of what the engine does while this lives.
struct Unwatched {
  Unwatched();
  ~Unwatched();
  Unwatched(const Unwatched&) = delete;
};

// What follows counts as done by a thread of its own, ordered with others by release and acquire alone.
class AsAnotherThread {
 public:
  AsAnotherThread();
  ~AsAnotherThread();
  AsAnotherThread(const AsAnotherThread&) = delete;

 private:
  void *own_, *other_;
};

// Identities of fibers for the race checker.
void* current_identity();
void* new_identity();
void end_identity(void* identity);
void take_identity(void* identity);

// For the address checker: a switch from one stack to another; `own_fake_stack` is null when the old one ends.
void begin_switch(void** own_fake_stack, const void* stack, size_t bytes);
void end_switch(void* fake_stack);
void forget_poison(const void* stack, size_t bytes);

}  // namespace ph::sim
