#include "cuda/sim/fiber.h"

#include <pthread.h>
#include <sys/mman.h>

#include <cstdlib>
#include <cstring>
#include <memory>
#include <mutex>

#include "cuda/sim/sanitizers.h"

namespace ph::sim {

// Saves the registers a function must keep and the stack pointer, and takes up those of another fiber.
extern "C" void ph_sim_switch(void** save_stack_pointer, void* stack_pointer);
#if defined(__x86_64__)
__asm__(
    ".text\n.globl ph_sim_switch\n.hidden ph_sim_switch\n.type ph_sim_switch,@function\nph_sim_switch:\n"
    "pushq %rbp; pushq %rbx; pushq %r12; pushq %r13; pushq %r14; pushq %r15\n"
    "movq %rsp,(%rdi)\nmovq %rsi,%rsp\n"
    "popq %r15; popq %r14; popq %r13; popq %r12; popq %rbx; popq %rbp\n"
    "ret\n.size ph_sim_switch,.-ph_sim_switch\n");
#elif defined(__aarch64__)
__asm__(
    ".text\n.globl ph_sim_switch\n.hidden ph_sim_switch\n.type ph_sim_switch,%function\nph_sim_switch:\n"
    "stp x29,x30,[sp,#-160]!\nstp x19,x20,[sp,#16]\nstp x21,x22,[sp,#32]\nstp x23,x24,[sp,#48]\n"
    "stp x25,x26,[sp,#64]\nstp x27,x28,[sp,#80]\nstp d8,d9,[sp,#96]\nstp d10,d11,[sp,#112]\n"
    "stp d12,d13,[sp,#128]\nstp d14,d15,[sp,#144]\n"
    "mov x9,sp\nstr x9,[x0]\nmov sp,x1\n"
    "ldp x19,x20,[sp,#16]\nldp x21,x22,[sp,#32]\nldp x23,x24,[sp,#48]\nldp x25,x26,[sp,#64]\n"
    "ldp x27,x28,[sp,#80]\nldp d8,d9,[sp,#96]\nldp d10,d11,[sp,#112]\nldp d12,d13,[sp,#128]\n"
    "ldp d14,d15,[sp,#144]\nldp x29,x30,[sp],#160\nret\n.size ph_sim_switch,.-ph_sim_switch\n");
#else
#error "the simulator knows how to switch stacks on x86-64 and aarch64"
#endif

__thread Thread* current __attribute__((tls_model("initial-exec"))) = nullptr;

Fiber& host_fiber() {
  // on the heap: a library opened at run time finds little room for thread-local variables
  static thread_local const auto fiber = std::make_unique<Fiber>();
  return *fiber;
}

void enter_host_fiber() {
  Fiber& host = host_fiber();
  current = &host;
  host.identity = current_identity();
  if (!addresses_are_watched() || host.stack) return;
  pthread_attr_t attributes;
  void* low = nullptr;
  pthread_getattr_np(pthread_self(), &attributes);
  pthread_attr_getstack(&attributes, &low, &host.stack_bytes);
  pthread_attr_destroy(&attributes);
  host.stack = static_cast<char*>(low);
}

void switch_to(Fiber* to) {
  Fiber* from = this_fiber();
  if (from == to) return;
  current = to;
  const bool ends = from->done && from != &host_fiber();
  begin_switch(ends ? nullptr : &from->fake_stack, to->stack, to->stack_bytes);
  take_identity(to->identity);
  ph_sim_switch(&from->stack_pointer, to->stack_pointer);
  end_switch(this_fiber()->fake_stack);
}

void entered_fiber() { end_switch(nullptr); }

void prepare(Fiber* fiber, unsigned number, void (*entry)()) {
  fiber->done = false;
  fiber->waits_at = {};
  fiber->fake_stack = nullptr;
  fiber->copies.clear();
  fiber->products.clear();
  fiber->products_fenced = false;
  forget_poison(fiber->stack, fiber->stack_bytes);
  end_identity(fiber->identity);
  fiber->identity = new_identity();
  // tops of stacks lie at different places in their pages, or all would fall into the same cache sets
  const auto top = reinterpret_cast<uintptr_t>(fiber->stack + fiber->stack_bytes - 256 - number * 832 % 8192);
  void** frame = reinterpret_cast<void**>(top & ~uintptr_t{63});
#if defined(__x86_64__)
  *--frame = nullptr;  // keeps the stack aligned as after a call
  *--frame = reinterpret_cast<void*>(entry);
  for (int i = 0; i < 6; ++i) *--frame = nullptr;
#else
  frame -= 20;
  std::memset(frame, 0, 160);
  frame[1] = reinterpret_cast<void*>(entry);
#endif
  fiber->stack_pointer = frame;
}

// Unwatched kernels use little stack; sanitizers put red zones and their own calls on it.
static size_t stack_size() { return size_t{addresses_are_watched() || races_are_watched() ? 256U : 64U} << 10; }

static char* map_stack() {
  constexpr size_t guard = 4096;
  void* memory =
      mmap(nullptr, stack_size() + guard, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) std::abort();
  mprotect(memory, guard, PROT_NONE);
  return static_cast<char*>(memory) + guard;
}

Fiber* FiberPool::get(size_t i) {
  while (fibers_.size() <= i) fibers_.push_back(std::make_unique<Fiber>());
  Fiber* fiber = fibers_[i].get();
  // under a race checker a stack serves once a grid, or its reuse by the next block would count as a race
  const size_t stack = races_are_watched() ? next_stack_++ : i;
  while (stacks_.size() <= stack) stacks_.push_back(map_stack());
  fiber->stack = stacks_[stack];
  fiber->stack_bytes = stack_size();
  return fiber;
}

// Pools outlive the host threads that use them: those live for one grid only.
namespace {

struct IdlePools {
  std::mutex mutex;
  std::vector<FiberPool*> pools;
};
IdlePools& idle_pools() {
  static auto* idle = new IdlePools;
  return *idle;
}

struct Lease {
  Lease() {
    const std::lock_guard lock(idle_pools().mutex);
    auto& pools = idle_pools().pools;
    if (pools.empty()) {
      pool = new FiberPool;
    } else {
      pool = pools.back();
      pools.pop_back();
    }
  }
  ~Lease() {
    const std::lock_guard lock(idle_pools().mutex);
    idle_pools().pools.push_back(pool);
  }
  FiberPool* pool;
};

}  // namespace

FiberPool& fiber_pool() {
  static thread_local Lease lease;
  return *lease.pool;
}

}  // namespace ph::sim
