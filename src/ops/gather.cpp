#include "ops/gather.h"

namespace ph {

static void check_indices(const Spec& indices, const char* op) {
  PH_CHECK_TYPE(indices.dtype == DType::int32 || indices.dtype == DType::int64, op,
                ": indices must be int32 or int64, got ", indices.dtype);
}

static Shape taken_shape(const Shape& x, const Shape& indices, int axis) {
  Shape out;
  for (int i = 0; i < axis; ++i) out.checked_push_back(x[i]);
  for (const int64_t d : indices) out.checked_push_back(d);
  for (int i = axis + 1; i < x.rank(); ++i) out.checked_push_back(x[i]);
  return out;
}

static Specs infer_take(SpecSpan in, const TakeAttrs& a) {
  check_indices(in[1], "take");
  const int axis = normalize_axis(a.axis, in[0].shape.rank(), "take");
  return {{taken_shape(in[0].shape, in[1].shape, axis), in[0].dtype}};
}
static Tensors gradient_take(const GradCall& c, const TakeAttrs& a) {
  return {take_grad(c.grads[0], c.inputs[1], c.inputs[0].shape(), a.axis), Tensor()};
}
PH_OP(take, "x, indices", TakeAttrs, infer_take, gradient_take, .checks_values = true, .copies = true);
Tensor take(const Tensor& x, const Tensor& indices, int64_t axis) {
  return apply1(op_take, {x, indices}, TakeAttrs{axis});
}

static Specs infer_take_grad(SpecSpan in, const TakeGradAttrs& a) {
  check_indices(in[1], "take_grad");
  const Shape out = to_shape(a.shape, "take_grad");
  const Shape taken = taken_shape(out, in[1].shape, normalize_axis(a.axis, out.rank(), "take_grad"));
  PH_CHECK(in[0].shape == taken, "take_grad: dy must have shape ", taken, ", got ", in[0].shape);
  return {{out, in[0].dtype}};
}
static Tensors gradient_take_grad(const GradCall& c, const TakeGradAttrs& a) {
  return {take(c.grads[0], c.inputs[1], a.axis), Tensor()};
}
PH_OP(take_grad, "dy, indices", TakeGradAttrs, infer_take_grad, gradient_take_grad, .checks_values = true,
      .operations = operations_per_element<1>);
Tensor take_grad(const Tensor& dy, const Tensor& indices, const Shape& shape, int64_t axis) {
  return apply1(op_take_grad, {dy, indices}, TakeGradAttrs{IntList(shape), axis});
}

static Specs infer_one_hot(SpecSpan in, const OneHotAttrs& a) {
  check_indices(in[0], "one_hot");
  PH_CHECK(a.depth >= 0, "one_hot: num_classes must not be negative, got ", a.depth);
  Shape out = in[0].shape;
  out.checked_push_back(a.depth);
  return {{out, a.dtype}};
}
PH_OP(one_hot, "indices", OneHotAttrs, infer_one_hot, no_gradient<"the input is an index">, .copies = true);

}  // namespace ph
