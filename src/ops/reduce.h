#pragma once
#include "core/apply.h"
namespace ph {
Tensor reduce_sum(const Tensor& x, const IntList& axes, bool keepdims = false);
}
