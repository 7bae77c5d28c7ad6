#include "core/scratch.h"

#include <cstdlib>
#include <new>

namespace ph {

namespace {

struct Block {
  void* memory = nullptr;
  size_t size = 0;

  Block() = default;
  Block(const Block&) = delete;
  Block& operator=(const Block&) = delete;
  ~Block() { std::free(memory); }
};

}  // namespace

void* thread_scratch(size_t bytes) {
  thread_local Block block;
  if (bytes > block.size) {
    constexpr size_t page = 4096;
    const size_t size = (bytes + page - 1) / page * page;
    std::free(block.memory);
    block.size = 0;
    block.memory = std::aligned_alloc(page, size);
    if (!block.memory) throw std::bad_alloc();
    block.size = size;
  }
  return block.memory;
}

}  // namespace ph
