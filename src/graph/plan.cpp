#include "graph/plan.h"

#include <algorithm>
#include <numeric>

namespace ph {

static constexpr size_t alignment = 64;

static size_t aligned(size_t bytes) { return (bytes + alignment - 1) / alignment * alignment; }

size_t plan_memory(std::vector<Block>& blocks, bool separate) {
  size_t total = 0;
  if (separate) {
    for (Block& block : blocks) {
      block.offset = total;
      total += aligned(block.bytes) + alignment;  // a guard behind each
    }
    return total;
  }
  std::vector<int> order(blocks.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](int a, int b) { return blocks[a].bytes > blocks[b].bytes; });
  std::vector<int> placed;  // ascending by offset
  for (const int index : order) {
    Block& block = blocks[index];
    size_t offset = 0;
    for (const int other_index : placed) {
      const Block& other = blocks[other_index];
      if (other.last < block.first || other.first > block.last) continue;
      if (offset + block.bytes <= other.offset) break;
      offset = std::max(offset, aligned(other.offset + other.bytes));
    }
    block.offset = offset;
    total = std::max(total, aligned(offset + block.bytes));
    placed.insert(std::upper_bound(placed.begin(), placed.end(), index,
                                   [&](int a, int b) { return blocks[a].offset < blocks[b].offset; }),
                  index);
  }
  return total;
}

}  // namespace ph
