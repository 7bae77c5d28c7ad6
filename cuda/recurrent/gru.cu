// GRU over whole sequences; cuda/recurrent/steps.h tells how. With reset_after a step is one product and one kernel.
// Without, the candidate's product waits for r: the recurrent kernel is copied once as the two matrices that are then
// multiplied by. The gates may lie over `projected`, dprojected over the gates: what a thread writes nobody else reads.
// dh0 holds the gradient that is carried from step to step.
#include "cuda/recurrent/steps.h"
#include "ops/recurrent.h"

namespace ph::cuda {

namespace {

constexpr int64_t blocks = 3;  // of a row of gates: z, r, n

// ---- without reset_after: the columns of z and r, and those of n

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
  const T *bias, *before, *product;  // product: (batch, 3 units), or without reset_after (batch, 2 units)
  Rows<T> hidden, gates, inner;
  T *reset, *state;  // densely: r h, which is multiplied next without reset_after; h

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
struct StepResetAfter : StepForward<T> {
  __device__ void operator()(const Place& at) const {
    const int64_t b = at.sample, j = at.unit, u = this->s.units;
    if (this->s.stays(b, this->t)) return this->keep(at);
    const T *x = this->projected[b] + j, *y = this->product + b * blocks * u + j, *c = this->bias + j;
    const T z = scalar::sigmoid(x[0] + (y[0] + c[0])), r = scalar::sigmoid(x[u] + (y[u] + c[u]));
    const T recurrent = y[2 * u] + c[2 * u], n = scalar::tanh(x[2 * u] + r * recurrent);
    T* to = this->gates[b] + j;
    to[0] = z, to[u] = r;
    this->inner[b][j] = recurrent;
    this->finish(at, z, n);
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
    if (a.reset_after) {
      const StepProduct<T> product(workspace, s.batch, s.units, blocks * s.units, false, precision);
      for (int64_t t = 0; t < s.steps; ++t) {
        const T* before = t ? product.a : h0;
        product.run(before, kernel);
        for_each_state(s, StepResetAfter<T>{step(t, before, product.c, nullptr, product.a)});
      }
      return;
    }
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
      StepProduct<T>(counted, batch, units, blocks * units, false, precision);
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
};

// ---- backward

template <class T>
struct StepBackward {
  Sequence s;
  int64_t t;
  Rows<const T> gates, inner, before, dhidden;
  const T* product;  // (batch, units)
  Rows<T> dprojected, drecurrent;
  T *dense, *dh;  // what is multiplied: (batch, 3 units), or without reset_after (batch, 2 units); carried

  __device__ T arriving(const Place& at) const { return dhidden[at.sample][at.unit] + product[at.flat] + dh[at.flat]; }
};

template <class T>
struct StepBackwardResetAfter : StepBackward<T> {
  __device__ void operator()(const Place& at) const {
    const int64_t b = at.sample, j = at.unit, u = this->s.units;
    const T arriving = this->arriving(at);
    const bool stays = this->s.stays(b, this->t);
    const T *from = this->gates[b] + j, z = from[0], r = from[u], n = from[2 * u];
    const T dn = stays ? T(0) : arriving * (1 - z) * (1 - n * n);
    const T dz = stays ? T(0) : arriving * (this->before[b][j] - n) * z * (1 - z);
    const T dr = dn * this->inner[b][j] * r * (1 - r);
    T *dx = this->dprojected[b] + j, *dy = this->drecurrent[b] + j, *dense = this->dense + b * blocks * u + j;
    dx[0] = dy[0] = dense[0] = dz;
    dx[u] = dy[u] = dense[u] = dr;
    dx[2 * u] = dn, dy[2 * u] = dense[2 * u] = dn * r;
    this->dh[at.flat] = stays ? arriving : arriving * z;
  }
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
    const T *kernel = k.in[0].as<T>(), *h0 = k.in[1].as<T>(), *hidden = k.in[2].as<T>(), *gates = k.in[3].as<T>();
    const T *inner = k.in[4].as<T>(), *dhidden = k.in[5].as<T>();
    T *dprojected = k.out[0].as<T>(), *dh0 = k.out[1].as<T>();
    T* drecurrent = a.reset_after ? k.out[2].as<T>() : nullptr;
    const Sequence s = Sequence::of(k.in[2], k.in, 6);
    if (k.out[1].size() == 0) return;
    const auto step = [&](int64_t t, const StepProduct<T>& product) {
      return StepBackward<T>{s,
                             t,
                             s.step(gates, t, blocks),
                             s.step(inner, t),
                             s.before(hidden, h0, t),
                             s.step(dhidden, t),
                             product.c,
                             s.step(dprojected, t, blocks),
                             drecurrent ? s.step(drecurrent, t, blocks) : Rows<T>{},
                             product.a,
                             dh0};
    };
    Workspace workspace(k.workspace);
    if (a.reset_after) {
      const StepProduct<T> product(workspace, s.batch, blocks * s.units, s.units, true, precision);
      for_each_state(s, Clear<T>{dh0});
      for_each_state(s, Clear<T>{product.c});
      for (int64_t t = s.steps - 1; t >= 0; --t) {
        for_each_state(s, StepBackwardResetAfter<T>{step(t, product)});
        product.run(product.a, kernel);
      }
      return for_each_state(s, AddTo<T>{dh0, product.c});
    }
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
      StepProduct<T>(counted, batch, blocks * units, units, true, precision);
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
};

}  // namespace

PH_KERNELS(gru, PH_STEPS(Forward, GruAttrs));
PH_KERNELS(gru_grad, PH_STEPS(Backward, GruAttrs));

}  // namespace ph::cuda
