#include "ops/cast.h"
namespace ph {
static Specs infer(SpecSpan in, const CastAttrs& a) { return {{in[0].shape, a.dtype}}; }
static Tensors gradient(const GradCall& c, const CastAttrs&) { return {cast(c.grads[0], c.inputs[0].dtype())}; }
PH_OP(cast, "x", CastAttrs, infer, gradient, .copies = true);
Tensor cast(const Tensor& x, DType dtype) { return x.dtype() == dtype ? x : apply1(op_cast, {x}, CastAttrs{dtype}); }
}  // namespace ph
