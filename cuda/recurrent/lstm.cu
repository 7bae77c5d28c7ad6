// LSTM over whole sequences, by steps (cuda/recurrent/steps.h) or all steps in one launch (cuda/recurrent/resident.h).
// The gates may lie over `projected`, dprojected over the gates: a thread reads all four blocks of its unit before it
// writes them.
#include "cuda/recurrent/resident.h"
#include "ops/recurrent.h"

namespace ph::cuda {

namespace {

constexpr int gate_blocks = 4;  // i, f, g, o

template <class T>
struct LstmState {
  T h, c;
};

template <class T>
struct Lstm {
  using Number = T;
  using State = LstmState<T>;
  static constexpr int blocks = gate_blocks, reads = blocks, writes = blocks;

  Sequence sequence;
  const T *projected, *kernel, *h0, *c0;
  T *hidden, *cells, *gates;

  static Lstm of(const KernelCall& k) {
    return {Sequence::of(k.out[0], k.in, 4),
            k.in[0].as<T>(),
            k.in[1].as<T>(),
            k.in[2].as<T>(),
            k.in[3].as<T>(),
            k.out[0].as<T>(),
            k.out[1].as<T>(),
            k.out[2].as<T>()};
  }

  template <class I, class Read>
  __device__ void each_read(I b, I t, I j, const Read& read) const {
    PH_UNROLL
    for (int n = 0; n < blocks; ++n) read(n, projected + place_of(sequence, b, t, j, blocks, n), true);
  }
  template <class I>
  __device__ State before(I b, I t, I j) const {
    return {*state_before(sequence, hidden, h0, b, t, j), *state_before(sequence, cells, c0, b, t, j)};
  }
  __device__ void step(const T (&x)[reads], bool stays, const T (&y)[blocks], State& state, T (&to)[writes]) const {
    to[0] = to[1] = to[2] = to[3] = 0;
    if (stays) return;
    const T i = to[0] = scalar::sigmoid(x[0] + y[0]), f = to[1] = scalar::sigmoid(x[1] + y[1]);
    const T g = to[2] = scalar::tanh(x[2] + y[2]), o = to[3] = scalar::sigmoid(x[3] + y[3]);
    state.c = f * state.c + i * g;
    state.h = o * scalar::tanh(state.c);
  }
  template <class I>
  __device__ void write(I b, I t, I j, const State& state, const T (&to)[writes]) const {
    hidden[place_of(sequence, b, t, j)] = state.h;
    cells[place_of(sequence, b, t, j)] = state.c;
    PH_UNROLL
    for (int n = 0; n < blocks; ++n) gates[place_of(sequence, b, t, j, blocks, n)] = to[n];
  }
};

struct Forward {
  template <class T>
  static void run(const KernelCall& k, const NoAttrs&, Precision precision) {
    steps_forward(Lstm<T>::of(k), k.workspace, precision);
  }
  template <class T>
  static size_t workspace(SpecSpan in, const NoAttrs&, Precision precision) {
    Workspace counted;
    forward_product<Lstm<T>>(counted, in[2].shape[0], in[2].shape[1], precision);
    return counted.bytes();
  }
  static size_t results(SpecSpan in, const NoAttrs&) {
    const int64_t gates = in[0].shape.size();
    return copy_bytes(in[0].dtype, gates) + 2 * copy_bytes(in[0].dtype, gates / gate_blocks);
  }

  static void run_resident(const KernelCall& k, const NoAttrs&) {
    launch_resident<ResidentForward>(Lstm<float>::of(k));
  }
  static const char* resident_refuses(const NoAttrs&) { return nullptr; }
  static Shape states(SpecSpan in) { return {in[0].shape[0], in[0].shape[1], in[2].shape[1]}; }
};

template <class T>
struct LstmGrad {
  using Number = T;
  using State = LstmState<T>;  // of gradients
  static constexpr int blocks = gate_blocks, reads = blocks + 4, writes = blocks;

  Sequence sequence;
  const T *kernel, *c0, *cells, *gates, *dhidden, *dcells;  // dcells: nullptr where there is nothing
  T *dprojected, *dh0, *dc0;

  static LstmGrad of(const KernelCall& k) {
    return {Sequence::of(k.in[2], k.in, 5),
            k.in[0].as<T>(),
            k.in[1].as<T>(),
            k.in[2].as<T>(),
            k.in[3].as<T>(),
            k.in[4].as<T>(),
            k.in.size() > 6 ? k.in[6].as<T>() : nullptr,
            k.out[0].as<T>(),
            k.out[1].as<T>(),
            k.out[2].as<T>()};
  }

  template <class I, class Read>
  __device__ void each_read(I b, I t, I j, const Read& read) const {
    PH_UNROLL
    for (int n = 0; n < blocks; ++n) read(n, gates + place_of(sequence, b, t, j, blocks, n), true);
    const I at = place_of(sequence, b, t, j);
    read(blocks, state_before(sequence, cells, c0, b, t, j), true);
    read(blocks + 1, cells + at, true);
    read(blocks + 2, dhidden + at, true);
    read(blocks + 3, dcells ? dcells + at : cells, dcells);
  }
  template <class I>
  __device__ State carried(I b, I j) const {
    const I at = b * static_cast<I>(sequence.units) + j;
    return {dh0[at], dc0[at]};
  }
  template <class I>
  __device__ void carry(I b, I j, const State& state) const {
    const I at = b * static_cast<I>(sequence.units) + j;
    dh0[at] = state.h, dc0[at] = state.c;
  }
  __device__ void step(const T (&x)[reads], bool stays, T product, State& state, T (&to)[writes]) const {
    const T i = x[0], f = x[1], g = x[2], o = x[3], c_before = x[blocks], squashed = scalar::tanh(x[blocks + 1]);
    const T dh = x[blocks + 2] + product + state.h, dc = state.c + x[blocks + 3];
    const T slope = dc + dh * o * (1 - squashed * squashed);
    to[0] = stays ? T(0) : slope * g * i * (1 - i);
    to[1] = stays ? T(0) : slope * c_before * f * (1 - f);
    to[2] = stays ? T(0) : slope * i * (1 - g * g);
    to[3] = stays ? T(0) : dh * squashed * o * (1 - o);
    state.h = stays ? dh : T(0), state.c = stays ? dc : slope * f;
  }
  template <class I>
  __device__ void write(I b, I t, I j, const T (&to)[writes]) const {
    PH_UNROLL
    for (int n = 0; n < blocks; ++n) dprojected[place_of(sequence, b, t, j, blocks, n)] = to[n];
  }
};

struct Backward {
  template <class T>
  static void run(const KernelCall& k, const NoAttrs&, Precision precision) {
    steps_backward(LstmGrad<T>::of(k), k.workspace, precision);
  }
  template <class T>
  static size_t workspace(SpecSpan in, const NoAttrs&, Precision precision) {
    Workspace counted;
    backward_product<LstmGrad<T>>(counted, in[1].shape[0], in[1].shape[1], precision);
    return counted.bytes();
  }
  static size_t results(SpecSpan in, const NoAttrs&) {
    return copy_bytes(in[3].dtype, in[3].shape.size()) + 2 * copy_bytes(in[1].dtype, in[1].shape.size());
  }

  static void run_resident(const KernelCall& k, const NoAttrs&) {
    launch_resident<ResidentBackward>(LstmGrad<float>::of(k));
  }
  static const char* resident_refuses(const NoAttrs&) { return nullptr; }
  static Shape states(SpecSpan in) { return in[2].shape; }
};

}  // namespace

PH_KERNELS(lstm, PH_RESIDENT(Forward, NoAttrs), PH_STEPS(Forward, NoAttrs));
PH_KERNELS(lstm_grad, PH_RESIDENT(Backward, NoAttrs), PH_STEPS(Backward, NoAttrs));

}  // namespace ph::cuda
