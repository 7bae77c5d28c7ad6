#include "ops/reduce.h"
namespace ph {
Tensor reduce_sum(const Tensor&, const IntList&, bool) { PH_FAIL("not here"); }
}  // namespace ph
