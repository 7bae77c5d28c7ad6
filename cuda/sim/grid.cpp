// All blocks of a launch, one after another or on several threads of the host.
#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <thread>

#include "cuda/sim/block.h"
#include "cuda/sim/options.h"

namespace ph::sim {

static std::vector<uint32_t> order_of(uint64_t blocks) {
  std::vector<uint32_t> order(blocks);
  for (uint64_t i = 0; i < blocks; ++i) order[i] = static_cast<uint32_t>(i);
  if (options().order == Order::reverse) std::reverse(order.begin(), order.end());
  if (options().order == Order::random) std::shuffle(order.begin(), order.end(), std::minstd_rand(options().seed));
  return order;
}

std::string run_grid(dim3 grid, dim3 size, size_t dynamic_bytes, const std::function<void()>& body, const char* name) {
  const uint64_t blocks = uint64_t{grid.x} * grid.y * grid.z, block_threads = uint64_t{size.x} * size.y * size.z;
  const std::vector<uint32_t> order = order_of(blocks);
  const bool watched = addresses_are_watched() || races_are_watched();
  std::atomic<uint64_t> next{0};
  std::mutex mutex;
  std::string error;
  const auto work = [&] {
    static thread_local const auto kept = std::make_unique<Block>();  // large
    Block& b = *kept;
    b.size = size;
    b.grid = grid;
    b.dynamic_bytes = dynamic_bytes;
    b.name = name;
    b.body = &body;
    std::vector<void*> memory;  // shared memory; under a race checker it must not be reused before the grid ends
    const auto free_memory = [&] {
      for (void* each : memory) std::free(each);
      memory.clear();
    };
    enter_host_fiber();
    for (uint64_t k; (k = next++) < blocks;) {
      const uint32_t i = order[k];
      b.dynamic = dynamic_bytes ? static_cast<char*>(poisoned(dynamic_bytes, 1024)) : nullptr;
      if (b.dynamic) memory.push_back(b.dynamic);
      b.start({i % grid.x, i / grid.x % grid.y, i / grid.x / grid.y});
      b.run();
      for (const SharedVariable& variable : b.shared) memory.push_back(variable.memory);
      if (!races_are_watched()) free_memory();
      if (b.error.empty()) continue;
      const std::lock_guard lock(mutex);
      if (error.empty()) error = b.error;
      next = blocks;
    }
    acquire(&b);
    free_memory();
    fiber_pool().end_grid();
  };
  constexpr uint64_t large = 16384;  // CUDA threads from which host threads pay
  const bool alone = watched || blocks * block_threads < large;
  const uint64_t host_threads = alone ? 1 : std::min<uint64_t>(options().threads, blocks);
  std::vector<std::thread> helpers;
  for (uint64_t i = 1; i < host_threads; ++i) helpers.emplace_back(work);
  work();
  for (std::thread& helper : helpers) helper.join();
  return error;
}

}  // namespace ph::sim
