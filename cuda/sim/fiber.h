// Fibers: the stacks and registers of simulated CUDA threads, and switching between them.
#pragma once
#include <memory>
#include <vector>

#include "cuda/sim/engine.h"
#include "cuda/sim/groups.h"

namespace ph::sim {

struct Block;

struct Fiber : Thread {
  void* stack_pointer = nullptr;
  char* stack = nullptr;
  size_t stack_bytes = 0;
  Fiber* next = nullptr;  // in the queue it waits in
  Block* owner = nullptr;
  bool done = true;
  Place waits_at;
  void *identity = nullptr, *fake_stack = nullptr;  // for the sanitizers

  Groups<Copy, 256, 32> copies;
  Groups<Product, 64, 16> products;
  bool products_fenced = false;
};

inline Fiber* this_fiber() { return static_cast<Fiber*>(current); }

// The fiber that stands for the host thread itself, to which control returns.
Fiber& host_fiber();
void enter_host_fiber();

void switch_to(Fiber* to);
// Called first by a fiber's entry function.
void entered_fiber();
// Makes `fiber` start in `entry` (which never returns) when next switched to.
void prepare(Fiber* fiber, unsigned number, void (*entry)());

// Stacks are kept for reuse, each behind a guard page.
class FiberPool {
 public:
  Fiber* get(size_t i);
  // To be called between grids: stacks used so far may serve again.
  void end_grid() { next_stack_ = 0; }

 private:
  std::vector<std::unique_ptr<Fiber>> fibers_;
  size_t next_stack_ = 0;
  std::vector<char*> stacks_;
};

// The pool of this host thread.
FiberPool& fiber_pool();

}  // namespace ph::sim
