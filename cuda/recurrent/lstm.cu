// LSTM over whole sequences; cuda/recurrent/steps.h tells how. The gates may lie over `projected`, dprojected over the
// gates: a thread reads all four blocks of its unit before it writes them. dh0 and dc0 hold the gradients that are
// carried from step to step.
#include "cuda/recurrent/steps.h"
#include "ops/recurrent.h"

namespace ph::cuda {

namespace {

constexpr int64_t blocks = 4;  // of a row of gates: i, f, g, o

template <class T>
struct StepForward {
  Sequence s;
  int64_t t;
  Rows<const T> projected, c_before;
  const T *h_before, *product;  // (batch, units), (batch, 4 units)
  Rows<T> hidden, cells, gates;
  T* state;  // h, densely

  __device__ void operator()(const Place& at) const {
    const int64_t b = at.sample, j = at.unit, u = s.units;
    T *h = hidden[b] + j, *c = cells[b] + j, *to = gates[b] + j;
    if (s.stays(b, t)) {
      *c = c_before[b][j];
      *h = state[at.flat] = h_before[at.flat];
      for (int64_t block = 0; block < blocks; ++block) to[block * u] = 0;
      return;
    }
    const T *x = projected[b] + j, *y = product + b * blocks * u + j;
    const T i = scalar::sigmoid(x[0] + y[0]), f = scalar::sigmoid(x[u] + y[u]);
    const T g = scalar::tanh(x[2 * u] + y[2 * u]), o = scalar::sigmoid(x[3 * u] + y[3 * u]);
    const T cell = f * c_before[b][j] + i * g;
    *c = cell;
    *h = state[at.flat] = o * scalar::tanh(cell);
    to[0] = i, to[u] = f, to[2 * u] = g, to[3 * u] = o;
  }
};

struct Forward {
  template <class T>
  static StepProduct<T> product(Workspace& workspace, int64_t batch, int64_t units, Precision precision) {
    return {workspace, batch, units, blocks * units, false, precision};
  }

  template <class T>
  static void run(const KernelCall& k, const NoAttrs&, Precision precision) {
    const T *projected = k.in[0].as<T>(), *h0 = k.in[2].as<T>(), *c0 = k.in[3].as<T>();
    T *hidden = k.out[0].as<T>(), *cells = k.out[1].as<T>(), *gates = k.out[2].as<T>();
    const Sequence s = Sequence::of(k.out[0], k.in, 4);
    if (k.out[0].size() == 0) return;
    Workspace workspace(k.workspace);
    const StepProduct<T> product = Forward::product<T>(workspace, s.batch, s.units, precision);
    for (int64_t t = 0; t < s.steps; ++t) {
      const T* before = t ? product.a : h0;
      product.run(before, k.in[1].as<T>());
      for_each_state(s, StepForward<T>{s, t, s.step(projected, t, blocks), s.before<T>(cells, c0, t), before, product.c,
                                       s.step(hidden, t), s.step(cells, t), s.step(gates, t, blocks), product.a});
    }
  }

  template <class T>
  static size_t workspace(SpecSpan in, const NoAttrs&, Precision precision) {
    Workspace counted;
    product<T>(counted, in[2].shape[0], in[2].shape[1], precision);
    return counted.bytes();
  }

  static size_t results(SpecSpan in, const NoAttrs&) {
    const int64_t gates = in[0].shape.size();
    return copy_bytes(in[0].dtype, gates) + 2 * copy_bytes(in[0].dtype, gates / blocks);
  }
};

template <class T>
struct StepBackward {
  Sequence s;
  int64_t t;
  Rows<const T> gates, c_before, cells, dhidden, dcells;  // dcells: none where there is nothing
  const T* product;                                       // (batch, units)
  Rows<T> dprojected;
  T *dz, *dh, *dc;  // dz: (batch, 4 units) for the product; dh, dc: carried

  __device__ void operator()(const Place& at) const {
    const int64_t b = at.sample, j = at.unit, u = s.units;
    T *to = dprojected[b] + j, *dense = dz + b * blocks * u + j;
    const T dh_of_step = dhidden[b][j] + product[at.flat] + dh[at.flat];
    const T dc_of_step = dcells.data ? dc[at.flat] + dcells[b][j] : dc[at.flat];
    if (s.stays(b, t)) {
      dh[at.flat] = dh_of_step, dc[at.flat] = dc_of_step;
      for (int64_t block = 0; block < blocks; ++block) to[block * u] = dense[block * u] = 0;
      return;
    }
    const T* from = gates[b] + j;
    const T i = from[0], f = from[u], g = from[2 * u], o = from[3 * u], squashed = scalar::tanh(cells[b][j]);
    const T slope = dc_of_step + dh_of_step * o * (1 - squashed * squashed);
    to[0] = dense[0] = slope * g * i * (1 - i);
    to[u] = dense[u] = slope * c_before[b][j] * f * (1 - f);
    to[2 * u] = dense[2 * u] = slope * i * (1 - g * g);
    to[3 * u] = dense[3 * u] = dh_of_step * squashed * o * (1 - o);
    dh[at.flat] = 0, dc[at.flat] = slope * f;
  }
};

struct Backward {
  template <class T>
  static StepProduct<T> product(Workspace& workspace, int64_t batch, int64_t units, Precision precision) {
    return {workspace, batch, blocks * units, units, true, precision};
  }

  template <class T>
  static void run(const KernelCall& k, const NoAttrs&, Precision precision) {
    const T *c0 = k.in[1].as<T>(), *cells = k.in[2].as<T>(), *gates = k.in[3].as<T>(), *dhidden = k.in[4].as<T>();
    const T* dcells = k.in.size() > 6 ? k.in[6].as<T>() : nullptr;
    T *dprojected = k.out[0].as<T>(), *dh0 = k.out[1].as<T>(), *dc0 = k.out[2].as<T>();
    const Sequence s = Sequence::of(k.in[2], k.in, 5);
    if (k.out[1].size() == 0) return;
    Workspace workspace(k.workspace);
    const StepProduct<T> product = Backward::product<T>(workspace, s.batch, s.units, precision);
    for_each_state(s, Clear<T>{dh0});
    for_each_state(s, Clear<T>{dc0});
    for_each_state(s, Clear<T>{product.c});
    for (int64_t t = s.steps - 1; t >= 0; --t) {
      for_each_state(s, StepBackward<T>{s, t, s.step(gates, t, blocks), s.before(cells, c0, t), s.step(cells, t),
                                        s.step(dhidden, t), dcells ? s.step(dcells, t) : Rows<const T>{}, product.c,
                                        s.step(dprojected, t, blocks), product.a, dh0, dc0});
      product.run(product.a, k.in[0].as<T>());
    }
    for_each_state(s, AddTo<T>{dh0, product.c});
  }

  template <class T>
  static size_t workspace(SpecSpan in, const NoAttrs&, Precision precision) {
    Workspace counted;
    product<T>(counted, in[1].shape[0], in[1].shape[1], precision);
    return counted.bytes();
  }

  static size_t results(SpecSpan in, const NoAttrs&) {
    return copy_bytes(in[3].dtype, in[3].shape.size()) + 2 * copy_bytes(in[1].dtype, in[1].shape.size());
  }
};

}  // namespace

PH_STEPS(lstm, Forward, NoAttrs);
PH_STEPS(lstm_grad, Backward, NoAttrs);

}  // namespace ph::cuda
