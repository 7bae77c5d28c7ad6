// The GPUs of this machine as backends.
#pragma once
#include "core/backend.h"

namespace ph::cuda {

// Compute capability times ten.
int capability_of(int device);

// Never destroyed: tensors may be released after the static objects.
Backend* make_backend(int device);

}  // namespace ph::cuda
