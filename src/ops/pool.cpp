#include "ops/pool.h"

namespace ph {

static Shape pooled_shape(const Shape& x, const PoolAttrs& a, const char* op) {
  PH_CHECK(x.rank() == 4, op, ": x must have shape (batch, height, width, channels), got ", x);
  PH_CHECK(a.pool_size.size() == 2 && a.strides.size() == 2, op, ": pool_size and strides need two entries each");
  for (int i = 0; i < 2; ++i) {
    PH_CHECK(a.pool_size[i] > 0, op, ": pool_size must be positive, got ", a.pool_size[i]);
    PH_CHECK(a.strides[i] > 0, op, ": strides must be positive, got ", a.strides[i]);
  }
  PH_CHECK(a.padding != Padding::explicit_padding, op, ": padding must be 'valid' or 'same'");
  const PoolGeometry g = pool_geometry(x, a);
  PH_CHECK(x[1] * x[2] == 0 || g.rows.out * g.columns.out > 0, op, ": pool_size (", a.pool_size[0], ", ",
           a.pool_size[1], ") is larger than x ", x);
  return {x[0], g.rows.out, g.columns.out, x[3]};
}

static void check_float(const Spec& spec, const char* op) {
  PH_CHECK_TYPE(is_float(spec.dtype), op, ": wants a floating tensor, got ", spec);
}

// So many for each element of each window, windows that reach into the padding counted whole.
template <int count, int pooled>
static double per_tap(SpecSpan in, SpecSpan out, const PoolAttrs& a) {
  const Shape& y = pooled < 0 ? out[0].shape : in[pooled < 0 ? 0 : pooled].shape;
  return count * static_cast<double>(y.size()) * static_cast<double>(a.pool_size[0] * a.pool_size[1]);
}

static Specs infer_max(SpecSpan in, const PoolAttrs& a) {
  const DType t = in[0].dtype;
  PH_CHECK_TYPE(is_float(t) || t == DType::int32 || t == DType::int64,
                "max_pool2d: wants a floating tensor, int32 or int64, got ", in[0]);
  return {{pooled_shape(in[0].shape, a, "max_pool2d"), t}};
}
static Tensors gradient_max(const GradCall& c, const PoolAttrs& a) {
  return {apply1(find_op("max_pool2d_grad"), {c.inputs[0], c.outputs[0], c.grads[0]}, a)};
}
PH_OP(max_pool2d, "x", PoolAttrs, infer_max, gradient_max, .operations = operations<per_tap<1, -1>>);

static Specs infer_max_grad(SpecSpan in, const PoolAttrs& a) {
  check_float(in[0], "max_pool2d_grad");
  const Spec y{pooled_shape(in[0].shape, a, "max_pool2d_grad"), in[0].dtype};
  PH_CHECK(in[1] == y && in[2] == y, "max_pool2d_grad: y and dy must be ", y, ", got ", in[1], " and ", in[2]);
  return {in[0]};
}
PH_OP(max_pool2d_grad, "x, y, dy", PoolAttrs, infer_max_grad,
      gradient_not_offered<"second derivatives of max pooling are not offered">,
      .operations = operations<per_tap<2, 1>>);

static Specs infer_average(SpecSpan in, const PoolAttrs& a) {
  check_float(in[0], "average_pool2d");
  return {{pooled_shape(in[0].shape, a, "average_pool2d"), in[0].dtype}};
}
static Tensors gradient_average(const GradCall& c, const PoolAttrs& a) {
  PoolAttrs back = a;
  back.size = IntList{c.inputs[0].shape()[1], c.inputs[0].shape()[2]};
  return {apply1(find_op("average_pool2d_grad"), {c.grads[0]}, back)};
}
PH_OP(average_pool2d, "x", PoolAttrs, infer_average, gradient_average, .operations = operations<per_tap<1, -1>>);

static Specs infer_average_grad(SpecSpan in, const PoolAttrs& a) {
  check_float(in[0], "average_pool2d_grad");
  PH_CHECK(in[0].shape.rank() == 4 && a.size.size() == 2,
           "average_pool2d_grad: dy must have rank 4 and size two entries");
  const Shape x{in[0].shape[0], a.size[0], a.size[1], in[0].shape[3]};
  const Shape y = pooled_shape(x, a, "average_pool2d_grad");
  PH_CHECK(in[0].shape == y, "average_pool2d_grad: dy must have shape ", y, ", got ", in[0].shape);
  return {{x, in[0].dtype}};
}
static Tensors gradient_average_grad(const GradCall& c, const PoolAttrs& a) {
  PoolAttrs forward = a;
  forward.size = IntList();
  return {apply1(op_average_pool2d, {c.grads[0]}, forward)};
}
PH_OP(average_pool2d_grad, "dy", PoolAttrs, infer_average_grad, gradient_average_grad,
      .operations = operations<per_tap<2, 0>>);

}  // namespace ph
