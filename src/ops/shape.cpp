#include "ops/shape.h"

#include <algorithm>

#include "ops/creation.h"
#include "ops/elementwise.h"

namespace ph {

static Specs infer_reshape(SpecSpan in, const ReshapeAttrs& a) {
  Shape out;
  int unknown = -1;
  int64_t known = 1;
  for (const int64_t d : a.shape) {
    if (d == -1) {
      PH_CHECK(unknown < 0, "reshape: shape may have one -1 only");
      unknown = out.rank();
    } else {
      PH_CHECK(d >= 0, "reshape: shape has the negative dimension ", d);
      known *= d;
    }
    out.checked_push_back(d);
  }
  const int64_t size = in[0].shape.size();
  if (unknown >= 0) {
    PH_CHECK(known > 0 && size % known == 0, "reshape: x ", in[0].shape, " of ", size,
             " elements does not fit the shape ", out);
    out[unknown] = size / known;
  }
  PH_CHECK(out.size() == size, "reshape: x ", in[0].shape, " of ", size, " elements does not fit the shape ", out);
  return {{out, in[0].dtype}};
}
static Tensors gradient_reshape(const GradCall& c, const ReshapeAttrs&) {
  return {reshape(c.grads[0], c.inputs[0].shape())};
}
PH_OP(reshape, "x", ReshapeAttrs, infer_reshape, gradient_reshape, .view = true);
Tensor reshape(const Tensor& x, const Shape& shape) {
  return x.shape() == shape ? x : apply1(op_reshape, {x}, ReshapeAttrs{IntList(shape)});
}

static Specs infer_same(SpecSpan in, const NoAttrs&) { return {in[0]}; }
PH_OP(stop_gradient, "x", NoAttrs, infer_same, no_gradient<"that is what it is for">, .view = true);

static Specs infer_transpose(SpecSpan in, const TransposeAttrs& a) {
  const Shape& x = in[0].shape;
  PH_CHECK(a.axes.size() == 0 || a.axes.size() == x.rank(), "transpose: axes must name all ", x.rank(), " axes of x ",
           x, ", got ", a.axes.size());
  bool used[Shape::max_rank] = {};
  Shape out;
  for (int i = 0; i < x.rank(); ++i) {
    const int from = a.axes.size() ? normalize_axis(a.axes[i], x.rank(), "transpose") : x.rank() - 1 - i;
    PH_CHECK(!used[from], "transpose: axis ", from, " is named twice");
    used[from] = true;
    out.push_back(x[from]);
  }
  return {{out, in[0].dtype}};
}
static Tensors gradient_transpose(const GradCall& c, const TransposeAttrs& a) {
  IntList inverse;
  for (int i = 0; i < a.axes.size(); ++i) inverse.push_back(0);
  for (int i = 0; i < a.axes.size(); ++i) {
    inverse.values[normalize_axis(a.axes[i], c.inputs[0].shape().rank(), "transpose")] = i;
  }
  return {transpose(c.grads[0], inverse)};
}
PH_OP(transpose, "x", TransposeAttrs, infer_transpose, gradient_transpose, .copies = true);
Tensor transpose(const Tensor& x, const IntList& axes) { return apply1(op_transpose, {x}, TransposeAttrs{axes}); }

static Specs infer_broadcast(SpecSpan in, const BroadcastAttrs& a) {
  const Shape out = to_shape(a.shape, "broadcast_to");
  PH_CHECK(broadcast(in[0].shape, out, "broadcast_to") == out, "broadcast_to: x ", in[0].shape,
           " does not fit the shape ", out);
  return {{out, in[0].dtype}};
}
static Tensors gradient_broadcast(const GradCall& c, const BroadcastAttrs&) {
  return {sum_to_shape(c.grads[0], c.inputs[0].shape())};
}
PH_OP(broadcast_to, "x", BroadcastAttrs, infer_broadcast, gradient_broadcast, .copies = true);
Tensor broadcast_to(const Tensor& x, const Shape& shape) {
  return x.shape() == shape ? x : apply1(op_broadcast_to, {x}, BroadcastAttrs{IntList(shape)});
}

static Specs infer_slice(SpecSpan in, const SliceAttrs& a) {
  const Shape& x = in[0].shape;
  PH_CHECK(a.begin.size() == x.rank() && a.size.size() == x.rank() && a.strides.size() == x.rank(),
           "slice: begin, size and strides need ", x.rank(), " entries each for x ", x);
  Shape out;
  for (int i = 0; i < x.rank(); ++i) {
    const int64_t last = a.begin[i] + (a.size[i] - 1) * a.strides[i];
    PH_CHECK(a.size[i] >= 0 && (a.size[i] == 0 || (a.begin[i] >= 0 && a.begin[i] < x[i] && last >= 0 && last < x[i])),
             "slice: begin ", a.begin[i], ", size ", a.size[i], ", stride ", a.strides[i], " leave axis ", i, " of x ",
             x);
    out.push_back(a.size[i]);
  }
  return {{out, in[0].dtype}};
}
static Tensor slice_grad(const Tensor& dy, const SliceGradAttrs& attrs);
static Tensors gradient_slice(const GradCall& c, const SliceAttrs& a) {
  return {slice_grad(c.grads[0], {IntList(c.inputs[0].shape()), a.begin, a.strides})};
}
PH_OP(slice, "x", SliceAttrs, infer_slice, gradient_slice, .copies = true);
Tensor slice(const Tensor& x, const SliceAttrs& attrs) { return apply1(op_slice, {x}, attrs); }

static Specs infer_slice_grad(SpecSpan in, const SliceGradAttrs& a) {
  const Spec out{to_shape(a.shape, "slice_grad"), in[0].dtype};
  const Shape checked = infer_slice({&out, 1}, {a.begin, IntList(in[0].shape), a.strides})[0].shape;
  PH_CHECK(checked == in[0].shape, "slice_grad: x ", in[0].shape, " does not fit");
  return {out};
}
static Tensors gradient_slice_grad(const GradCall& c, const SliceGradAttrs& a) {
  return {slice(c.grads[0], {a.begin, IntList(c.inputs[0].shape()), a.strides})};
}
PH_OP(slice_grad, "x", SliceGradAttrs, infer_slice_grad, gradient_slice_grad, .copies = true);
static Tensor slice_grad(const Tensor& dy, const SliceGradAttrs& attrs) { return apply1(op_slice_grad, {dy}, attrs); }

// Plain unit strides and, unless given otherwise, a start at 0.
static SliceAttrs window(const Shape& size) {
  SliceAttrs a;
  for (const int64_t d : size) {
    a.begin.push_back(0);
    a.size.push_back(d);
    a.strides.push_back(1);
  }
  return a;
}

static Specs infer_concatenate(SpecSpan in, const ConcatenateAttrs& a) {
  const int axis = normalize_axis(a.axis, in[0].shape.rank(), "concatenate");
  Spec out = in[0];
  for (int i = 1; i < in.size(); ++i) {
    PH_CHECK_TYPE(in[i].dtype == out.dtype, "concatenate: inputs have different dtypes, ", out.dtype, " and ",
                  in[i].dtype);
    Shape rest = in[i].shape;
    bool fits = rest.rank() == out.shape.rank();
    for (int d = 0; d < out.shape.rank() && fits; ++d) fits = d == axis || rest[d] == out.shape[d];
    PH_CHECK(fits, "concatenate: shapes ", in[0].shape, " and ", rest, " differ in more than axis ", axis);
    out.shape[axis] += rest[axis];
  }
  return {out};
}
static Tensors split(const Tensor& x, const SplitAttrs& attrs);
static Tensors gradient_concatenate(const GradCall& c, const ConcatenateAttrs& a) {
  const int axis = normalize_axis(a.axis, c.inputs[0].shape().rank(), "concatenate");
  const auto is_needed = [&](const Tensor& input) { return c.needs(&input - c.inputs.data()); };
  const auto is_equal = [&](const Tensor& input) { return input.shape() == c.inputs[0].shape(); };
  if (std::count_if(c.inputs.begin(), c.inputs.end(), is_needed) > 1 &&
      std::all_of(c.inputs.begin(), c.inputs.end(), is_equal)) {
    return split(c.grads[0], {static_cast<int64_t>(c.inputs.size()), axis});
  }
  Tensors grads;
  int64_t begin = 0;
  for (size_t i = 0; i < c.inputs.size(); ++i) {
    SliceAttrs part = window(c.inputs[i].shape());
    part.begin.values[axis] = begin;
    begin += c.inputs[i].shape()[axis];
    grads.push_back(c.needs(i) ? slice(c.grads[0], part) : Tensor());
  }
  return grads;
}
PH_OP(concatenate, "inputs...", ConcatenateAttrs, infer_concatenate, gradient_concatenate, .promotes = true,
      .copies = true);
Tensor concatenate(const Tensors& inputs, int64_t axis) {
  return apply1(op_concatenate, inputs, ConcatenateAttrs{axis});
}

static Specs infer_split(SpecSpan in, const SplitAttrs& a) {
  const int axis = normalize_axis(a.axis, in[0].shape.rank(), "split");
  constexpr int64_t most_parts = 1 << 20;
  const int64_t size = in[0].shape[axis];
  PH_CHECK(a.parts >= 1 && a.parts <= most_parts, "split: parts must be between 1 and ", most_parts, ", got ", a.parts);
  PH_CHECK(size % a.parts == 0, "split: axis ", axis, " of x ", in[0].shape, " does not divide into ", a.parts,
           " equal parts");
  Spec part = in[0];
  part.shape[axis] = size / a.parts;
  return Specs(static_cast<size_t>(a.parts), part);
}
static Tensors gradient_split(const GradCall& c, const SplitAttrs& a) {
  Tensors grads;
  for (size_t i = 0; i < c.grads.size(); ++i) {
    grads.push_back(c.grads[i].defined() ? c.grads[i] : zeros(c.outputs[i].spec()));
  }
  return {grads.size() == 1 ? grads[0] : concatenate(grads, a.axis)};
}
PH_OP(split, "x", SplitAttrs, infer_split, gradient_split, .copies = true);
static Tensors split(const Tensor& x, const SplitAttrs& attrs) { return apply(op_split, {x}, attrs); }

static Specs infer_pad(SpecSpan in, const PadAttrs& a) {
  const Shape& x = in[0].shape;
  PH_CHECK(a.low.size() == x.rank() && a.high.size() == x.rank(), "pad: low and high need ", x.rank(),
           " entries for x ", x);
  Shape out;
  for (int i = 0; i < x.rank(); ++i) {
    PH_CHECK(a.low[i] >= 0 && a.high[i] >= 0, "pad: widths must not be negative, got ", a.low[i], " and ", a.high[i]);
    out.push_back(a.low[i] + x[i] + a.high[i]);
  }
  return {{out, in[0].dtype}};
}
static Tensors gradient_pad(const GradCall& c, const PadAttrs& a) {
  SliceAttrs inner = window(c.inputs[0].shape());
  inner.begin = a.low;
  return {slice(c.grads[0], inner)};
}
PH_OP(pad, "x", PadAttrs, infer_pad, gradient_pad, .copies = true);

}  // namespace ph
