// Recurrent networks over whole sequences (batch, steps, units), forward and backward, as Keras 3 defines them
// (keras.io/api/layers/recurrent_layers). `projected` is what the inputs contribute to the gates, inputs x kernel +
// bias, found for all steps by one product before the op. One column block of `projected` and of `recurrent_kernel` for
// each gate, in Keras's order. All floating tensors of a call have one dtype; float16 and bfloat16 are computed, and
// the state carried from step to step, in float32.
//
// mask is bool (batch, steps): where it is false the state stays as it was; the step's gates are found all the same,
// but no gradient passes through them.
//
// The last output state is the last step of `hidden` (and of `cells`); its gradient is that of a slice. What else an op
// returns it keeps for its gradient, and is not differentiable itself.
#pragma once
#include "core/apply.h"

namespace ph {

// lstm(projected (batch, steps, 4 units), recurrent_kernel (units, 4 units), h0, c0 (batch, units), mask?)
//   -> (hidden, cells (batch, steps, units), gates (batch, steps, 4 units))
//
// gates: i, f, g, o = sigmoid, sigmoid, tanh, sigmoid of the quarters of projected_t + h_{t-1} recurrent_kernel;
// c_t = f c_{t-1} + i g; h_t = o tanh(c_t). Hochreiter and Schmidhuber, 1997, with the forget gate of Gers et al.,
// 2000.
//
// lstm_grad(recurrent_kernel, c0, cells, gates, dhidden, mask?, dcells?) -> (dprojected, dh0, dc0). The gradient of
// recurrent_kernel is one product over all steps, (h_0 ... h_{T-1})^T dprojected, which the gradient rule writes.

// gru(projected (batch, steps, 3 units), recurrent_kernel (units, 3 units), recurrent_bias (3 units,), h0 (batch,
//     units), mask?) -> (hidden (batch, steps, units), gates (batch, steps, 3 units), inner (batch, steps, units))
//
// gates: z, r, n. With R, b the blocks of recurrent_kernel and recurrent_bias, x those of projected_t, h = h_{t-1}:
//   z = sigmoid(x_z + h R_z + b_z), r = sigmoid(x_r + h R_r + b_r), h_t = z h + (1 - z) n
//   reset_after:      inner = h R_n + b_n,  n = tanh(x_n + r inner)         (cuDNN's form, Keras's default)
//   not reset_after:  inner = r h,          n = tanh(x_n + inner R_n + b_n) (Cho et al., 2014)
// Without reset_after recurrent_bias is the same as a further bias in `projected`; Keras's layers have none there.
//
// gru_grad(recurrent_kernel, h0, hidden, gates, inner, dhidden, mask?) -> (dprojected, dh0) and, with reset_after,
// drecurrent (batch, steps, 3 units), the gradient of h R + b, which differs from dprojected in its last third.
struct GruAttrs {
  bool reset_after = true;
  PH_FIELDS(GruAttrs, reset_after)
};

enum class RecurrentActivation : int32_t { tanh, relu, none };
PH_CHOICES(RecurrentActivation, "tanh", "relu", "none")

// simple_rnn(projected (batch, steps, units), recurrent_kernel (units, units), h0 (batch, units), mask?)
//   -> hidden (batch, steps, units): h_t = activation(projected_t + h_{t-1} recurrent_kernel). Elman, 1990.
//
// simple_rnn_grad(recurrent_kernel, hidden, dhidden, mask?) -> (dprojected, dh0).
struct SimpleRnnAttrs {
  RecurrentActivation activation = RecurrentActivation::tanh;
  PH_FIELDS(SimpleRnnAttrs, activation)
};

}  // namespace ph
