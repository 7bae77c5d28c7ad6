// Activations that kernels with an epilogue can apply before they store.
#pragma once
#include "core/attributes.h"

namespace ph {

enum class Activation : int32_t { none, relu };
PH_CHOICES(Activation, "none", "relu")

}  // namespace ph
