// The turns of a block's fibers, and its shared memory.
#include "cuda/sim/block.h"

#include <algorithm>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "cuda/sim/options.h"

namespace ph::sim {

void fail(const char* format, ...) {
  char message[400], full[700];
  va_list arguments;
  va_start(arguments, format);
  std::vsnprintf(message, sizeof(message), format, arguments);
  va_end(arguments);
  Block* b = this_block();
  std::snprintf(full, sizeof(full), "kernel %s, block (%u, %u, %u), thread %u: %s", b->name, b->index.x, b->index.y,
                b->index.z, current->linear, message);
  if (b->error.empty()) b->error = full;
  switch_to(&host_fiber());
  std::abort();
}

static void run_next(Block* b) {
  Fiber* next = b->ready.pop();
  switch_to(next ? next : &host_fiber());
}

void wake(Block* b, Queue& waiting) {
  Fiber** end = b->woken;
  while (Fiber* fiber = waiting.pop()) {
    fiber->waits_at = {};
    *end++ = fiber;
  }
  if (options().order == Order::reverse) std::reverse(b->woken, end);
  if (options().order == Order::random) std::shuffle(b->woken, end, b->random);
  for (Fiber** fiber = b->woken; fiber != end; ++fiber) b->ready.push(*fiber);
}

void wait_in(Queue& waiting, const Place& place) {
  Fiber* fiber = this_fiber();
  fiber->waits_at = place;
  waiting.push(fiber);
  run_next(fiber->owner);
}

void* poisoned(size_t bytes, size_t alignment) {
  void* memory = nullptr;
  if (posix_memalign(&memory, std::max<size_t>(alignment, 16), bytes)) std::abort();
  std::memset(memory, 0xff, bytes);
  return memory;
}

// Unwatched, or the thread that comes first would count as the one that wrote the poison.
void* shared_variable(const void* declaration, size_t bytes, size_t alignment) {
  const Unwatched unwatched;
  Block* b = this_block();
  for (const SharedVariable& variable : b->shared) {
    if (variable.declaration == declaration) return variable.memory;
  }
  b->shared_bytes += (bytes + 15) / 16 * 16;
  if (b->shared_bytes > 48 * 1024) fail("more than 48 KB of static shared memory");
  b->shared.push_back({declaration, poisoned(bytes, alignment), bytes});
  return b->shared.back().memory;
}

bool is_shared(const void* at) {
  const auto is_within = [&](const void* memory, size_t bytes) {
    return reinterpret_cast<uintptr_t>(at) - reinterpret_cast<uintptr_t>(memory) < bytes;
  };
  const Block* b = this_block();
  if (is_within(b->dynamic, b->dynamic_bytes)) return true;
  for (const SharedVariable& variable : b->shared) {
    if (is_within(variable.memory, variable.bytes)) return true;
  }
  return false;
}

static constexpr uint32_t first_shared_address = 1024;

uint32_t shared_address(const void* at) {
  const BlockView& b = *current->block;
  const auto offset = static_cast<size_t>(static_cast<const char*>(at) - b.dynamic);
  if (offset >= b.dynamic_bytes) fail("an instruction wants an address in dynamic shared memory");
  return static_cast<uint32_t>(offset) + first_shared_address;
}

const char* at_shared_address(uint32_t address) {
  return current->block->dynamic + static_cast<ptrdiff_t>(address) - first_shared_address;
}

static void thread_entry() {
  entered_fiber();
  Fiber* fiber = this_fiber();
  Block* b = fiber->owner;
  (*b->body)();
  release(b);
  fiber->done = true;
  b->warps[fiber->warp].alive &= ~(1u << fiber->lane);
  Meeting& barrier = b->barriers[0];
  if (--b->alive && barrier.arrived == b->alive) {  // ended threads are not waited for
    barrier.arrived = 0;
    ++barrier.round;
    wake(b, barrier.waiting);
  }
  run_next(b);
  std::abort();
}

static void reset(Meeting& meeting) {
  meeting.arrived = 0;
  meeting.waiting = {};
}

void Block::start(uint3 at) {
  index = at;
  random.seed(options().seed * 9781 + at.x * 31 + at.y * 7 + at.z);
  error.clear();
  fibers.clear();
  shared.clear();
  shared_bytes = 0;
  tiles_under_way = 0;
  ready = wait_for_mbarrier = {};
  alive = size.x * size.y * size.z;
  warps.resize(std::max<size_t>(warps.size(), (alive + 31) / 32));
  warpgroups.resize(std::max<size_t>(warpgroups.size(), (alive + 127) / 128));
  for (Meeting& barrier : barriers) reset(barrier);
  for (Warpgroup& group : warpgroups) reset(group);
  for (Warp& warp : warps) warp.alive = warp.count = 0;
  Queue all;
  for (unsigned i = 0; i < alive; ++i) {
    Fiber* fiber = fiber_pool().get(i);
    fiber->owner = this;
    fiber->block = this;
    fiber->linear = i;
    fiber->lane = i % 32;
    fiber->warp = i / 32;
    fiber->index = {i % size.x, i / size.x % size.y, i / (size.x * size.y)};
    warps[fiber->warp].alive |= 1u << fiber->lane;
    prepare(fiber, i, thread_entry);
    fibers.push_back(fiber);
    all.push(fiber);
  }
  wake(this, all);
}

static std::string deadlock_report(const Block& b) {
  for (const Fiber* fiber : b.fibers) {
    if (fiber->done) continue;
    const Place& at = fiber->waits_at;
    char text[600];
    std::snprintf(text, sizeof(text),
                  "kernel %s, block (%u, %u, %u): deadlock: thread %u waits at %s, %s:%d; %u of %zu threads are alive",
                  b.name, b.index.x, b.index.y, b.index.z, fiber->linear, at.what, at.file, at.line, b.alive,
                  b.fibers.size());
    return text;
  }
  return {};
}

void Block::run() {
  while (error.empty()) {
    if (Fiber* fiber = ready.pop()) {
      switch_to(fiber);
    } else if (alive && finish_a_tile_copy(this)) {
      continue;
    } else {
      break;
    }
  }
  if (error.empty()) error = deadlock_report(*this);
  if (error.empty() && tiles_under_way) {
    error = "kernel " + std::string(name) + ": a copy of a tile was still under way when its block ended";
  }
}

}  // namespace ph::sim
