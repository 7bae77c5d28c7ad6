#include "ops/conv.h"

namespace ph {

static void check_attributes(const ConvAttrs& a, const char* op) {
  PH_CHECK(a.strides.size() == 2 && a.dilation.size() == 2, op, ": strides and dilation need two entries each");
  for (int i = 0; i < 2; ++i) {
    PH_CHECK(a.strides[i] > 0, op, ": strides must be positive, got ", a.strides[i]);
    PH_CHECK(a.dilation[i] > 0, op, ": dilation must be positive, got ", a.dilation[i]);
  }
  PH_CHECK(a.groups > 0, op, ": groups must be positive, got ", a.groups);
  PH_CHECK(a.groups <= INT32_MAX, op, ": groups must be at most ", INT32_MAX, ", got ", a.groups);
  if (a.padding == Padding::explicit_padding) {
    PH_CHECK(a.pads.size() == 4, op, ": explicit padding needs pads (top, bottom, left, right)");
    for (const int64_t pad : a.pads) PH_CHECK(pad >= 0, op, ": pads must not be negative, got ", pad);
  }
}

static void check_dtypes(SpecSpan in, const char* op) {
  for (const Spec& spec : in) {
    PH_CHECK_TYPE(spec.dtype == in[0].dtype && is_float(spec.dtype), op,
                  ": inputs must all be of one floating dtype, got ", in[0].dtype, " and ", spec.dtype);
  }
}

// Checks that x, kernel and attributes, which were checked alone, go together and gives the result's shape.
static Shape forward_shape(const Shape& x, const Shape& kernel, const ConvAttrs& a, const char* op) {
  PH_CHECK(x.rank() == 4, op, ": x must have shape (batch, height, width, channels), got ", x);
  PH_CHECK(kernel.rank() == 4, op, ": kernel must have shape (height, width, channels, filters), got ", kernel);
  PH_CHECK(kernel[0] > 0 && kernel[1] > 0, op, ": kernel ", kernel, " is empty");
  PH_CHECK(kernel[2] * a.groups == x[3], op, ": kernel ", kernel, " with groups ", a.groups, " needs ",
           kernel[2] * a.groups, " input channels, x has shape ", x);
  PH_CHECK(kernel[3] % a.groups == 0, op, ": the ", kernel[3], " filters of kernel ", kernel, " do not divide into ",
           a.groups, " groups");
  const ConvGeometry g = conv_geometry(x, kernel, a);
  const bool has_pixels = x[0] > 0 && x[1] > 0 && x[2] > 0;
  PH_CHECK(!has_pixels || (g.rows.out > 0 && g.columns.out > 0), op, ": kernel ", kernel, " with dilation (",
           a.dilation[0], ", ", a.dilation[1], ") is larger than x ", x);
  return {x[0], g.rows.out, g.columns.out, kernel[3]};
}

static Specs infer_conv2d(SpecSpan in, const ConvAttrs& a) {
  check_attributes(a, "conv2d");
  check_dtypes(in, "conv2d");
  const Shape out = forward_shape(in[0].shape, in[1].shape, a, "conv2d");
  if (in.size() > 2) {
    PH_CHECK((in[2].shape == Shape{out[3]}), "conv2d: bias must have shape (", out[3], ",), got ", in[2].shape);
  }
  return {{out, in[0].dtype}};
}

static Specs infer_input_grad(SpecSpan in, const ConvAttrs& a) {
  const char* op = "conv2d_input_grad";
  check_attributes(a, op);
  check_dtypes(in, op);
  PH_CHECK(in[0].shape.rank() == 4 && in[1].shape.rank() == 4 && a.size.size() == 2, op, ": dy ", in[0].shape,
           " and kernel ", in[1].shape, " must have rank 4, size two entries");
  const Shape x = conv_input_shape(in[0].shape, in[1].shape, a);
  const Shape dy = forward_shape(x, in[1].shape, a, op);
  PH_CHECK(dy == in[0].shape, op, ": dy must have shape ", dy, " for x ", x, ", got ", in[0].shape);
  return {{x, in[0].dtype}};
}

static Specs infer_kernel_grad(SpecSpan in, const ConvAttrs& a) {
  const char* op = "conv2d_kernel_grad";
  check_attributes(a, op);
  check_dtypes(in, op);
  PH_CHECK(in[0].shape.rank() == 4 && in[1].shape.rank() == 4 && a.size.size() == 2, op, ": x ", in[0].shape,
           " and dy ", in[1].shape, " must have rank 4, size two entries");
  const Shape kernel = conv_kernel_shape(in[0].shape, in[1].shape, a);
  const Shape dy = forward_shape(in[0].shape, kernel, a, op);
  PH_CHECK(dy == in[1].shape, op, ": dy must have shape ", dy, ", got ", in[1].shape);
  return {{kernel, in[0].dtype}};
}

static ConvAttrs with_size(ConvAttrs a, const Shape& shape, int first) {
  a.size = IntList{shape[first], shape[first + 1]};
  return a;
}
static ConvAttrs without_size(ConvAttrs a) {
  a.size = IntList();
  return a;
}

static Tensors gradient_conv2d(const GradCall& c, const ConvAttrs& a) {
  PH_CHECK(c.inputs.size() == 2 && a.activation == Activation::none, "conv2d: gradients are taken before fusion");
  const Tensor &x = c.inputs[0], &kernel = c.inputs[1], &dy = c.grads[0];
  return {c.needs(0) ? conv2d_input_grad(dy, kernel, with_size(a, x.shape(), 1)) : Tensor(),
          c.needs(1) ? conv2d_kernel_grad(x, dy, with_size(a, kernel.shape(), 0)) : Tensor()};
}
// dx = input_grad(dy, kernel) is linear in both, and so on round.
static Tensors gradient_input_grad(const GradCall& c, const ConvAttrs& a) {
  const Tensor &dy = c.inputs[0], &kernel = c.inputs[1], &g = c.grads[0];
  return {c.needs(0) ? conv2d(g, kernel, without_size(a)) : Tensor(),
          c.needs(1) ? conv2d_kernel_grad(g, dy, with_size(a, kernel.shape(), 0)) : Tensor()};
}
static Tensors gradient_kernel_grad(const GradCall& c, const ConvAttrs& a) {
  const Tensor &x = c.inputs[0], &dy = c.inputs[1], &g = c.grads[0];
  return {c.needs(0) ? conv2d_input_grad(dy, g, with_size(a, x.shape(), 1)) : Tensor(),
          c.needs(1) ? conv2d(x, g, without_size(a)) : Tensor()};
}

// Of the convolution and of both gradients alike: a multiplication and an addition for each tap of each element of y,
// taps that lie in the padding included, whatever the kernel does to save some.
static double products(const Shape& x, const Shape& kernel, const ConvAttrs& a) {
  const ConvGeometry g = conv_geometry(x, kernel, a);
  return 2 * static_cast<double>(g.batch * g.pixels() * g.filters) * static_cast<double>(g.depth());
}
static double count_conv2d(SpecSpan in, SpecSpan out, const ConvAttrs& a) {
  const int epilogue = (in.size() > 2 ? 1 : 0) + (a.activation == Activation::none ? 0 : 1);
  return products(in[0].shape, in[1].shape, a) + epilogue * static_cast<double>(out[0].shape.size());
}
static double count_input_grad(SpecSpan in, SpecSpan out, const ConvAttrs& a) {
  return products(out[0].shape, in[1].shape, a);
}
static double count_kernel_grad(SpecSpan in, SpecSpan out, const ConvAttrs& a) {
  return products(in[0].shape, out[0].shape, a);
}

PH_OP(conv2d, "x, kernel, bias?", ConvAttrs, infer_conv2d, gradient_conv2d, .promotes = true, .epilogue = true,
      .operations = operations<count_conv2d>);
PH_OP(conv2d_input_grad, "dy, kernel", ConvAttrs, infer_input_grad, gradient_input_grad, .promotes = true,
      .operations = operations<count_input_grad>);
PH_OP(conv2d_kernel_grad, "x, dy", ConvAttrs, infer_kernel_grad, gradient_kernel_grad, .promotes = true,
      .operations = operations<count_kernel_grad>);

Tensor conv2d(const Tensor& x, const Tensor& kernel, const ConvAttrs& attrs) {
  return apply1(op_conv2d, {x, kernel}, attrs);
}
Tensor conv2d_input_grad(const Tensor& dy, const Tensor& kernel, const ConvAttrs& attrs) {
  return apply1(op_conv2d_input_grad, {dy, kernel}, attrs);
}
Tensor conv2d_kernel_grad(const Tensor& x, const Tensor& dy, const ConvAttrs& attrs) {
  return apply1(op_conv2d_kernel_grad, {x, dy}, attrs);
}

}  // namespace ph
