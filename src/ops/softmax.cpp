#include "ops/softmax.h"

#include "ops/elementwise.h"
#include "ops/reduce.h"

namespace ph {

static Specs infer_softmax(SpecSpan in, const SoftmaxAttrs& a) {
  PH_CHECK_TYPE(is_float(in[0].dtype), "softmax: x must be floating, got ", in[0]);
  normalize_axis(a.axis, in[0].shape.rank(), "softmax");
  return {in[0]};
}

static Tensor sum_along(const Tensor& x, const SoftmaxAttrs& a) { return reduce_sum(x, {a.axis}, true); }

static Tensors gradient_softmax(const GradCall& c, const SoftmaxAttrs& a) {
  return {softmax_grad(c.outputs[0], c.grads[0], a)};
}
// maximum, difference, exp, sum, quotient
PH_OP(softmax, "x", SoftmaxAttrs, infer_softmax, gradient_softmax, .in_place = {0},
      .operations = operations_per_element<5>);
Tensor softmax(const Tensor& x, const SoftmaxAttrs& a) { return apply1(op_softmax, {x}, a); }

static Tensors gradient_log_softmax(const GradCall& c, const SoftmaxAttrs& a) {
  const Tensor& dy = c.grads[0];
  return {subtract(dy, multiply(exp(c.outputs[0]), sum_along(dy, a)))};
}
PH_OP(log_softmax, "x", SoftmaxAttrs, infer_softmax, gradient_log_softmax, .in_place = {0},
      .operations = operations_per_element<5>);
Tensor log_softmax(const Tensor& x, const SoftmaxAttrs& a) { return apply1(op_log_softmax, {x}, a); }

static Specs infer_softmax_grad(SpecSpan in, const SoftmaxAttrs& a) {
  PH_CHECK(in[0] == in[1], "softmax_grad: y and dy must agree, got ", in[0], " and ", in[1]);
  return infer_softmax(in, a);
}
static Tensors gradient_softmax_grad(const GradCall& c, const SoftmaxAttrs& a) {
  const Tensor &y = c.inputs[0], &dy = c.inputs[1], &g = c.grads[0];
  Tensor by_y;
  if (c.needs(0)) {
    const Tensor direct = multiply(g, subtract(dy, sum_along(multiply(y, dy), a)));
    by_y = subtract(direct, multiply(dy, sum_along(multiply(y, g), a)));
  }
  return {by_y, c.needs(1) ? softmax_grad(y, g, a) : Tensor()};
}
PH_OP(softmax_grad, "y, dy", SoftmaxAttrs, infer_softmax_grad, gradient_softmax_grad, .in_place = {1},
      .operations = operations_per_element<4>);
Tensor softmax_grad(const Tensor& y, const Tensor& dy, const SoftmaxAttrs& a) {
  return apply1(op_softmax_grad, {y, dy}, a);
}

}  // namespace ph
