// Memory planning: blocks with sizes and lifetimes get offsets in one arena. Knows neither ops nor devices.
#pragma once
#include <cstddef>
#include <vector>

namespace ph {

struct Block {
  size_t bytes;
  int first, last;    // steps in which the block must hold, both included
  size_t offset = 0;  // the result
};

// Sets the offsets (multiples of 64) and returns the arena's size. Greedy by size: each block takes the lowest gap
// between the blocks already placed that live at the same time (as XNNPACK and others do; "Efficient Memory Management
// for Deep Neural Net Inference", Pisarchyk and Lee, 2020). With `separate`, no two blocks share memory.
size_t plan_memory(std::vector<Block>& blocks, bool separate);

}  // namespace ph
