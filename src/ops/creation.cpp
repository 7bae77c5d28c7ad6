#include "ops/creation.h"

namespace ph {

static Specs infer(SpecSpan, const FullAttrs& a) { return {{to_shape(a.shape, "full"), a.dtype}}; }

PH_OP(full, "", FullAttrs, infer, no_gradient<"has no inputs">, .copies = true);

Tensor full(const Spec& spec, double value) {
  return apply1(op_full, {}, FullAttrs{IntList(spec.shape), spec.dtype, value});
}

}  // namespace ph
