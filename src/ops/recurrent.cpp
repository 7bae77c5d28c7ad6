#include "ops/recurrent.h"

#include "ops/creation.h"
#include "ops/elementwise.h"
#include "ops/matmul.h"
#include "ops/reduce.h"
#include "ops/shape.h"

namespace ph {

namespace {

// The checks of one call.
struct Sizes {
  const char* op;
  int64_t batch = 0, steps = 0, units = 0;
  DType dtype{};

  Spec sequence(int64_t blocks = 1) const { return {{batch, steps, blocks * units}, dtype}; }
  Spec state() const { return {{batch, units}, dtype}; }

  void check(const Spec& given, const Spec& wanted, const char* name) const {
    PH_CHECK_TYPE(given.dtype == wanted.dtype, op, ": ", name, " must be ", wanted.dtype, ", got ", given);
    PH_CHECK(given.shape == wanted.shape, op, ": ", name, " must have shape ", wanted.shape, ", got ", given.shape);
  }
  void check_kernel(const Spec& kernel, int64_t blocks) const {
    check(kernel, {{units, blocks * units}, dtype}, "recurrent_kernel");
  }
  void check_mask(SpecSpan in, int at) const {
    if (in.size() > at) check(in[at], {{batch, steps}, DType::bool_}, "mask");
  }
};

// From a tensor (batch, steps, blocks * units), which all others are measured by.
Sizes sizes_of(const Spec& sequence, int64_t blocks, const char* op, const char* name) {
  PH_CHECK_TYPE(is_float(sequence.dtype), op, ": ", name, " must be floating, got ", sequence);
  const Shape& shape = sequence.shape;
  const std::string units = blocks == 1 ? "units" : concat(blocks, " * units");
  PH_CHECK(shape.rank() == 3, op, ": ", name, " must have shape (batch, steps, ", units, "), got ", shape);
  PH_CHECK(shape[2] % blocks == 0, op, ": the last axis of ", name, " must be ", units, ", got shape ", shape);
  return {op, shape[0], shape[1], shape[2] / blocks, sequence.dtype};
}

// (batch, steps, width) as (batch * steps, width)
Tensor as_rows(const Tensor& sequence) {
  const Shape& shape = sequence.shape();
  return reshape(sequence, {shape[0] * shape[1], shape[2]});
}

// h_0, h_1, ..., h_{T-1}, a row for each sample and step: the states that the steps start from.
Tensor previous_states(const Tensor& h0, const Tensor& hidden) {
  const int64_t batch = hidden.shape()[0], steps = hidden.shape()[1], units = hidden.shape()[2];
  if (steps == 0) return as_rows(hidden);
  const Tensor first = reshape(h0, {batch, 1, units});
  const Tensor others = slice(hidden, {{0, 0, 0}, {batch, steps - 1, units}, {1, 1, 1}});
  return as_rows(concatenate({first, others}, 1));
}

// The gradient of a (depth, width) kernel by which `rows` were multiplied, from that of the products.
Tensor kernel_gradient(const Tensor& rows, const Tensor& dproducts) { return matmul(rows, dproducts, true, false); }

Tensor or_zeros(const Tensor& grad, const Tensor& like) { return grad.defined() ? grad : zeros(like.spec()); }

void check_not_kept(const GradCall& c, size_t output, const char* op, const char* name) {
  PH_CHECK(!c.grads[output].defined(), op, ": the output ", name, " is kept for the gradient and has none itself");
}

}  // namespace

// At each step a product of the state, or its gradient, with recurrent_kernel, and about four operations for each gate.
template <int kernel, int sequence>
static double count_steps(SpecSpan in, SpecSpan, const void*) {
  const Shape &weights = in[kernel].shape, &steps = in[sequence].shape;
  return static_cast<double>(steps[0] * steps[1]) * static_cast<double>(2 * weights.size() + 4 * weights[1]);
}

static Specs infer_lstm(SpecSpan in, const NoAttrs&) {
  const Sizes s = sizes_of(in[0], 4, "lstm", "projected");
  s.check_kernel(in[1], 4);
  s.check(in[2], s.state(), "h0");
  s.check(in[3], s.state(), "c0");
  s.check_mask(in, 4);
  return {s.sequence(), s.sequence(), s.sequence(4)};
}

static Specs infer_lstm_grad(SpecSpan in, const NoAttrs&) {
  const Sizes s = sizes_of(in[3], 4, "lstm_grad", "gates");
  s.check_kernel(in[0], 4);
  s.check(in[1], s.state(), "c0");
  s.check(in[2], s.sequence(), "cells");
  s.check(in[4], s.sequence(), "dhidden");
  s.check_mask(in, 5);
  if (in.size() > 6) s.check(in[6], s.sequence(), "dcells");
  return {s.sequence(4), s.state(), s.state()};
}
PH_OP(lstm_grad, "recurrent_kernel, c0, cells, gates, dhidden, mask?, dcells?", NoAttrs, infer_lstm_grad,
      gradient_not_offered<"for second derivatives write the steps with matmul, sigmoid and tanh">, .in_place = {3},
      .operations = count_steps<0, 3>);

static Tensors gradient_lstm(const GradCall& c, const NoAttrs&) {
  check_not_kept(c, 2, "lstm", "gates");
  const Tensor &hidden = c.outputs[0], &cells = c.outputs[1], &gates = c.outputs[2];
  Tensors inputs{c.inputs[1], c.inputs[3], cells, gates, or_zeros(c.grads[0], hidden)};
  if (c.inputs.size() > 4) inputs.push_back(c.inputs[4]);
  if (c.grads[1].defined()) {
    if (c.inputs.size() == 4) {  // an optional input that others follow: no step is masked
      inputs.push_back(ones({{hidden.shape()[0], hidden.shape()[1]}, DType::bool_}));
    }
    inputs.push_back(c.grads[1]);
  }
  const Tensors all = apply(op_lstm_grad, inputs, NoAttrs{});
  Tensor dkernel;
  if (c.needs(1)) dkernel = kernel_gradient(previous_states(c.inputs[2], hidden), as_rows(all[0]));
  return {all[0], dkernel, all[1], all[2], Tensor()};
}
PH_OP(lstm, "projected, recurrent_kernel, h0, c0, mask?", NoAttrs, infer_lstm, gradient_lstm, .in_place = {-1, -1, 0},
      .operations = count_steps<1, 0>);

static Specs infer_gru(SpecSpan in, const GruAttrs&) {
  const Sizes s = sizes_of(in[0], 3, "gru", "projected");
  s.check_kernel(in[1], 3);
  s.check(in[2], {{3 * s.units}, s.dtype}, "recurrent_bias");
  s.check(in[3], s.state(), "h0");
  s.check_mask(in, 4);
  return {s.sequence(), s.sequence(3), s.sequence()};
}

static Specs infer_gru_grad(SpecSpan in, const GruAttrs& a) {
  const Sizes s = sizes_of(in[3], 3, "gru_grad", "gates");
  s.check_kernel(in[0], 3);
  s.check(in[1], s.state(), "h0");
  s.check(in[2], s.sequence(), "hidden");
  s.check(in[4], s.sequence(), "inner");
  s.check(in[5], s.sequence(), "dhidden");
  s.check_mask(in, 6);
  if (a.reset_after) return {s.sequence(3), s.state(), s.sequence(3)};
  return {s.sequence(3), s.state()};
}
PH_OP(gru_grad, "recurrent_kernel, h0, hidden, gates, inner, dhidden, mask?", GruAttrs, infer_gru_grad,
      gradient_not_offered<"for second derivatives write the steps with matmul, sigmoid and tanh">, .in_place = {3},
      .operations = count_steps<0, 3>);

// recurrent_kernel's, where its last block was multiplied by r h.
static Tensor gru_kernel_gradient(const Tensor& previous, const Tensor& inner, const Tensor& dprojected) {
  const int64_t rows = dprojected.shape()[0], units = inner.shape()[1];
  const Tensor dgates = slice(dprojected, {{0, 0}, {rows, 2 * units}, {1, 1}});
  const Tensor dcandidate = slice(dprojected, {{0, 2 * units}, {rows, units}, {1, 1}});
  return concatenate({kernel_gradient(previous, dgates), kernel_gradient(inner, dcandidate)}, 1);
}

static Tensors gradient_gru(const GradCall& c, const GruAttrs& a) {
  check_not_kept(c, 1, "gru", "gates");
  check_not_kept(c, 2, "gru", "inner");
  const Tensor &h0 = c.inputs[3], &hidden = c.outputs[0], &inner = c.outputs[2];
  Tensors inputs{c.inputs[1], h0, hidden, c.outputs[1], inner, c.grads[0]};
  if (c.inputs.size() > 4) inputs.push_back(c.inputs[4]);
  const Tensors all = apply(op_gru_grad, inputs, a);
  const Tensor& drecurrent = a.reset_after ? all[2] : all[0];
  Tensor dkernel, dbias;
  if (c.needs(1)) {
    const Tensor previous = previous_states(h0, hidden);
    dkernel = a.reset_after ? kernel_gradient(previous, as_rows(drecurrent))
                            : gru_kernel_gradient(previous, as_rows(inner), as_rows(drecurrent));
  }
  if (c.needs(2)) dbias = reduce_sum(drecurrent, {0, 1});
  return {all[0], dkernel, dbias, all[1], Tensor()};
}
PH_OP(gru, "projected, recurrent_kernel, recurrent_bias, h0, mask?", GruAttrs, infer_gru, gradient_gru,
      .in_place = {-1, 0}, .operations = count_steps<1, 0>);

static Specs infer_simple_rnn(SpecSpan in, const SimpleRnnAttrs&) {
  const Sizes s = sizes_of(in[0], 1, "simple_rnn", "projected");
  s.check_kernel(in[1], 1);
  s.check(in[2], s.state(), "h0");
  s.check_mask(in, 3);
  return {s.sequence()};
}

static Specs infer_simple_rnn_grad(SpecSpan in, const SimpleRnnAttrs&) {
  const Sizes s = sizes_of(in[1], 1, "simple_rnn_grad", "hidden");
  s.check_kernel(in[0], 1);
  s.check(in[2], s.sequence(), "dhidden");
  s.check_mask(in, 3);
  return {s.sequence(), s.state()};
}
PH_OP(simple_rnn_grad, "recurrent_kernel, hidden, dhidden, mask?", SimpleRnnAttrs, infer_simple_rnn_grad,
      gradient_not_offered<"for second derivatives write the steps with matmul and the activation">, .in_place = {2},
      .operations = count_steps<0, 1>);

static Tensors gradient_simple_rnn(const GradCall& c, const SimpleRnnAttrs& a) {
  const Tensor &h0 = c.inputs[2], &hidden = c.outputs[0];
  Tensors inputs{c.inputs[1], hidden, c.grads[0]};
  if (c.inputs.size() > 3) inputs.push_back(c.inputs[3]);
  const Tensors all = apply(op_simple_rnn_grad, inputs, a);
  Tensor dkernel;
  if (c.needs(1)) dkernel = kernel_gradient(previous_states(h0, hidden), as_rows(all[0]));
  return {all[0], dkernel, all[1], Tensor()};
}
PH_OP(simple_rnn, "projected, recurrent_kernel, h0, mask?", SimpleRnnAttrs, infer_simple_rnn, gradient_simple_rnn,
      .in_place = {0}, .operations = count_steps<1, 0>);

}  // namespace ph
