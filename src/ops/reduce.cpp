#include "ops/reduce.h"

#include "ops/cast.h"
#include "ops/creation.h"
#include "ops/elementwise.h"
#include "ops/shape.h"

namespace ph {

static Shape reduced_shape(const Shape& in, const ReduceAttrs& a, bool keepdims, const char* op) {
  bool reduced[Shape::max_rank] = {};
  for (const int64_t axis : a.axes) {
    const int i = normalize_axis(axis, in.rank(), op);
    PH_CHECK(!reduced[i], op, ": axis ", axis, " is named twice");
    reduced[i] = true;
  }
  Shape out;
  for (int i = 0; i < in.rank(); ++i) {
    if (a.axes.size() && !reduced[i]) {
      out.push_back(in[i]);
    } else if (keepdims) {
      out.push_back(1);
    }
  }
  return out;
}

static int64_t reduced_count(const GradCall& c) {
  const int64_t kept = c.outputs[0].shape().size();
  return kept ? c.inputs[0].shape().size() / kept : 0;
}

// `t`, shaped like the reduction's result, so that it broadcasts against the input.
static Tensor with_kept_axes(const Tensor& t, const GradCall& c, const ReduceAttrs& a) {
  return reshape(t, reduced_shape(c.inputs[0].shape(), a, true, "reduce"));
}

enum class Takes { numbers, floats, booleans, not_empty };

template <Takes takes>
static Specs infer_as(SpecSpan in, const ReduceAttrs& a, const char* op) {
  const Spec out{reduced_shape(in[0].shape, a, a.keepdims, op), in[0].dtype};
  if (takes == Takes::booleans) {
    PH_CHECK_TYPE(out.dtype == DType::bool_, op, ": wants bool, got ", in[0]);
  } else {
    PH_CHECK_TYPE(out.dtype != DType::bool_, op, ": wants numbers, got bool");
  }
  if (takes == Takes::floats) PH_CHECK_TYPE(is_float(out.dtype), op, ": wants a floating tensor, got ", in[0]);
  if (takes == Takes::not_empty) {
    PH_CHECK(in[0].shape.size() > 0 || out.shape.size() == 0, op, ": nothing to take it of, x has shape ", in[0].shape);
  }
  return {out};
}

static Tensors gradient_sum(const GradCall& c, const ReduceAttrs& a) {
  return {broadcast_to(with_kept_axes(c.grads[0], c, a), c.inputs[0].shape())};
}
static Tensors gradient_mean(const GradCall& c, const ReduceAttrs& a) {
  const Tensor share = divide(c.grads[0], constant_like(c.grads[0], static_cast<double>(reduced_count(c))));
  return {broadcast_to(with_kept_axes(share, c, a), c.inputs[0].shape())};
}
// Shared equally by all elements that reach the extremum.
static Tensors gradient_extremum(const GradCall& c, const ReduceAttrs& a) {
  const Tensor& x = c.inputs[0];
  const Tensor hit = cast(equal(x, with_kept_axes(c.outputs[0], c, a)), x.dtype());
  const Tensor share = divide(with_kept_axes(c.grads[0], c, a), reduce_sum(hit, a.axes, true));
  return {multiply(hit, share)};
}
// The product of the others: of the elements before times of those after, so that zeros are no special case.
static Tensors gradient_prod(const GradCall& c, const ReduceAttrs& a) {
  const Tensor& x = c.inputs[0];
  const Tensor zero = constant_like(x, 0), one = constant_like(x, 1);
  const Tensor is_zero = equal(x, zero);
  const Tensor zeros_count = reduce_sum(cast(is_zero, x.dtype()), a.axes, true);
  const Tensor without_zeros = apply1(find_op("reduce_prod"), {select(is_zero, one, x)}, ReduceAttrs{a.axes, true});
  const Tensor safe = select(is_zero, one, x);
  const Tensor if_no_zero =
      select(equal(zeros_count, zero), divide(without_zeros, safe), broadcast_to(zero, x.shape()));
  const Tensor if_only_zero = select(logical_and(is_zero, equal(zeros_count, one)), without_zeros, zero);
  return {multiply(with_kept_axes(c.grads[0], c, a), add(if_no_zero, if_only_zero))};
}

#define PH_REDUCTION(name, takes, gradient)                                                                     \
  static Specs infer_##name(SpecSpan in, const ReduceAttrs& a) { return infer_as<Takes::takes>(in, a, #name); } \
  PH_OP(name, "x", ReduceAttrs, infer_##name, gradient, .operations = operations_per_element<1>)
PH_REDUCTION(reduce_sum, numbers, gradient_sum);
PH_REDUCTION(reduce_mean, floats, gradient_mean);
PH_REDUCTION(reduce_max, not_empty, gradient_extremum);
PH_REDUCTION(reduce_min, not_empty, gradient_extremum);
PH_REDUCTION(reduce_prod, numbers, gradient_prod);
PH_REDUCTION(reduce_all, booleans, no_gradient<"boolean">);
PH_REDUCTION(reduce_any, booleans, no_gradient<"boolean">);

Tensor reduce_sum(const Tensor& x, const IntList& axes, bool keepdims) {
  return apply1(op_reduce_sum, {x}, ReduceAttrs{axes, keepdims});
}
Tensor reduce_mean(const Tensor& x, const IntList& axes, bool keepdims) {
  return apply1(op_reduce_mean, {x}, ReduceAttrs{axes, keepdims});
}
Tensor reduce_max(const Tensor& x, const IntList& axes, bool keepdims) {
  return apply1(op_reduce_max, {x}, ReduceAttrs{axes, keepdims});
}

template <Reason op>
static Specs infer_arg(SpecSpan in, const ArgAttrs& a) {
  const int axis = normalize_axis(a.axis, in[0].shape.rank(), op.text);
  PH_CHECK(in[0].shape[axis] > 0, op.text, ": axis ", axis, " of x ", in[0].shape, " is empty");
  return {{reduced_shape(in[0].shape, {IntList{axis}, a.keepdims}, a.keepdims, op.text), DType::int32}};
}
PH_OP(argmax, "x", ArgAttrs, infer_arg<"argmax">, no_gradient<"the result is an index">,
      .operations = operations_per_element<1>);
PH_OP(argmin, "x", ArgAttrs, infer_arg<"argmin">, no_gradient<"the result is an index">,
      .operations = operations_per_element<1>);

template <Reason op>
static Specs infer_cumulative(SpecSpan in, const CumulativeAttrs& a) {
  normalize_axis(a.axis, in[0].shape.rank(), op.text);
  PH_CHECK_TYPE(in[0].dtype != DType::bool_, op.text, ": wants numbers, got bool");
  return {in[0]};
}
static Tensor cumulative(const char* op, const Tensor& x, int64_t axis, bool reverse) {
  return apply1(find_op(op), {x}, CumulativeAttrs{axis, reverse});
}
static Tensors gradient_cumsum(const GradCall& c, const CumulativeAttrs& a) {
  return {cumulative("cumsum", c.grads[0], a.axis, !a.reverse)};
}
// Each product over the factor in question, summed. A zero factor cannot be divided by: of the products that hold the
// first zero only, its own gradient is not zero, and that is the sum of the products with a one in its place.
static Tensors gradient_cumprod(const GradCall& c, const CumulativeAttrs& a) {
  const Tensor &x = c.inputs[0], &y = c.outputs[0], &dy = c.grads[0];
  const Tensor zero = constant_like(x, 0), one = constant_like(x, 1);
  const Tensor is_zero = equal(x, zero);
  const Tensor zeros_so_far = cumulative("cumsum", cast(is_zero, x.dtype()), a.axis, a.reverse);
  const Tensor is_first_zero = logical_and(is_zero, equal(zeros_so_far, one));
  const Tensor without_first = cumulative("cumprod", select(is_first_zero, one, x), a.axis, a.reverse);
  const Tensor of_first = cumulative("cumsum", multiply(dy, without_first), a.axis, !a.reverse);
  const Tensor of_others = cumulative("cumsum", multiply(dy, y), a.axis, !a.reverse);
  return {select(is_first_zero, of_first, select(is_zero, zero, divide(of_others, select(is_zero, one, x))))};
}
PH_OP(cumsum, "x", CumulativeAttrs, infer_cumulative<"cumsum">, gradient_cumsum);
PH_OP(cumprod, "x", CumulativeAttrs, infer_cumulative<"cumprod">, gradient_cumprod);

}  // namespace ph
