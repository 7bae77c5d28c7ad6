#include "ops/reduce.h"

#include "ops/creation.h"
#include "ops/elementwise.h"
#include "ops/shape.h"

namespace ph {

static Specs infer_reduced(SpecSpan in, const ReduceAttrs& a, const char* op) {
  const int rank = in[0].shape.rank();
  bool reduced[Shape::max_rank] = {};
  for (const int64_t axis : a.axes) {
    const int i = normalize_axis(axis, rank, op);
    PH_CHECK(!reduced[i], op, ": axis ", axis, " is named twice");
    reduced[i] = true;
  }
  Shape out;
  for (int i = 0; i < rank; ++i) {
    if (a.axes.size() && !reduced[i]) {
      out.push_back(in[0].shape[i]);
    } else if (a.keepdims) {
      out.push_back(1);
    }
  }
  return {{out, in[0].dtype}};
}

// The shape of a reduction's result with its axes kept as ones.
static Shape kept_shape(const Shape& in, const ReduceAttrs& a, const char* op) {
  const Spec spec{in, DType::float32};
  return infer_reduced({&spec, 1}, {a.axes, true}, op)[0].shape;
}

static Specs infer_sum(SpecSpan in, const ReduceAttrs& a) {
  PH_CHECK_TYPE(in[0].dtype != DType::bool_, "reduce_sum: wants numbers, got bool");
  return infer_reduced(in, a, "reduce_sum");
}
static Tensors gradient_sum(const GradCall& c, const ReduceAttrs& a) {
  const Tensor& x = c.inputs[0];
  const Tensor dy = reshape(c.grads[0], kept_shape(x.shape(), a, "reduce_sum"));
  return {add(dy, zeros(x.spec()))};
}
PH_OP(reduce_sum, "x", ReduceAttrs, infer_sum, gradient_sum);
Tensor reduce_sum(const Tensor& x, const IntList& axes, bool keepdims) {
  return apply1(op_reduce_sum, {x}, ReduceAttrs{axes, keepdims});
}

}  // namespace ph
