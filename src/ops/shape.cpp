#include "ops/shape.h"
namespace ph {
static Specs infer(SpecSpan in, const ReshapeAttrs& a) { return {{to_shape(a.shape, "reshape"), in[0].dtype}}; }
static Tensors gradient(const GradCall& c, const ReshapeAttrs&) { return {reshape(c.grads[0], c.inputs[0].shape())}; }
PH_OP(reshape, "x", ReshapeAttrs, infer, gradient, .view = true);
Tensor reshape(const Tensor& x, const Shape& shape) { return apply1(op_reshape, {x}, ReshapeAttrs{IntList(shape)}); }
}  // namespace ph
