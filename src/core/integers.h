// Arithmetic of sizes, inlined everywhere: std::min and its kin would be emitted for one instruction-set level and
// could be linked for all.
#pragma once
#include <cstdint>

#include "core/inline.h"

namespace ph {

PH_INLINE int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }
PH_INLINE int64_t most(int64_t a, int64_t b) { return a > b ? a : b; }
PH_INLINE int64_t divide_up(int64_t a, int64_t b) { return (a + b - 1) / b; }

}  // namespace ph
