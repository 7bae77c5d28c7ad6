#include "ops/norm.h"

#include "ops/creation.h"
#include "ops/elementwise.h"
#include "ops/shape.h"

namespace ph {

static void check_parameter(const Spec& parameter, const Shape& shape, DType dtype, const char* op, const char* name) {
  PH_CHECK(parameter == (Spec{shape, dtype}), op, ": ", name, " must be ", (Spec{shape, dtype}), ", got ", parameter);
}

static Spec channels_of(const Spec& x, int64_t axis, const char* op) {
  PH_CHECK_TYPE(is_float(x.dtype), op, ": x must be floating, got ", x);
  return {{x.shape[normalize_axis(axis, x.shape.rank(), op)]}, x.dtype};
}

static Specs infer_batch_norm(SpecSpan in, const BatchNormAttrs& a) {
  const Spec channels = channels_of(in[0], a.axis, "batch_norm_train");
  check_parameter(in[1], channels.shape, channels.dtype, "batch_norm_train", "gamma");
  check_parameter(in[2], channels.shape, channels.dtype, "batch_norm_train", "beta");
  PH_CHECK(a.epsilon >= 0, "batch_norm_train: epsilon must not be negative, got ", a.epsilon);
  return {in[0], channels, channels};
}

static Specs infer_batch_norm_grad(SpecSpan in, const BatchNormAttrs& a) {
  const Spec channels = channels_of(in[0], a.axis, "batch_norm_grad");
  const char* names[] = {"gamma", "mean", "variance"};
  for (int i = 0; i < 3; ++i) {
    check_parameter(in[i + 1], channels.shape, channels.dtype, "batch_norm_grad", names[i]);
  }
  for (int i = 4; i < in.size(); ++i) {
    PH_CHECK(in[i] == in[0], "batch_norm_grad: dy and y must be ", in[0], ", got ", in[i]);
  }
  return {in[0], channels, channels};
}
// For each element: 4 for the moments or sums, 3 and 5 for what is made with them, 1 for a ReLU.
static double count_batch_norm(SpecSpan in, SpecSpan, const BatchNormAttrs& a) {
  return static_cast<double>(in[0].shape.size()) * (a.activation == Activation::none ? 7 : 8);
}
static double count_batch_norm_grad(SpecSpan in, SpecSpan, const BatchNormAttrs&) {
  return static_cast<double>(in[0].shape.size()) * (in.size() > 5 ? 10 : 9);
}
PH_OP(batch_norm_grad, "x, gamma, mean, variance, dy, y?", BatchNormAttrs, infer_batch_norm_grad,
      gradient_not_offered<"for second derivatives write the normalization with mean and variance ops">,
      .operations = operations<count_batch_norm_grad>);

// A vector of channels in the shape that broadcasts against x.
static Tensor along_channels(const Tensor& vector, const Shape& x, int64_t axis) {
  Shape shape;
  for (int i = 0; i < x.rank(); ++i) shape.push_back(1);
  shape[normalize_axis(axis, x.rank(), "batch_norm_train")] = vector.shape()[0];
  return reshape(vector, shape);
}

static Tensors gradient_batch_norm(const GradCall& c, const BatchNormAttrs& a) {
  PH_CHECK(a.activation == Activation::none, "batch_norm_train: `activation` is set by graph passes, after gradients");
  const Tensor &x = c.inputs[0], &gamma = c.inputs[1], &mean = c.outputs[1], &variance = c.outputs[2];
  Tensor dx, dgamma, dbeta;
  if (c.grads[0].defined()) {
    const Tensors all = apply(op_batch_norm_grad, {x, gamma, mean, variance, c.grads[0]}, a);
    dx = all[0], dgamma = all[1], dbeta = all[2];
  }
  const double count = static_cast<double>(x.shape().size()) / static_cast<double>(mean.shape().size());
  const auto add_to_dx = [&](const Tensor& part) { dx = dx.defined() ? add(dx, part) : part; };
  if (c.grads[1].defined()) {
    const Tensor share = along_channels(multiply(c.grads[1], constant_like(x, 1 / count)), x.shape(), a.axis);
    add_to_dx(broadcast_to(share, x.shape()));
  }
  if (c.grads[2].defined()) {
    const Tensor share = along_channels(multiply(c.grads[2], constant_like(x, 2 / count)), x.shape(), a.axis);
    add_to_dx(multiply(share, subtract(x, along_channels(mean, x.shape(), a.axis))));
  }
  return {dx, dgamma, dbeta};
}
PH_OP(batch_norm_train, "x, gamma, beta", BatchNormAttrs, infer_batch_norm, gradient_batch_norm, .in_place = {0},
      .operations = operations<count_batch_norm>);

static Shape rows_shape(const Spec& x, const Spec& gamma, const char* op) {
  PH_CHECK_TYPE(is_float(x.dtype), op, ": x must be floating, got ", x);
  const int outer = x.shape.rank() - gamma.shape.rank();
  bool fits = gamma.shape.rank() >= 1 && outer >= 0 && gamma.dtype == x.dtype;
  for (int i = 0; fits && i < gamma.shape.rank(); ++i) fits = gamma.shape[i] == x.shape[outer + i];
  PH_CHECK(fits, op, ": gamma must have the dtype and last axes of x ", x, ", got ", gamma);
  Shape rows;
  for (int i = 0; i < outer; ++i) rows.push_back(x.shape[i]);
  return rows;
}

static Specs infer_layer_norm(SpecSpan in, const LayerNormAttrs& a) {
  const Spec rows{rows_shape(in[0], in[1], "layer_norm"), in[0].dtype};
  check_parameter(in[2], in[1].shape, in[1].dtype, "layer_norm", "beta");
  PH_CHECK(a.epsilon >= 0, "layer_norm: epsilon must not be negative, got ", a.epsilon);
  return {in[0], rows, rows};
}

static Specs infer_layer_norm_grad(SpecSpan in, const LayerNormAttrs&) {
  const Shape rows = rows_shape(in[0], in[1], "layer_norm_grad");
  check_parameter(in[2], rows, in[0].dtype, "layer_norm_grad", "mean");
  check_parameter(in[3], rows, in[0].dtype, "layer_norm_grad", "rstd");
  PH_CHECK(in[4] == in[0], "layer_norm_grad: dy must be ", in[0], ", got ", in[4]);
  return {in[0], in[1], in[1]};
}
// Operations for each element: 4 for the moments and 4 for y; 6 for the row's means of g and g * h, 3 for the sums over
// rows, 4 for dx.
PH_OP(layer_norm_grad, "x, gamma, mean, rstd, dy", LayerNormAttrs, infer_layer_norm_grad,
      gradient_not_offered<"for second derivatives write the normalization with mean and variance ops">,
      .operations = operations_per_element<13>);

static Tensors gradient_layer_norm(const GradCall& c, const LayerNormAttrs& a) {
  const Tensor &x = c.inputs[0], &gamma = c.inputs[1], &mean = c.outputs[1], &rstd = c.outputs[2];
  Tensor dx, dgamma, dbeta;
  if (c.grads[0].defined()) {
    const Tensors all = apply(op_layer_norm_grad, {x, gamma, mean, rstd, c.grads[0]}, a);
    dx = all[0], dgamma = all[1], dbeta = all[2];
  }
  const double count = static_cast<double>(gamma.shape().size());
  const auto per_row = [&](const Tensor& rows) {
    Shape shape = rows.shape();
    while (shape.rank() < x.shape().rank()) shape.push_back(1);
    return reshape(rows, shape);
  };
  const auto add_to_dx = [&](const Tensor& part) { dx = dx.defined() ? add(dx, part) : part; };
  if (c.grads[1].defined()) {
    add_to_dx(broadcast_to(per_row(multiply(c.grads[1], constant_like(x, 1 / count))), x.shape()));
  }
  if (c.grads[2].defined()) {
    const Tensor cube = multiply(multiply(rstd, square(rstd)), constant_like(x, -1 / count));
    add_to_dx(multiply(per_row(multiply(c.grads[2], cube)), subtract(x, per_row(mean))));
  }
  return {dx, dgamma, dbeta};
}
PH_OP(layer_norm, "x, gamma, beta", LayerNormAttrs, infer_layer_norm, gradient_layer_norm, .in_place = {0},
      .operations = operations_per_element<8>);

}  // namespace ph
