// The simple recurrent network over whole sequences; cuda/recurrent/steps.h tells how. The states may lie over
// `projected`, dprojected over dhidden. dh0 holds the gradient that is carried from step to step.
#include "cuda/recurrent/steps.h"
#include "ops/recurrent.h"

namespace ph::cuda {

namespace {

template <class T>
struct StepForward {
  Sequence s;
  int64_t t;
  RecurrentActivation activation;
  Rows<const T> projected;
  const T *before, *product;  // (batch, units)
  Rows<T> hidden;
  T* state;  // h, densely

  __device__ void operator()(const Place& at) const {
    T h = before[at.flat];
    if (!s.stays(at.sample, t)) {
      h = projected[at.sample][at.unit] + product[at.flat];
      if (activation == RecurrentActivation::tanh) h = scalar::tanh(h);
      if (activation == RecurrentActivation::relu) h = scalar::relu(h);
    }
    hidden[at.sample][at.unit] = state[at.flat] = h;
  }
};

struct Forward {
  template <class T>
  static StepProduct<T> product(Workspace& workspace, int64_t batch, int64_t units, Precision precision) {
    return {workspace, batch, units, units, false, precision};
  }

  template <class T>
  static void run(const KernelCall& k, const SimpleRnnAttrs& a, Precision precision) {
    const T *projected = k.in[0].as<T>(), *h0 = k.in[2].as<T>();
    T* hidden = k.out[0].as<T>();
    const Sequence s = Sequence::of(k.out[0], k.in, 3);
    if (k.out[0].size() == 0) return;
    Workspace workspace(k.workspace);
    const StepProduct<T> product = Forward::product<T>(workspace, s.batch, s.units, precision);
    for (int64_t t = 0; t < s.steps; ++t) {
      const T* before = t ? product.a : h0;
      product.run(before, k.in[1].as<T>());
      for_each_state(
          s, StepForward<T>{s, t, a.activation, s.step(projected, t), before, product.c, s.step(hidden, t), product.a});
    }
  }

  template <class T>
  static size_t workspace(SpecSpan in, const SimpleRnnAttrs&, Precision precision) {
    Workspace counted;
    product<T>(counted, in[2].shape[0], in[2].shape[1], precision);
    return counted.bytes();
  }

  static size_t results(SpecSpan in, const SimpleRnnAttrs&) { return copy_bytes(in[0].dtype, in[0].shape.size()); }
};

template <class T>
struct StepBackward {
  Sequence s;
  int64_t t;
  RecurrentActivation activation;
  Rows<const T> hidden, dhidden;
  const T* product;  // (batch, units)
  Rows<T> dprojected;
  T *dz, *dh;  // dz: densely, for the product; dh: carried

  __device__ void operator()(const Place& at) const {
    const T dh_of_step = dhidden[at.sample][at.unit] + product[at.flat] + dh[at.flat], h = hidden[at.sample][at.unit];
    const bool stays = s.stays(at.sample, t);
    T slope = dh_of_step;
    if (activation == RecurrentActivation::tanh) slope = dh_of_step * (1 - h * h);
    if (activation == RecurrentActivation::relu) slope = scalar::relu_grad(dh_of_step, h);
    dprojected[at.sample][at.unit] = dz[at.flat] = stays ? T(0) : slope;
    dh[at.flat] = stays ? dh_of_step : T(0);
  }
};

struct Backward {
  template <class T>
  static StepProduct<T> product(Workspace& workspace, int64_t batch, int64_t units, Precision precision) {
    return {workspace, batch, units, units, true, precision};
  }

  template <class T>
  static void run(const KernelCall& k, const SimpleRnnAttrs& a, Precision precision) {
    const T *hidden = k.in[1].as<T>(), *dhidden = k.in[2].as<T>();
    T *dprojected = k.out[0].as<T>(), *dh0 = k.out[1].as<T>();
    const Sequence s = Sequence::of(k.in[1], k.in, 3);
    if (k.out[1].size() == 0) return;
    Workspace workspace(k.workspace);
    const StepProduct<T> product = Backward::product<T>(workspace, s.batch, s.units, precision);
    for_each_state(s, Clear<T>{dh0});
    for_each_state(s, Clear<T>{product.c});
    for (int64_t t = s.steps - 1; t >= 0; --t) {
      for_each_state(s, StepBackward<T>{s, t, a.activation, s.step(hidden, t), s.step(dhidden, t), product.c,
                                        s.step(dprojected, t), product.a, dh0});
      product.run(product.a, k.in[0].as<T>());
    }
    for_each_state(s, AddTo<T>{dh0, product.c});
  }

  template <class T>
  static size_t workspace(SpecSpan in, const SimpleRnnAttrs&, Precision precision) {
    Workspace counted;
    product<T>(counted, in[1].shape[0], in[1].shape[2], precision);
    return counted.bytes();
  }

  static size_t results(SpecSpan in, const SimpleRnnAttrs&) {
    const Shape& hidden = in[1].shape;
    return copy_bytes(in[0].dtype, hidden.size()) + copy_bytes(in[0].dtype, hidden[0] * hidden[2]);
  }
};

}  // namespace

PH_KERNELS(simple_rnn, PH_STEPS(Forward, SimpleRnnAttrs));
PH_KERNELS(simple_rnn_grad, PH_STEPS(Backward, SimpleRnnAttrs));

}  // namespace ph::cuda
