#include "graph/step_order.h"

#include <algorithm>

namespace ph {

static bool overlap(const std::vector<MemoryRange>& some, const std::vector<MemoryRange>& others) {
  for (const MemoryRange& a : some) {
    for (const MemoryRange& b : others) {
      if (a.begin < b.begin + b.bytes && b.begin < a.begin + a.bytes) return true;
    }
  }
  return false;
}

static bool in_conflict(const MemoryUse& early, const MemoryUse& late) {
  return overlap(early.written, late.read) || overlap(early.written, late.written) || overlap(early.read, late.written);
}

std::vector<std::vector<size_t>> step_order(const std::vector<MemoryUse>& steps) {
  std::vector<std::vector<size_t>> after(steps.size());
  std::vector<std::vector<bool>> comes_after(steps.size());  // directly or not
  for (size_t late = 0; late < steps.size(); ++late) {
    std::vector<bool> waits(steps.size());
    for (size_t early = late; early-- > 0;) {  // the latest first: what it waits for need not be named
      if (waits[early] || !in_conflict(steps[early], steps[late])) continue;
      after[late].push_back(early);
      waits[early] = true;
      for (size_t i = 0; i < early; ++i) waits[i] = waits[i] || comes_after[early][i];
    }
    comes_after[late] = std::move(waits);
  }
  return after;
}

}  // namespace ph
