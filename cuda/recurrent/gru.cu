// GRU over whole sequences. With reset_after a step is one product and what follows it, by steps
// (cuda/recurrent/steps.h) or all steps in one launch (cuda/recurrent/resident.h). Without, the candidate's product
// waits for r: the recurrent kernel is copied once as the two matrices that are then multiplied by. The gates may lie
// over `projected`, dprojected over the gates: what a thread writes nobody else reads. dh0 holds the gradient that is
// carried from step to step.
#include "cuda/recurrent/resident.h"
#include "ops/recurrent.h"

namespace ph::cuda {

namespace {

constexpr int blocks = 3;  // of a row of gates: z, r, n

// ---- with reset_after

template <class T>
struct GruState {
  T h;
};

template <class T>
struct Gru {
  using Number = T;
  using State = GruState<T>;
  static constexpr int blocks = cuda::blocks, reads = 2 * blocks, writes = blocks + 1;

  Sequence sequence;
  const T *projected, *kernel, *bias, *h0;
  T *hidden, *gates, *inner;

  static Gru of(const KernelCall& k) {
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
    for (int n = 0; n < blocks; ++n) {
      read(n, projected + place_of(sequence, b, t, j, blocks, n), true);
      read(blocks + n, bias + (n * static_cast<I>(sequence.units) + j), true);
    }
  }
  template <class I>
  __device__ State before(I b, I t, I j) const {
    return {*state_before(sequence, hidden, h0, b, t, j)};
  }
  __device__ void step(const T (&x)[reads], bool stays, const T (&y)[blocks], State& state, T (&to)[writes]) const {
    to[0] = to[1] = to[2] = to[3] = 0;
    if (stays) return;
    const T* c = x + blocks;
    const T z = to[0] = scalar::sigmoid(x[0] + (y[0] + c[0])), r = to[1] = scalar::sigmoid(x[1] + (y[1] + c[1]));
    const T recurrent = to[3] = y[2] + c[2], n = to[2] = scalar::tanh(x[2] + r * recurrent);
    state.h = z * state.h + (1 - z) * n;
  }
  template <class I>
  __device__ void write(I b, I t, I j, const State& state, const T (&to)[writes]) const {
    hidden[place_of(sequence, b, t, j)] = state.h;
    inner[place_of(sequence, b, t, j)] = to[3];
    PH_UNROLL
    for (int n = 0; n < blocks; ++n) gates[place_of(sequence, b, t, j, blocks, n)] = to[n];
  }
};

template <class T>
struct GruGrad {
  using Number = T;
  using State = GruState<T>;  // of gradients
  static constexpr int blocks = cuda::blocks, reads = blocks + 3, writes = blocks + 1;

  Sequence sequence;
  const T *kernel, *h0, *hidden, *gates, *inner, *dhidden;
  T *dprojected, *dh0, *drecurrent;

  static GruGrad of(const KernelCall& k) {
    return {Sequence::of(k.in[2], k.in, 6),
            k.in[0].as<T>(),
            k.in[1].as<T>(),
            k.in[2].as<T>(),
            k.in[3].as<T>(),
            k.in[4].as<T>(),
            k.in[5].as<T>(),
            k.out[0].as<T>(),
            k.out[1].as<T>(),
            k.out[2].as<T>()};
  }

  template <class I, class Read>
  __device__ void each_read(I b, I t, I j, const Read& read) const {
    PH_UNROLL
    for (int n = 0; n < blocks; ++n) read(n, gates + place_of(sequence, b, t, j, blocks, n), true);
    read(blocks, inner + place_of(sequence, b, t, j), true);
    read(blocks + 1, state_before(sequence, hidden, h0, b, t, j), true);
    read(blocks + 2, dhidden + place_of(sequence, b, t, j), true);
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
    const T z = x[0], r = x[1], n = x[2], recurrent = x[blocks], before = x[blocks + 1];
    const T arriving = x[blocks + 2] + product + state.h;
    const T dn = stays ? T(0) : arriving * (1 - z) * (1 - n * n);
    to[0] = stays ? T(0) : arriving * (before - n) * z * (1 - z);
    to[1] = dn * recurrent * r * (1 - r);
    to[2] = dn * r;
    to[3] = dn;
    state.h = stays ? arriving : arriving * z;
  }
  template <class I>
  __device__ void write(I b, I t, I j, const T (&to)[writes]) const {
    PH_UNROLL
    for (int n = 0; n < blocks; ++n) {
      dprojected[place_of(sequence, b, t, j, blocks, n)] = n < 2 ? to[n] : to[3];
      drecurrent[place_of(sequence, b, t, j, blocks, n)] = to[n];
    }
  }
};

// ---- without: the columns of z and r, and those of n

template <class T>
struct Parts {
  T *for_gates, *for_candidate;  // (units, 2 units), (units, units)

  Parts(Workspace& workspace, int64_t units)
      : for_gates(workspace.take<T>(2 * units * units)), for_candidate(workspace.take<T>(units * units)) {}
};

template <class T>
struct CopyParts {
  const T* kernel;
  int64_t units;
  Parts<T> to;

  // at: a row and a column of the kernel
  __device__ void operator()(const Place& at) const {
    const bool of_gates = at.unit < 2 * units;
    T* part = of_gates ? to.for_gates + at.sample * 2 * units : to.for_candidate + at.sample * units - 2 * units;
    part[at.unit] = kernel[at.flat];
  }
};

template <class T>
void copy_parts(const T* kernel, int64_t units, const Parts<T>& to) {
  for_each_state({units, 1, blocks * units, nullptr}, CopyParts<T>{kernel, units, to});
}

// ---- forward

template <class T>
struct StepForward {
  Sequence s;
  int64_t t;
  Rows<const T> projected;
  const T *bias, *before, *product;  // product: (batch, 2 units)
  Rows<T> hidden, gates, inner;
  T *reset, *state;  // densely: r h, which is multiplied next; h

  // A step that changes nothing.
  __device__ void keep(const Place& at) const {
    T* to = gates[at.sample] + at.unit;
    to[0] = to[s.units] = to[2 * s.units] = 0;
    inner[at.sample][at.unit] = 0;
    hidden[at.sample][at.unit] = state[at.flat] = before[at.flat];
  }
  __device__ void finish(const Place& at, T z, T n) const {
    gates[at.sample][2 * s.units + at.unit] = n;
    hidden[at.sample][at.unit] = state[at.flat] = z * before[at.flat] + (1 - z) * n;
  }
};

template <class T>
struct StepGates : StepForward<T> {
  __device__ void operator()(const Place& at) const {
    const int64_t b = at.sample, j = at.unit, u = this->s.units;
    const T *x = this->projected[b] + j, *y = this->product + b * 2 * u + j, *c = this->bias + j;
    const T r = scalar::sigmoid(x[u] + (y[u] + c[u]));
    T* to = this->gates[b] + j;
    to[0] = scalar::sigmoid(x[0] + (y[0] + c[0])), to[u] = r;
    this->inner[b][j] = this->reset[at.flat] = r * this->before[at.flat];
  }
};

template <class T>
struct StepCandidate : StepForward<T> {
  const T* of_reset;  // (batch, units): r h times its part of the kernel

  __device__ void operator()(const Place& at) const {
    const int64_t b = at.sample, j = at.unit, u = this->s.units;
    if (this->s.stays(b, this->t)) return this->keep(at);
    const T n = scalar::tanh(this->projected[b][2 * u + j] + (of_reset[at.flat] + this->bias[2 * u + j]));
    this->finish(at, this->gates[b][j], n);
  }
};

struct Forward {
  template <class T>
  static void run(const KernelCall& k, const GruAttrs& a, Precision precision) {
    if (a.reset_after) return steps_forward(Gru<T>::of(k), k.workspace, precision);
    const T *projected = k.in[0].as<T>(), *kernel = k.in[1].as<T>(), *bias = k.in[2].as<T>(), *h0 = k.in[3].as<T>();
    T *hidden = k.out[0].as<T>(), *gates = k.out[1].as<T>(), *inner = k.out[2].as<T>();
    const Sequence s = Sequence::of(k.out[0], k.in, 4);
    if (k.out[0].size() == 0) return;
    const auto step = [&](int64_t t, const T* before, const T* product, T* reset, T* state) {
      return StepForward<T>{s,
                            t,
                            s.step(projected, t, blocks),
                            bias,
                            before,
                            product,
                            s.step(hidden, t),
                            s.step(gates, t, blocks),
                            s.step(inner, t),
                            reset,
                            state};
    };
    Workspace workspace(k.workspace);
    const Parts<T> parts(workspace, s.units);
    const StepProduct<T> for_gates(workspace, s.batch, s.units, 2 * s.units, false, precision);
    const StepProduct<T> for_candidate(workspace, s.batch, s.units, s.units, false, precision);
    copy_parts(kernel, s.units, parts);
    for (int64_t t = 0; t < s.steps; ++t) {
      const T* before = t ? for_gates.a : h0;
      const StepForward<T> one = step(t, before, for_gates.c, for_candidate.a, for_gates.a);
      for_gates.run(before, parts.for_gates);
      for_each_state(s, StepGates<T>{one});
      for_candidate.run(for_candidate.a, parts.for_candidate);
      for_each_state(s, StepCandidate<T>{one, for_candidate.c});
    }
  }

  template <class T>
  static size_t workspace(SpecSpan in, const GruAttrs& a, Precision precision) {
    const int64_t batch = in[3].shape[0], units = in[3].shape[1];
    Workspace counted;
    if (a.reset_after) {
      forward_product<Gru<T>>(counted, batch, units, precision);
    } else {
      Parts<T>(counted, units);
      StepProduct<T>(counted, batch, units, 2 * units, false, precision);
      StepProduct<T>(counted, batch, units, units, false, precision);
    }
    return counted.bytes();
  }

  static size_t results(SpecSpan in, const GruAttrs&) {
    const int64_t gates = in[0].shape.size();
    return copy_bytes(in[0].dtype, gates) + 2 * copy_bytes(in[0].dtype, gates / blocks);
  }

  static void run_resident(const KernelCall& k, const GruAttrs&) {
    launch_resident<ResidentForward>(Gru<float>::of(k));
  }
  static const char* resident_refuses(const GruAttrs& a) {
    return a.reset_after ? nullptr : "two products a step, one after the other";
  }
  static Shape states(SpecSpan in) { return {in[0].shape[0], in[0].shape[1], in[3].shape[1]}; }
};

// ---- backward

template <class T>
struct StepBackward {
  Sequence s;
  int64_t t;
  Rows<const T> gates, before, dhidden;
  const T* product;  // (batch, units)
  Rows<T> dprojected;
  T *dense, *dh;  // what is multiplied: (batch, 2 units); carried

  __device__ T arriving(const Place& at) const { return dhidden[at.sample][at.unit] + product[at.flat] + dh[at.flat]; }
};

template <class T>
struct StepBackwardCandidate : StepBackward<T> {
  T* candidate;  // dn, densely, for the product

  __device__ void operator()(const Place& at) const {
    const int64_t b = at.sample, j = at.unit, u = this->s.units;
    const T arriving = this->arriving(at);
    const bool stays = this->s.stays(b, this->t);
    const T *from = this->gates[b] + j, z = from[0], n = from[2 * u];
    T* dx = this->dprojected[b] + j;
    dx[2 * u] = candidate[at.flat] = stays ? T(0) : arriving * (1 - z) * (1 - n * n);
    dx[0] = this->dense[b * 2 * u + j] = stays ? T(0) : arriving * (this->before[b][j] - n) * z * (1 - z);
    this->dh[at.flat] = stays ? arriving : arriving * z;
  }
};

template <class T>
struct StepBackwardReset : StepBackward<T> {
  const T* dinner;  // (batch, units): of r h

  __device__ void operator()(const Place& at) const {
    const int64_t b = at.sample, j = at.unit, u = this->s.units;
    const bool stays = this->s.stays(b, this->t);
    const T r = this->gates[b][u + j], slope = stays ? T(0) : dinner[at.flat];
    this->dprojected[b][u + j] = this->dense[b * 2 * u + u + j] = slope * this->before[b][j] * r * (1 - r);
    this->dh[at.flat] += slope * r;
  }
};

struct Backward {
  template <class T>
  static void run(const KernelCall& k, const GruAttrs& a, Precision precision) {
    if (a.reset_after) return steps_backward(GruGrad<T>::of(k), k.workspace, precision);
    const T *kernel = k.in[0].as<T>(), *h0 = k.in[1].as<T>(), *hidden = k.in[2].as<T>(), *gates = k.in[3].as<T>();
    const T* dhidden = k.in[5].as<T>();
    T *dprojected = k.out[0].as<T>(), *dh0 = k.out[1].as<T>();
    const Sequence s = Sequence::of(k.in[2], k.in, 6);
    if (k.out[1].size() == 0) return;
    const auto step = [&](int64_t t, const StepProduct<T>& product) {
      return StepBackward<T>{s,
                             t,
                             s.step(gates, t, blocks),
                             s.before(hidden, h0, t),
                             s.step(dhidden, t),
                             product.c,
                             s.step(dprojected, t, blocks),
                             product.a,
                             dh0};
    };
    Workspace workspace(k.workspace);
    const Parts<T> parts(workspace, s.units);
    const StepProduct<T> for_gates(workspace, s.batch, 2 * s.units, s.units, true, precision);
    const StepProduct<T> for_candidate(workspace, s.batch, s.units, s.units, true, precision);
    copy_parts(kernel, s.units, parts);
    for_each_state(s, Clear<T>{dh0});
    for_each_state(s, Clear<T>{for_gates.c});
    for (int64_t t = s.steps - 1; t >= 0; --t) {
      const StepBackward<T> one = step(t, for_gates);
      for_each_state(s, StepBackwardCandidate<T>{one, for_candidate.a});
      for_candidate.run(for_candidate.a, parts.for_candidate);
      for_each_state(s, StepBackwardReset<T>{one, for_candidate.c});
      for_gates.run(for_gates.a, parts.for_gates);
    }
    for_each_state(s, AddTo<T>{dh0, for_gates.c});
  }

  template <class T>
  static size_t workspace(SpecSpan in, const GruAttrs& a, Precision precision) {
    const int64_t batch = in[1].shape[0], units = in[1].shape[1];
    Workspace counted;
    if (a.reset_after) {
      backward_product<GruGrad<T>>(counted, batch, units, precision);
    } else {
      Parts<T>(counted, units);
      StepProduct<T>(counted, batch, 2 * units, units, true, precision);
      StepProduct<T>(counted, batch, units, units, true, precision);
    }
    return counted.bytes();
  }

  static size_t results(SpecSpan in, const GruAttrs& a) {
    const size_t gates = copy_bytes(in[3].dtype, in[3].shape.size());
    return gates + copy_bytes(in[1].dtype, in[1].shape.size()) + (a.reset_after ? gates : 0);
  }

  static void run_resident(const KernelCall& k, const GruAttrs&) {
    launch_resident<ResidentBackward>(GruGrad<float>::of(k));
  }
  static const char* resident_refuses(const GruAttrs& a) {
    return a.reset_after ? nullptr : "two products a step, one after the other";
  }
  static Shape states(SpecSpan in) { return in[2].shape; }
};

}  // namespace

PH_KERNELS(gru, PH_RESIDENT(Forward, GruAttrs), PH_STEPS(Forward, GruAttrs));
PH_KERNELS(gru_grad, PH_RESIDENT(Backward, GruAttrs), PH_STEPS(Backward, GruAttrs));

}  // namespace ph::cuda
