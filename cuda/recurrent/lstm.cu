// LSTM over whole sequences; cuda/recurrent/steps.h tells how. The gates may lie over `projected`, dprojected over the
// gates: a thread reads all four blocks of its unit before it writes them. dh0 and dc0 hold the gradients that are
// carried from step to step.
#include "cuda/recurrent/resident.h"
#include "cuda/recurrent/steps.h"
#include "ops/recurrent.h"

namespace ph::cuda {

namespace {

constexpr int64_t blocks = 4;  // of a row of gates: i, f, g, o

template <class T>
struct State {
  T h, c;
};

// Forward, one step of one unit of a sample; product: of h and the kernel.
template <class T>
struct UnitForward {
  static constexpr int reads = blocks;

  Sequence sequence;
  const T *projected, *h0, *c0;
  T *hidden, *cells, *gates;

  static UnitForward of(const KernelCall& k) {
    return {Sequence::of(k.out[0], k.in, 4),
            k.in[0].as<T>(),
            k.in[2].as<T>(),
            k.in[3].as<T>(),
            k.out[0].as<T>(),
            k.out[1].as<T>(),
            k.out[2].as<T>()};
  }

  template <class I>
  __device__ State<T> begin(I b, I j) const {
    const I at = b * static_cast<I>(sequence.units) + j;
    return {h0[at], c0[at]};
  }
  // read(n, address, is_there): what a step reads that does not hang on the step before it.
  template <class I, class Read>
  __device__ void each_read(I b, I t, I j, const Read& read) const {
    PH_UNROLL
    for (int n = 0; n < blocks; ++n) read(n, projected + place_of(sequence, b, t, j, blocks, n), true);
  }
  __device__ void step(const T (&x)[reads], bool stays, const T (&y)[blocks], State<T>& state, T (&to)[blocks]) const {
    to[0] = to[1] = to[2] = to[3] = 0;
    if (stays) return;
    const T i = to[0] = scalar::sigmoid(x[0] + y[0]), f = to[1] = scalar::sigmoid(x[1] + y[1]);
    const T g = to[2] = scalar::tanh(x[2] + y[2]), o = to[3] = scalar::sigmoid(x[3] + y[3]);
    state.c = f * state.c + i * g;
    state.h = o * scalar::tanh(state.c);
  }
  template <class I>
  __device__ void write(I b, I t, I j, const State<T>& state, const T (&of_step)[blocks]) const {
    hidden[place_of(sequence, b, t, j)] = state.h;
    cells[place_of(sequence, b, t, j)] = state.c;
    PH_UNROLL
    for (int block = 0; block < blocks; ++block) gates[place_of(sequence, b, t, j, blocks, block)] = of_step[block];
  }
};

template <class T>
struct StepForward {
  UnitForward<T> unit;
  int64_t t;
  const T *h_before, *product;  // (batch, units), (batch, 4 units)
  T* dense;                     // h, for the next product

  __device__ void operator()(const Place& at) const {
    const Sequence& s = unit.sequence;
    const int64_t b = at.sample, j = at.unit, u = s.units;
    State<T> state{h_before[at.flat], s.before<T>(unit.cells, unit.c0, t)[b][j]};
    T x[UnitForward<T>::reads], gates[blocks];
    unit.each_read(b, t, j, [&](int n, const T* from, bool) { x[n] = *from; });
    const T* y = product + b * blocks * u + j;
    unit.step(x, s.stays(b, t), {y[0], y[u], y[2 * u], y[3 * u]}, state, gates);
    unit.write(b, t, j, state, gates);
    dense[at.flat] = state.h;
  }
};

struct ResidentLstm : UnitForward<float> {
  using State = ph::cuda::State<float>;
  static constexpr int blocks = 4;
  const float* kernel;
};

struct Forward {
  template <class T>
  static StepProduct<T> product(Workspace& workspace, int64_t batch, int64_t units, Precision precision) {
    return {workspace, batch, units, blocks * units, false, precision};
  }

  template <class T>
  static void run(const KernelCall& k, const NoAttrs&, Precision precision) {
    const auto unit = UnitForward<T>::of(k);
    const Sequence& s = unit.sequence;
    if (k.out[0].size() == 0) return;
    Workspace workspace(k.workspace);
    const StepProduct<T> product = Forward::product<T>(workspace, s.batch, s.units, precision);
    for (int64_t t = 0; t < s.steps; ++t) {
      const T* before = t ? product.a : unit.h0;
      product.run(before, k.in[1].as<T>());
      for_each_state(s, StepForward<T>{unit, t, before, product.c, product.a});
    }
  }

  static void run_resident(const KernelCall& k, const NoAttrs&) {
    launch_resident<ResidentForward>(ResidentLstm{UnitForward<float>::of(k), k.in[1].as<float>()});
  }
  static Shape states(SpecSpan in) { return {in[0].shape[0], in[0].shape[1], in[2].shape[1]}; }

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

// Backward, one step of one unit of a sample; product: of the next step's gradients and the kernel. dh and dc are what
// reaches the states before the step otherwise.
template <class T>
struct UnitBackward {
  static constexpr int reads = blocks + 4;

  Sequence sequence;
  const T *c0, *cells, *gates, *dhidden, *dcells;  // dcells: nullptr where there is nothing
  T *dprojected, *dh0, *dc0;

  static UnitBackward of(const KernelCall& k) {
    return {Sequence::of(k.in[2], k.in, 5),
            k.in[1].as<T>(),
            k.in[2].as<T>(),
            k.in[3].as<T>(),
            k.in[4].as<T>(),
            k.in.size() > 6 ? k.in[6].as<T>() : nullptr,
            k.out[0].as<T>(),
            k.out[1].as<T>(),
            k.out[2].as<T>()};
  }

  // read(n, address, is_there): what a step reads that does not hang on the step after it; where nothing is there, 0.
  template <class I, class Read>
  __device__ void each_read(I b, I t, I j, const Read& read) const {
    PH_UNROLL
    for (int n = 0; n < blocks; ++n) read(n, gates + place_of(sequence, b, t, j, blocks, n), true);
    const I at = place_of(sequence, b, t, j);
    read(blocks, t > 0 ? cells + (at - static_cast<I>(sequence.units)) : c0 + b * static_cast<I>(sequence.units) + j,
         true);
    read(blocks + 1, cells + at, true);
    read(blocks + 2, dhidden + at, true);
    read(blocks + 3, dcells ? dcells + at : cells, dcells);
  }
  __device__ void step(const T (&x)[reads], bool stays, T product, State<T>& carried, T (&dz)[blocks]) const {
    const T i = x[0], f = x[1], g = x[2], o = x[3], c_before = x[blocks], c = x[blocks + 1];
    const T dh = x[blocks + 2] + product + carried.h, dc = carried.c + x[blocks + 3];
    if (stays) {
      dz[0] = dz[1] = dz[2] = dz[3] = 0;
      carried = {dh, dc};
    } else {
      const T squashed = scalar::tanh(c), slope = dc + dh * o * (1 - squashed * squashed);
      dz[0] = slope * g * i * (1 - i);
      dz[1] = slope * c_before * f * (1 - f);
      dz[2] = slope * i * (1 - g * g);
      dz[3] = dh * squashed * o * (1 - o);
      carried = {0, slope * f};
    }
  }
  template <class I>
  __device__ void write(I b, I t, I j, const T (&dz)[blocks]) const {
    PH_UNROLL
    for (int block = 0; block < blocks; ++block) dprojected[place_of(sequence, b, t, j, blocks, block)] = dz[block];
  }
  template <class I>
  __device__ void end(T product, I b, I j, const State<T>& carried) const {
    const I at = b * static_cast<I>(sequence.units) + j;
    dh0[at] = carried.h + product, dc0[at] = carried.c;
  }
};

template <class T>
struct StepBackward {
  UnitBackward<T> unit;
  int64_t t;
  const T* product;  // (batch, units)
  T* dense;          // dz: (batch, 4 units), for the next product

  // dh0 and dc0 hold what is carried.
  __device__ void operator()(const Place& at) const {
    const int64_t b = at.sample, j = at.unit, u = unit.sequence.units;
    State<T> carried{unit.dh0[at.flat], unit.dc0[at.flat]};
    T x[UnitBackward<T>::reads], dz[blocks];
    unit.each_read(b, t, j, [&](int n, const T* from, bool is_there) { x[n] = is_there ? *from : T(0); });
    unit.step(x, unit.sequence.stays(b, t), product[at.flat], carried, dz);
    unit.write(b, t, j, dz);
    T* to = dense + b * blocks * u + j;
    to[0] = dz[0], to[u] = dz[1], to[2 * u] = dz[2], to[3 * u] = dz[3];
    unit.dh0[at.flat] = carried.h, unit.dc0[at.flat] = carried.c;
  }
};

struct ResidentLstmGrad : UnitBackward<float> {
  using State = ph::cuda::State<float>;
  static constexpr int blocks = 4;
  const float* kernel;
};

struct Backward {
  template <class T>
  static StepProduct<T> product(Workspace& workspace, int64_t batch, int64_t units, Precision precision) {
    return {workspace, batch, blocks * units, units, true, precision};
  }

  template <class T>
  static void run(const KernelCall& k, const NoAttrs&, Precision precision) {
    const auto unit = UnitBackward<T>::of(k);
    const Sequence& s = unit.sequence;
    if (k.out[1].size() == 0) return;
    Workspace workspace(k.workspace);
    const StepProduct<T> product = Backward::product<T>(workspace, s.batch, s.units, precision);
    for_each_state(s, Clear<T>{unit.dh0});
    for_each_state(s, Clear<T>{unit.dc0});
    for_each_state(s, Clear<T>{product.c});
    for (int64_t t = s.steps - 1; t >= 0; --t) {
      for_each_state(s, StepBackward<T>{unit, t, product.c, product.a});
      product.run(product.a, k.in[0].as<T>());
    }
    for_each_state(s, AddTo<T>{unit.dh0, product.c});
  }

  static void run_resident(const KernelCall& k, const NoAttrs&) {
    launch_resident<ResidentBackward>(ResidentLstmGrad{UnitBackward<float>::of(k), k.in[0].as<float>()});
  }
  static Shape states(SpecSpan in) { return in[2].shape; }

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

PH_KERNELS(lstm, PH_RESIDENT(Forward, NoAttrs), PH_STEPS(Forward, NoAttrs));
PH_KERNELS(lstm_grad, PH_RESIDENT(Backward, NoAttrs), PH_STEPS(Backward, NoAttrs));

}  // namespace ph::cuda
