// The simple recurrent network over whole sequences, by steps (cuda/recurrent/steps.h) or all steps in one launch
// (cuda/recurrent/resident.h). The states may lie over `projected`, dprojected over dhidden.
#include "cuda/recurrent/resident.h"
#include "ops/recurrent.h"

namespace ph::cuda {

namespace {

template <class T>
struct RnnState {
  T h;
};

template <class T>
struct SimpleRnn {
  using Number = T;
  using State = RnnState<T>;
  static constexpr int blocks = 1, reads = 1, writes = 1;

  Sequence sequence;
  const T *projected, *kernel, *h0;
  T* hidden;
  RecurrentActivation activation;

  static SimpleRnn of(const KernelCall& k, const SimpleRnnAttrs& a) {
    return {Sequence::of(k.out[0], k.in, 3),
            k.in[0].as<T>(),
            k.in[1].as<T>(),
            k.in[2].as<T>(),
            k.out[0].as<T>(),
            a.activation};
  }

  template <class I, class Read>
  __device__ void each_read(I b, I t, I j, const Read& read) const {
    read(0, projected + place_of(sequence, b, t, j), true);
  }
  template <class I>
  __device__ State before(I b, I t, I j) const {
    return {*state_before(sequence, hidden, h0, b, t, j)};
  }
  __device__ void step(const T (&x)[reads], bool stays, const T (&y)[blocks], State& state, T (&to)[writes]) const {
    if (!stays) {
      state.h = x[0] + y[0];
      if (activation == RecurrentActivation::tanh) state.h = scalar::tanh(state.h);
      if (activation == RecurrentActivation::relu) state.h = scalar::relu(state.h);
    }
    to[0] = state.h;
  }
  template <class I>
  __device__ void write(I b, I t, I j, const State&, const T (&to)[writes]) const {
    hidden[place_of(sequence, b, t, j)] = to[0];
  }
};

struct Forward {
  template <class T>
  static void run(const KernelCall& k, const SimpleRnnAttrs& a, Precision precision) {
    steps_forward(SimpleRnn<T>::of(k, a), k.workspace, precision);
  }
  template <class T>
  static size_t workspace(SpecSpan in, const SimpleRnnAttrs&, Precision precision) {
    Workspace counted;
    forward_product<SimpleRnn<T>>(counted, in[2].shape[0], in[2].shape[1], precision);
    return counted.bytes();
  }
  static size_t results(SpecSpan in, const SimpleRnnAttrs&) { return copy_bytes(in[0].dtype, in[0].shape.size()); }

  static void run_resident(const KernelCall& k, const SimpleRnnAttrs& a) {
    launch_resident<ResidentForward>(SimpleRnn<float>::of(k, a));
  }
  static const char* resident_refuses(const SimpleRnnAttrs&) { return nullptr; }
  static Shape states(SpecSpan in) { return in[0].shape; }
};

template <class T>
struct SimpleRnnGrad {
  using Number = T;
  using State = RnnState<T>;  // of gradients
  static constexpr int blocks = 1, reads = 2, writes = 1;

  Sequence sequence;
  const T *kernel, *hidden, *dhidden;
  T *dprojected, *dh0;
  RecurrentActivation activation;

  static SimpleRnnGrad of(const KernelCall& k, const SimpleRnnAttrs& a) {
    return {Sequence::of(k.in[1], k.in, 3),
            k.in[0].as<T>(),
            k.in[1].as<T>(),
            k.in[2].as<T>(),
            k.out[0].as<T>(),
            k.out[1].as<T>(),
            a.activation};
  }

  template <class I, class Read>
  __device__ void each_read(I b, I t, I j, const Read& read) const {
    read(0, hidden + place_of(sequence, b, t, j), true);
    read(1, dhidden + place_of(sequence, b, t, j), true);
  }
  template <class I>
  __device__ State carried(I b, I j) const {
    return {dh0[b * static_cast<I>(sequence.units) + j]};
  }
  template <class I>
  __device__ void carry(I b, I j, const State& state) const {
    dh0[b * static_cast<I>(sequence.units) + j] = state.h;
  }
  __device__ void step(const T (&x)[reads], bool stays, T product, State& state, T (&to)[writes]) const {
    const T h = x[0], arriving = x[1] + product + state.h;
    T slope = arriving;
    if (activation == RecurrentActivation::tanh) slope = arriving * (1 - h * h);
    if (activation == RecurrentActivation::relu) slope = scalar::relu_grad(arriving, h);
    to[0] = stays ? T(0) : slope;
    state.h = stays ? arriving : T(0);
  }
  template <class I>
  __device__ void write(I b, I t, I j, const T (&to)[writes]) const {
    dprojected[place_of(sequence, b, t, j)] = to[0];
  }
};

struct Backward {
  template <class T>
  static void run(const KernelCall& k, const SimpleRnnAttrs& a, Precision precision) {
    steps_backward(SimpleRnnGrad<T>::of(k, a), k.workspace, precision);
  }
  template <class T>
  static size_t workspace(SpecSpan in, const SimpleRnnAttrs&, Precision precision) {
    Workspace counted;
    backward_product<SimpleRnnGrad<T>>(counted, in[1].shape[0], in[1].shape[2], precision);
    return counted.bytes();
  }
  static size_t results(SpecSpan in, const SimpleRnnAttrs&) {
    const Shape& hidden = in[1].shape;
    return copy_bytes(in[0].dtype, hidden.size()) + copy_bytes(in[0].dtype, hidden[0] * hidden[2]);
  }

  static void run_resident(const KernelCall& k, const SimpleRnnAttrs& a) {
    launch_resident<ResidentBackward>(SimpleRnnGrad<float>::of(k, a));
  }
  static const char* resident_refuses(const SimpleRnnAttrs&) { return nullptr; }
  static Shape states(SpecSpan in) { return in[1].shape; }
};

}  // namespace

PH_KERNELS(simple_rnn, PH_RESIDENT(Forward, SimpleRnnAttrs), PH_STEPS(Forward, SimpleRnnAttrs));
PH_KERNELS(simple_rnn_grad, PH_RESIDENT(Backward, SimpleRnnAttrs), PH_STEPS(Backward, SimpleRnnAttrs));

}  // namespace ph::cuda
