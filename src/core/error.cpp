#include "core/error.h"

namespace ph {

void fail_index(const char* op, int64_t index, int64_t size) {
  throw IndexError(concat(op, ": index ", index, " is outside [", -size, ", ", size, ")"));
}

}  // namespace ph
