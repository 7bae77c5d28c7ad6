#include "ops/sort.h"

namespace ph {

static Specs infer(SpecSpan in, const ArgsortAttrs&) {
  PH_CHECK(in[0].shape.rank() > 0, "argsort: x must have an axis, got a tensor of rank 0");
  return {{in[0].shape, DType::int32}};
}
PH_OP(argsort, "x", ArgsortAttrs, infer, no_gradient<"the result is an index">);

}  // namespace ph
