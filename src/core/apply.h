// apply(): the one way an op is called. Concrete inputs run at once; traced inputs add a node to their graph; either
// way every active tape that follows an input takes a record. Declared here, defined in graph/apply.cpp, so that the op
// rules and the graph never include each other.
#pragma once
#include "core/op.h"
#include "core/tensor.h"

namespace ph {

Tensors apply(const Op& op, const Tensors& inputs, const Attributes& attributes);

template <class A = NoAttrs>
Tensors apply(const Op& op, const Tensors& inputs, const A& attributes = {}) {
  return apply(op, inputs, Attributes::of(attributes));
}

// For ops with a single result.
template <class A = NoAttrs>
Tensor apply1(const Op& op, const Tensors& inputs, const A& attributes = {}) {
  return apply(op, inputs, Attributes::of(attributes))[0];
}

}  // namespace ph
