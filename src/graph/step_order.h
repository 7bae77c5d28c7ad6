// Which steps of a list must wait for which others, told from the memory they use. Knows neither ops nor devices.
#pragma once
#include <cstddef>
#include <vector>

namespace ph {

struct MemoryRange {
  const char* begin;
  size_t bytes;
};

struct MemoryUse {
  std::vector<MemoryRange> read, written;
};

// For each step the earlier ones it must come after: those that write what it reads or writes, or read what it writes.
// Steps that are waited for through another one are left out.
std::vector<std::vector<size_t>> step_order(const std::vector<MemoryUse>& steps);

}  // namespace ph
