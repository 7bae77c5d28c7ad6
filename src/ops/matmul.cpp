#include "ops/matmul.h"

#include "ops/elementwise.h"

namespace ph {

static Specs infer(SpecSpan in, const MatmulAttrs& attrs) {
  const Shape &a = in[0].shape, &b = in[1].shape;
  PH_CHECK(a.rank() >= 2 && b.rank() >= 2, "matmul: a and b must have rank 2 or more, got ", a, " and ", b);
  PH_CHECK_TYPE(in[0].dtype == in[1].dtype && in[0].dtype != DType::bool_,
                "matmul: a and b must be numbers of one dtype, got ", in[0].dtype, " and ", in[1].dtype);
  const int ra = a.rank(), rb = b.rank();
  const int64_t m = a[attrs.transpose_a ? ra - 1 : ra - 2], ka = a[attrs.transpose_a ? ra - 2 : ra - 1];
  const int64_t kb = b[attrs.transpose_b ? rb - 1 : rb - 2], n = b[attrs.transpose_b ? rb - 2 : rb - 1];
  PH_CHECK(ka == kb, "matmul: a ", a, attrs.transpose_a ? " (transposed)" : "", " and b ", b,
           attrs.transpose_b ? " (transposed)" : "", " do not fit: ", ka, " columns meet ", kb, " rows");
  Shape batch_a, batch_b;
  for (int i = 0; i < ra - 2; ++i) batch_a.push_back(a[i]);
  for (int i = 0; i < rb - 2; ++i) batch_b.push_back(b[i]);
  Shape out = broadcast(batch_a, batch_b, "matmul");
  out.checked_push_back(m);
  out.checked_push_back(n);
  if (in.size() > 2) PH_CHECK((in[2].shape == Shape{n}), "matmul: bias must have shape (", n, ",), got ", in[2].shape);
  return {{out, in[0].dtype}};
}

static Tensors gradient(const GradCall& c, const MatmulAttrs& attrs) {
  PH_CHECK(c.inputs.size() == 2 && attrs.activation == Activation::none, "matmul: gradients are taken before fusion");
  const Tensor &a = c.inputs[0], &b = c.inputs[1], &dy = c.grads[0];
  Tensor da, db;
  if (c.needs(0)) {
    da = attrs.transpose_a ? matmul(b, dy, attrs.transpose_b, true) : matmul(dy, b, false, !attrs.transpose_b);
    da = sum_to_shape(da, a.shape());
  }
  if (c.needs(1)) {
    db = attrs.transpose_b ? matmul(dy, a, true, attrs.transpose_a) : matmul(a, dy, !attrs.transpose_a, false);
    db = sum_to_shape(db, b.shape());
  }
  return {da, db};
}

// A multiplication and an addition for each product; one more each for bias and activation.
static double count(SpecSpan in, SpecSpan out, const MatmulAttrs& attrs) {
  const Shape& a = in[0].shape;
  const double depth = static_cast<double>(a[attrs.transpose_a ? a.rank() - 2 : a.rank() - 1]);
  const int epilogue = (in.size() > 2 ? 1 : 0) + (attrs.activation == Activation::none ? 0 : 1);
  return static_cast<double>(out[0].shape.size()) * (2 * depth + epilogue);
}

PH_OP(matmul, "a, b, bias?", MatmulAttrs, infer, gradient, .promotes = true, .epilogue = true,
      .operations = operations<count>);

Tensor matmul(const Tensor& a, const Tensor& b, bool transpose_a, bool transpose_b) {
  return apply1(op_matmul, {a, b}, MatmulAttrs{transpose_a, transpose_b, Activation::none});
}

}  // namespace ph
