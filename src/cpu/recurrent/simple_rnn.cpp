// The simple recurrent network over whole sequences: h_t = activation(projected_t + h_{t-1} R), each step's product
// becoming the state where it lies. Backward, dh0 holds the gradient of the state that is carried from step to step.
#include "core/scalar.h"
#include "cpu/recurrent/sequence.h"
#include "ops/recurrent.h"

namespace ph::PH_LEVEL {

namespace {

template <class T>
void activate(T* h, int64_t units, RecurrentActivation activation) {
  if (activation == RecurrentActivation::tanh) {
    PH_INDEPENDENT for (int64_t j = 0; j < units; ++j) h[j] = scalar::tanh(h[j]);
  } else if (activation == RecurrentActivation::relu) {
    PH_INDEPENDENT for (int64_t j = 0; j < units; ++j) h[j] = scalar::relu(h[j]);
  }
}

// dz = the slope of the activation, seen from its result h, times dh.
template <class T>
void step_backward(const T* h, const T* dh, T* dz, int64_t units, RecurrentActivation activation) {
  if (activation == RecurrentActivation::tanh) {
    PH_INDEPENDENT for (int64_t j = 0; j < units; ++j) dz[j] = dh[j] * (1 - h[j] * h[j]);
  } else if (activation == RecurrentActivation::relu) {
    PH_INDEPENDENT for (int64_t j = 0; j < units; ++j) dz[j] = scalar::relu_grad(dh[j], h[j]);
  } else {
    copy_row(dz, dh, units);
  }
}

template <class T>
void forward(const KernelCall& k, const SimpleRnnAttrs& a) {
  const T *projected = k.in[0].as<T>(), *h0 = k.in[2].as<T>();
  T* hidden = k.out[0].as<T>();
  const Sequence s = Sequence::of(k.out[0], k.in, 3);
  const Packed<T> kernel{s.units, s.units, static_cast<T*>(k.workspace)};
  kernel.pack(k.in[1].as<T>(), s.units, 1);
  for_each_slice<T>(s, s.units, s.units, [&](int64_t begin, int64_t end) {
    for (int64_t t = 0; t < s.steps; ++t) {
      const Rows<const T> before = s.before<T>(hidden, h0, t);
      const Rows<T> h = s.step(hidden, t);
      kernel.multiply(before, h, s.step(projected, t), nullptr, begin, end);
      for (int64_t b = begin; b < end; ++b) {
        s.stays(b, t) ? copy_row(h[b], before[b], s.units) : activate(h[b], s.units, a.activation);
      }
    }
  });
}

template <class T>
void backward(const KernelCall& k, const SimpleRnnAttrs& a) {
  const T *hidden = k.in[1].as<T>(), *dhidden = k.in[2].as<T>();
  T *dprojected = k.out[0].as<T>(), *dh0 = k.out[1].as<T>();
  const Sequence s = Sequence::of(k.in[1], k.in, 3);
  const Packed<T> turned{s.units, s.units, static_cast<T*>(k.workspace)};
  turned.pack(k.in[0].as<T>(), 1, s.units);
  for_each_slice<T>(s, s.units, s.units, [&](int64_t begin, int64_t end) {
    const Rows<T> dh{dh0, s.units};
    clear(dh[begin], (end - begin) * s.units);
    for (int64_t t = s.steps - 1; t >= 0; --t) {
      const Rows<const T> h = s.step(hidden, t), dh_of_step = s.step(dhidden, t);
      const Rows<T> dz = s.step(dprojected, t);
      for (int64_t b = begin; b < end; ++b) {
        add_row(dh[b], dh_of_step[b], s.units);
        if (s.stays(b, t)) {
          clear(dz[b], s.units);
        } else {
          step_backward(h[b], dh[b], dz[b], s.units, a.activation);
          if (s.mask) clear(dh[b], s.units);
        }
      }
      // where a state stayed, so does its gradient
      turned.multiply(dz, dh, s.mask ? Rows<const T>(dh) : Rows<const T>{}, nullptr, begin, end);
    }
  });
}

// of the recurrent kernel, input `at`
template <int at>
size_t workspace(SpecSpan in, const SimpleRnnAttrs&) {
  return packed_bytes(in[0].dtype, in[at].shape[0], in[at].shape[1]);
}

int64_t forward_results(SpecSpan in, const SimpleRnnAttrs&) { return copy_size(in[0].dtype, in[0].shape.size()); }
int64_t backward_results(SpecSpan in, const SimpleRnnAttrs&) {
  const Shape& hidden = in[1].shape;
  return copy_size(in[0].dtype, hidden.size()) + copy_size(in[0].dtype, hidden[0] * hidden[2]);
}

}  // namespace

PH_RECURRENT(simple_rnn, forward, SimpleRnnAttrs, forward_results, workspace<1>);
PH_RECURRENT(simple_rnn_grad, backward, SimpleRnnAttrs, backward_results, workspace<0>);

}  // namespace ph::PH_LEVEL
