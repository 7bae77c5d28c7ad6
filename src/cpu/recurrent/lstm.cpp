// LSTM over whole sequences. A step's product is added to `projected` as it leaves the registers and becomes the gates
// where it lies. Backward, dprojected may lie over the gates it is made from, and dh0 and dc0 hold the gradient of the
// state that is carried from step to step.
#include "core/scalar.h"
#include "cpu/recurrent/sequence.h"
#include "ops/recurrent.h"

namespace ph::PH_LEVEL {

namespace {

constexpr int64_t blocks = 4;  // of a row of gates: i, f, g, o

template <class T>
void step_forward(T* gates, const T* c_before, T* c, T* h, int64_t units) {
  PH_INDEPENDENT for (int64_t j = 0; j < 2 * units; ++j) gates[j] = scalar::sigmoid(gates[j]);
  PH_INDEPENDENT for (int64_t j = 2 * units; j < 3 * units; ++j) gates[j] = scalar::tanh(gates[j]);
  PH_INDEPENDENT for (int64_t j = 3 * units; j < 4 * units; ++j) gates[j] = scalar::sigmoid(gates[j]);
  const T *i = gates, *f = gates + units, *g = gates + 2 * units, *o = gates + 3 * units;
  PH_INDEPENDENT for (int64_t j = 0; j < units; ++j) {
    c[j] = f[j] * c_before[j] + i[j] * g[j];
    h[j] = o[j] * scalar::tanh(c[j]);
  }
}

// dz may be gates. dh and dc: of the state behind the step, dc becoming that of the state before it.
template <class T>
void step_backward(const T* gates, const T* c_before, const T* c, const T* dh, T* dc, T* dz, int64_t units) {
  const T *i = gates, *f = gates + units, *g = gates + 2 * units, *o = gates + 3 * units;
  T *di = dz, *df = dz + units, *dg = dz + 2 * units, *d_o = dz + 3 * units;
  PH_INDEPENDENT for (int64_t j = 0; j < units; ++j) {
    const T input = i[j], forget = f[j], candidate = g[j], output = o[j], squashed = scalar::tanh(c[j]);
    const T slope = dc[j] + dh[j] * output * (1 - squashed * squashed);
    di[j] = slope * candidate * input * (1 - input);
    df[j] = slope * c_before[j] * forget * (1 - forget);
    dg[j] = slope * input * (1 - candidate * candidate);
    d_o[j] = dh[j] * squashed * output * (1 - output);
    dc[j] = slope * forget;
  }
}

template <class T>
void forward(const KernelCall& k, const NoAttrs&) {
  const T *projected = k.in[0].as<T>(), *h0 = k.in[2].as<T>(), *c0 = k.in[3].as<T>();
  T *hidden = k.out[0].as<T>(), *cells = k.out[1].as<T>(), *gates = k.out[2].as<T>();
  const Sequence s = Sequence::of(k.out[0], k.in, 4);
  const Packed<T> kernel{s.units, blocks * s.units, static_cast<T*>(k.workspace)};
  kernel.pack(k.in[1].as<T>(), blocks * s.units, 1);
  for_each_slice<T>(s, s.units, blocks * s.units, [&](int64_t begin, int64_t end) {
    for (int64_t t = 0; t < s.steps; ++t) {
      const Rows<const T> h_before = s.before<T>(hidden, h0, t), c_before = s.before<T>(cells, c0, t);
      const Rows<T> h = s.step(hidden, t), c = s.step(cells, t), z = s.step(gates, t, blocks);
      kernel.multiply(h_before, z, s.step(projected, t, blocks), nullptr, begin, end);
      for (int64_t b = begin; b < end; ++b) {
        if (!s.stays(b, t)) {
          step_forward(z[b], c_before[b], c[b], h[b], s.units);
          continue;
        }
        copy_row(h[b], h_before[b], s.units);
        copy_row(c[b], c_before[b], s.units);
        clear(z[b], blocks * s.units);
      }
    }
  });
}

template <class T>
void backward(const KernelCall& k, const NoAttrs&) {
  const T *c0 = k.in[1].as<T>(), *cells = k.in[2].as<T>(), *gates = k.in[3].as<T>(), *dhidden = k.in[4].as<T>();
  const T* dcells = k.in.size() > 6 ? k.in[6].as<T>() : nullptr;
  T *dprojected = k.out[0].as<T>(), *dh0 = k.out[1].as<T>(), *dc0 = k.out[2].as<T>();
  const Sequence s = Sequence::of(k.in[2], k.in, 5);
  const Packed<T> turned{blocks * s.units, s.units, static_cast<T*>(k.workspace)};
  turned.pack(k.in[0].as<T>(), 1, blocks * s.units);
  for_each_slice<T>(s, s.units, blocks * s.units, [&](int64_t begin, int64_t end) {
    const Rows<T> dh{dh0, s.units}, dc{dc0, s.units};
    clear(dh[begin], (end - begin) * s.units);
    clear(dc[begin], (end - begin) * s.units);
    for (int64_t t = s.steps - 1; t >= 0; --t) {
      const Rows<const T> c_before = s.before(cells, c0, t), c = s.step(cells, t);
      const Rows<const T> dh_of_step = s.step(dhidden, t), activated = s.step(gates, t, blocks);
      const Rows<T> dz = s.step(dprojected, t, blocks);
      for (int64_t b = begin; b < end; ++b) {
        add_row(dh[b], dh_of_step[b], s.units);
        if (dcells) add_row(dc[b], s.step(dcells, t)[b], s.units);
        if (s.stays(b, t)) {
          clear(dz[b], blocks * s.units);
        } else {
          step_backward(activated[b], c_before[b], c[b], dh[b], dc[b], dz[b], s.units);
          if (s.mask) clear(dh[b], s.units);
        }
      }
      // where a state stayed, so does its gradient
      turned.multiply(dz, dh, s.mask ? Rows<const T>(dh) : Rows<const T>{}, nullptr, begin, end);
    }
  });
}

size_t forward_workspace(SpecSpan in, const NoAttrs&) {
  return packed_bytes(in[0].dtype, in[1].shape[0], in[1].shape[1]);
}
size_t backward_workspace(SpecSpan in, const NoAttrs&) {
  return packed_bytes(in[0].dtype, in[0].shape[1], in[0].shape[0]);
}

int64_t forward_results(SpecSpan in, const NoAttrs&) {
  const int64_t gates = in[0].shape.size();
  return copy_size(in[0].dtype, gates) + 2 * copy_size(in[0].dtype, gates / blocks);
}
int64_t backward_results(SpecSpan in, const NoAttrs&) {
  return copy_size(in[3].dtype, in[3].shape.size()) + 2 * copy_size(in[1].dtype, in[1].shape.size());
}

}  // namespace

PH_RECURRENT(lstm, forward, NoAttrs, forward_results, forward_workspace);
PH_RECURRENT(lstm_grad, backward, NoAttrs, backward_results, backward_workspace);

}  // namespace ph::PH_LEVEL
