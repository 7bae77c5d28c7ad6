#include "ops/loss.h"

#include "ops/creation.h"
#include "ops/elementwise.h"
#include "ops/reduce.h"
#include "ops/shape.h"
#include "ops/softmax.h"

namespace ph {

static Shape rows_shape(const Spec& scores, const char* op, const char* name) {
  PH_CHECK_TYPE(is_float(scores.dtype), op, ": ", name, " must be floating, got ", scores);
  PH_CHECK(scores.shape.rank() >= 1 && scores.shape.back() > 0, op, ": ", name,
           " must have a last axis of at least one class, got ", scores);
  Shape rows;
  for (int i = 0; i + 1 < scores.shape.rank(); ++i) rows.push_back(scores.shape[i]);
  return rows;
}

static void check_labels(const Spec& labels, const Shape& rows, const char* op) {
  PH_CHECK_TYPE(labels.dtype == DType::int32 || labels.dtype == DType::int64, op,
                ": labels must be int32 or int64, got ", labels);
  PH_CHECK(labels.shape == rows, op, ": labels must have shape ", rows, ", got ", labels.shape);
}

static Tensor as_column(const Tensor& rows) {
  Shape shape = rows.shape();
  shape.push_back(1);
  return reshape(rows, shape);
}

static Tensor sum_of_rows(const Tensor& x) { return reduce_sum(x, {-1}); }

// softmax, from what the forward op left
static Tensor probabilities(const Tensor& logits, const Tensor& log_sum) {
  return exp(subtract(logits, as_column(log_sum)));
}

static Specs infer_sparse_softmax(SpecSpan in, const NoAttrs&) {
  const Shape rows = rows_shape(in[0], "sparse_softmax_cross_entropy", "logits");
  check_labels(in[1], rows, "sparse_softmax_cross_entropy");
  return {{rows, in[0].dtype}, {rows, in[0].dtype}};
}
static Specs infer_sparse_softmax_grad(SpecSpan in, const NoAttrs&) {
  const Shape rows = rows_shape(in[0], "sparse_softmax_cross_entropy_grad", "logits");
  check_labels(in[1], rows, "sparse_softmax_cross_entropy_grad");
  PH_CHECK(in[2] == (Spec{rows, in[0].dtype}) && in[3] == in[2], "sparse_softmax_cross_entropy_grad: log_sum and ",
           "dloss must be ", (Spec{rows, in[0].dtype}), ", got ", in[2], " and ", in[3]);
  return {in[0]};
}
static Specs infer_softmax(SpecSpan in, const NoAttrs&) {
  const Shape rows = rows_shape(in[0], "softmax_cross_entropy", "logits");
  PH_CHECK(in[0] == in[1], "softmax_cross_entropy: targets must be ", in[0], ", got ", in[1]);
  return {{rows, in[0].dtype}, {rows, in[0].dtype}};
}
static Specs infer_softmax_grad(SpecSpan in, const NoAttrs&) {
  const Shape rows = rows_shape(in[0], "softmax_cross_entropy_grad", "logits");
  PH_CHECK(in[0] == in[1] && in[2] == (Spec{rows, in[0].dtype}) && in[3] == in[2],
           "softmax_cross_entropy_grad: inputs do not agree: ", in[0], ", ", in[1], ", ", in[2], ", ", in[3]);
  return {in[0]};
}

static Tensor sparse_softmax_grad(const Tensor& logits, const Tensor& labels, const Tensor& log_sum,
                                  const Tensor& dloss);
static Tensor softmax_grad(const Tensor& logits, const Tensor& targets, const Tensor& log_sum, const Tensor& dloss);

// The part of dlogits that comes through log_sum.
static Tensor through_log_sum(const Tensor& dlogits, const GradCall& c) {
  if (!c.grads[1].defined()) return dlogits;
  const Tensor part = multiply(as_column(c.grads[1]), probabilities(c.inputs[0], c.outputs[1]));
  return dlogits.defined() ? add(dlogits, part) : part;
}

static Tensors gradient_sparse_softmax(const GradCall& c, const NoAttrs&) {
  const Tensor& dloss = c.grads[0];
  const Tensor dlogits =
      dloss.defined() ? sparse_softmax_grad(c.inputs[0], c.inputs[1], c.outputs[1], dloss) : Tensor();
  return {through_log_sum(dlogits, c), Tensor()};
}
// for each score: maximum, difference, exp, sum
PH_OP(sparse_softmax_cross_entropy, "logits, labels", NoAttrs, infer_sparse_softmax, gradient_sparse_softmax,
      .checks_values = true, .operations = operations_per_element<4>);

static Tensors gradient_softmax(const GradCall& c, const NoAttrs&) {
  const Tensor& dloss = c.grads[0];
  const Tensor &logits = c.inputs[0], &log_sum = c.outputs[1];
  if (!dloss.defined()) return {through_log_sum(Tensor(), c), Tensor()};
  const Tensor dlogits = c.needs(0) ? softmax_grad(logits, c.inputs[1], log_sum, dloss) : Tensor();
  const Tensor dtargets = c.needs(1) ? multiply(as_column(dloss), subtract(as_column(log_sum), logits)) : Tensor();
  return {c.needs(0) ? through_log_sum(dlogits, c) : Tensor(), dtargets};
}
// and two differences, a product, a sum
PH_OP(softmax_cross_entropy, "logits, targets", NoAttrs, infer_softmax, gradient_softmax,
      .operations = operations_per_element<8>);

// dlogits = dloss * (p - onehot(labels)) with p = exp(logits - log_sum); g is the gradient of dlogits
static Tensors gradient_sparse_softmax_grad(const GradCall& c, const NoAttrs&) {
  const Tensor &logits = c.inputs[0], &log_sum = c.inputs[2], &dloss = c.inputs[3], &g = c.grads[0];
  const Tensor by_logits = multiply(g, multiply(as_column(dloss), probabilities(logits, log_sum)));
  const Tensor slope = sparse_softmax_grad(logits, c.inputs[1], log_sum, ones(dloss.spec()));
  return {by_logits, Tensor(), negative(sum_of_rows(by_logits)), sum_of_rows(multiply(g, slope))};
}
PH_OP(sparse_softmax_cross_entropy_grad, "logits, labels, log_sum, dloss", NoAttrs, infer_sparse_softmax_grad,
      gradient_sparse_softmax_grad, .in_place = {0}, .checks_values = true, .operations = operations_per_element<3>);
static Tensor sparse_softmax_grad(const Tensor& logits, const Tensor& labels, const Tensor& log_sum,
                                  const Tensor& dloss) {
  return apply1(op_sparse_softmax_cross_entropy_grad, {logits, labels, log_sum, dloss});
}

// dlogits = dloss * (p * sum(targets) - targets)
static Tensors gradient_softmax_grad(const GradCall& c, const NoAttrs&) {
  const Tensor &targets = c.inputs[1], &g = c.grads[0];
  const Tensor p = probabilities(c.inputs[0], c.inputs[2]);
  const Tensor dloss = as_column(c.inputs[3]), total = reduce_sum(targets, {-1}, true);
  const Tensor by_logits = multiply(g, multiply(multiply(dloss, total), p));
  const Tensor slope = subtract(multiply(p, total), targets);
  const Tensor by_targets = multiply(dloss, subtract(reduce_sum(multiply(g, p), {-1}, true), g));
  return {by_logits, by_targets, negative(sum_of_rows(by_logits)), sum_of_rows(multiply(g, slope))};
}
PH_OP(softmax_cross_entropy_grad, "logits, targets, log_sum, dloss", NoAttrs, infer_softmax_grad, gradient_softmax_grad,
      .in_place = {0}, .operations = operations_per_element<6>);
static Tensor softmax_grad(const Tensor& logits, const Tensor& targets, const Tensor& log_sum, const Tensor& dloss) {
  return apply1(op_softmax_cross_entropy_grad, {logits, targets, log_sum, dloss});
}

static Specs infer_sparse(SpecSpan in, const ProbabilityAttrs&) {
  const Shape rows = rows_shape(in[0], "sparse_cross_entropy", "probabilities");
  check_labels(in[1], rows, "sparse_cross_entropy");
  return {{rows, in[0].dtype}};
}
static Specs infer_sparse_grad(SpecSpan in, const ProbabilityAttrs&) {
  const Shape rows = rows_shape(in[0], "sparse_cross_entropy_grad", "probabilities");
  check_labels(in[1], rows, "sparse_cross_entropy_grad");
  PH_CHECK(in[2] == (Spec{rows, in[0].dtype}), "sparse_cross_entropy_grad: dloss must be ", (Spec{rows, in[0].dtype}),
           ", got ", in[2]);
  return {in[0]};
}
PH_OP(sparse_cross_entropy_grad, "probabilities, labels, dloss", ProbabilityAttrs, infer_sparse_grad,
      gradient_not_offered<"second derivatives are offered for logits only">, .in_place = {0}, .checks_values = true,
      .operations = operations_per_element<2>);
static Tensors gradient_sparse(const GradCall& c, const ProbabilityAttrs& a) {
  return {apply1(op_sparse_cross_entropy_grad, {c.inputs[0], c.inputs[1], c.grads[0]}, a), Tensor()};
}
PH_OP(sparse_cross_entropy, "probabilities, labels", ProbabilityAttrs, infer_sparse, gradient_sparse,
      .checks_values = true, .operations = operations_per_element<1>);

}  // namespace ph
