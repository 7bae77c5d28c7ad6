#include "core/scratch.h"

#include <cstdlib>
#include <memory>
#include <new>

namespace ph {

void* thread_scratch(size_t bytes) {
  thread_local std::unique_ptr<void, decltype(&std::free)> block(nullptr, &std::free);
  thread_local size_t size = 0;
  if (bytes > size) {
    constexpr size_t page = 4096;
    block.reset();
    size = 0;
    block.reset(std::aligned_alloc(page, (bytes + page - 1) / page * page));
    if (!block) throw std::bad_alloc();
    size = bytes;
  }
  return block.get();
}

}  // namespace ph
