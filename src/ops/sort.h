// Ordering along the last axis.
#pragma once
#include "core/apply.h"

namespace ph {

// argsort(x): int32 positions that put each row of x in order; equal values keep theirs, NaN comes last.
struct ArgsortAttrs {
  bool descending = false;
  PH_FIELDS(ArgsortAttrs, descending)
};

}  // namespace ph
