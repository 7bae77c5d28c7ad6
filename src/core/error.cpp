#include "core/error.h"

namespace ph {

void fail_index(const char* op, int64_t index, int64_t size) {
  throw IndexError(concat(op, ": index ", index, " is outside [", -size, ", ", size, ")"));
}

void fail_label(const char* op, int64_t label, int64_t classes) {
  throw IndexError(
      concat(op, ": labels holds ", label, ", but must lie in [0, ", classes, ") as there are ", classes, " classes"));
}

}  // namespace ph
