// GRU over whole sequences. The recurrent kernel is packed in two parts: what z and r are found from, and what the
// candidate n is. In a step the first product and its part of `projected` become z and r where they lie; then, with
// reset_after, the second product is `inner`, else it is that of `inner` = r h and becomes n. Backward, dprojected may
// lie over the gates it is made from, and dh0 holds the gradient of the state that is carried from step to step.
#include "core/scalar.h"
#include "cpu/recurrent/sequence.h"
#include "ops/recurrent.h"

namespace ph::PH_LEVEL {

namespace {

constexpr int64_t blocks = 3;  // of a row of gates: z, r, n

// z, r; where `before` is given, also `inner` = r before.
template <class T>
void activate_gates(T* gates, const T* before, T* inner, int64_t units) {
  PH_INDEPENDENT for (int64_t j = 0; j < 2 * units; ++j) gates[j] = scalar::sigmoid(gates[j]);
  if (!before) return;
  const T* r = gates + units;
  PH_INDEPENDENT for (int64_t j = 0; j < units; ++j) inner[j] = r[j] * before[j];
}

// n, which may lie over x, and h. What is in n's tanh: x, or x + r inner where `inner` is given.
template <class T>
void finish_step(const T* x, const T* inner, const T* before, T* gates, T* h, int64_t units) {
  const T *z = gates, *r = gates + units;
  T* n = gates + 2 * units;
  if (inner) {
    PH_INDEPENDENT for (int64_t j = 0; j < units; ++j) n[j] = scalar::tanh(x[j] + r[j] * inner[j]);
  } else {
    PH_INDEPENDENT for (int64_t j = 0; j < units; ++j) n[j] = scalar::tanh(x[j]);
  }
  PH_INDEPENDENT for (int64_t j = 0; j < units; ++j) h[j] = z[j] * before[j] + (1 - z[j]) * n[j];
}

template <class T>
void forward(const KernelCall& k, const GruAttrs& a) {
  const T *projected = k.in[0].as<T>(), *kernel = k.in[1].as<T>(), *bias = k.in[2].as<T>(), *h0 = k.in[3].as<T>();
  T *hidden = k.out[0].as<T>(), *gates = k.out[1].as<T>(), *inner = k.out[2].as<T>();
  const Sequence s = Sequence::of(k.out[0], k.in, 4);
  const int64_t units = s.units;
  const Packed<T> for_gates{units, 2 * units, static_cast<T*>(k.workspace)};
  const Packed<T> for_candidate{units, units, for_gates.data + for_gates.size()};
  for_gates.pack(kernel, blocks * units, 1);
  for_candidate.pack(kernel + 2 * units, blocks * units, 1);
  for_each_slice<T>(s, units, blocks * units, [&](int64_t begin, int64_t end) {
    for (int64_t t = 0; t < s.steps; ++t) {
      const Rows<const T> before = s.before<T>(hidden, h0, t), x_n = s.step(projected, t, blocks, 2);
      const Rows<T> h = s.step(hidden, t), of_step = s.step(inner, t);
      const Rows<T> z = s.step(gates, t, blocks), n = s.step(gates, t, blocks, 2);
      const T* bias_n = bias + 2 * units;
      for_gates.multiply(before, z, s.step(projected, t, blocks), bias, begin, end);
      if (a.reset_after) for_candidate.multiply(before, of_step, {}, bias_n, begin, end);
      for (int64_t b = begin; b < end; ++b) {
        activate_gates(z[b], a.reset_after ? nullptr : before[b], of_step[b], units);
      }
      if (!a.reset_after) for_candidate.multiply(of_step, n, x_n, bias_n, begin, end);
      for (int64_t b = begin; b < end; ++b) {
        if (!s.stays(b, t)) {
          a.reset_after ? finish_step<T>(x_n[b], of_step[b], before[b], z[b], h[b], units)
                        : finish_step<T>(n[b], nullptr, before[b], z[b], h[b], units);
          continue;
        }
        copy_row(h[b], before[b], units);
        clear(z[b], blocks * units);
        clear(of_step[b], units);
      }
    }
  });
}

// What a step of one sample has, and where its gradients go. dz, dr and dn may be z, r and n.
template <class T>
struct StepGrad {
  const T *z, *r, *n, *before, *inner;
  T *dz, *dr, *dn, *dh;  // dh: of the state behind the step; then its part of that before it, without the products
};

// dz, dr, dn and, with reset_after, the gradient of h R + b, whose last third dinner is dn r.
template <class T>
void backward_reset_after(const StepGrad<T>& g, T* recurrent_dz, T* recurrent_dr, T* dinner, int64_t units) {
  PH_INDEPENDENT for (int64_t j = 0; j < units; ++j) {
    const T z = g.z[j], r = g.r[j], n = g.n[j], dh = g.dh[j];
    const T dn = dh * (1 - z) * (1 - n * n);
    g.dz[j] = recurrent_dz[j] = dh * (g.before[j] - n) * z * (1 - z);
    g.dr[j] = recurrent_dr[j] = dn * g.inner[j] * r * (1 - r);
    g.dn[j] = dn;
    dinner[j] = dn * r;
    g.dh[j] = dh * z;
  }
}

template <class T>
void backward_candidate(const StepGrad<T>& g, int64_t units) {
  PH_INDEPENDENT for (int64_t j = 0; j < units; ++j) {
    const T z = g.z[j], n = g.n[j], dh = g.dh[j];
    g.dz[j] = dh * (g.before[j] - n) * z * (1 - z);
    g.dn[j] = dh * (1 - z) * (1 - n * n);
    g.dh[j] = dh * z;
  }
}

// dinner: of r h.
template <class T>
void backward_reset(const StepGrad<T>& g, const T* dinner, int64_t units) {
  PH_INDEPENDENT for (int64_t j = 0; j < units; ++j) {
    const T r = g.r[j];
    g.dr[j] = dinner[j] * g.before[j] * r * (1 - r);
    g.dh[j] += dinner[j] * r;
  }
}

template <class T>
void backward(const KernelCall& k, const GruAttrs& a) {
  const T *kernel = k.in[0].as<T>(), *h0 = k.in[1].as<T>(), *hidden = k.in[2].as<T>(), *gates = k.in[3].as<T>();
  const T *inner = k.in[4].as<T>(), *dhidden = k.in[5].as<T>();
  T *dprojected = k.out[0].as<T>(), *dh0 = k.out[1].as<T>();
  T* drecurrent = a.reset_after ? k.out[2].as<T>() : nullptr;
  const Sequence s = Sequence::of(k.in[2], k.in, 6);
  const int64_t units = s.units;
  const Packed<T> for_all{blocks * units, units, static_cast<T*>(k.workspace)};
  const Packed<T> for_gates{2 * units, units, static_cast<T*>(k.workspace)};
  const Packed<T> for_candidate{units, units, for_gates.data + for_gates.size()};
  const Rows<T> dinner{for_candidate.data + for_candidate.size(), units};  // without reset_after
  if (a.reset_after) {
    for_all.pack(kernel, 1, blocks * units);
  } else {
    for_gates.pack(kernel, 1, blocks * units);
    for_candidate.pack(kernel + 2 * units, 1, blocks * units);
  }
  for_each_slice<T>(s, units, blocks * units, [&](int64_t begin, int64_t end) {
    const Rows<T> dh{dh0, units};
    clear(dh[begin], (end - begin) * units);
    for (int64_t t = s.steps - 1; t >= 0; --t) {
      const Rows<const T> before = s.before(hidden, h0, t), dh_of_step = s.step(dhidden, t);
      const Rows<const T> of_step = s.step(gates, t, blocks), inner_of_step = s.step(inner, t);
      const Rows<T> dx = s.step(dprojected, t, blocks);
      const Rows<T> dproduct = a.reset_after ? s.step(drecurrent, t, blocks) : dx;
      const auto of_sample = [&](int64_t b) {
        const T* z = of_step[b];
        return StepGrad<T>{z,     z + units,     z + 2 * units,     before[b], inner_of_step[b],
                           dx[b], dx[b] + units, dx[b] + 2 * units, dh[b]};
      };
      for (int64_t b = begin; b < end; ++b) {
        add_row(dh[b], dh_of_step[b], units);
        if (s.stays(b, t)) {
          clear(dx[b], blocks * units);
          clear(dproduct[b], blocks * units);
        } else if (a.reset_after) {
          T* to = dproduct[b];
          backward_reset_after(of_sample(b), to, to + units, to + 2 * units, units);
        } else {
          backward_candidate(of_sample(b), units);
        }
      }
      if (a.reset_after) {
        for_all.multiply(dproduct, dh, dh, nullptr, begin, end);
        continue;
      }
      for_candidate.multiply(s.step(dprojected, t, blocks, 2), dinner, {}, nullptr, begin, end);
      for (int64_t b = begin; b < end; ++b) {
        if (!s.stays(b, t)) backward_reset(of_sample(b), dinner[b], units);
      }
      for_gates.multiply(dx, dh, dh, nullptr, begin, end);
    }
  });
}

// The two parts of the kernel.
size_t forward_workspace(SpecSpan in, const GruAttrs&) {
  const int64_t units = in[1].shape[0];
  return packed_bytes(in[0].dtype, units, 2 * units) + packed_bytes(in[0].dtype, units, units);
}
// The kernel whole or, without reset_after, in two parts, and a row of a step for each sample.
size_t backward_workspace(SpecSpan in, const GruAttrs& a) {
  const DType dtype = in[0].dtype;
  const int64_t units = in[0].shape[0];
  if (a.reset_after) return packed_bytes(dtype, blocks * units, units);
  const size_t rows =
      static_cast<size_t>(in[1].shape.size()) * (dtype == DType::float64 ? sizeof(double) : sizeof(float));
  return packed_bytes(dtype, 2 * units, units) + packed_bytes(dtype, units, units) + rows;
}

int64_t forward_results(SpecSpan in, const GruAttrs&) {
  const int64_t gates = in[0].shape.size();
  return copy_size(in[0].dtype, gates) + 2 * copy_size(in[0].dtype, gates / blocks);
}
int64_t backward_results(SpecSpan in, const GruAttrs& a) {
  const int64_t gates = copy_size(in[0].dtype, in[3].shape.size());
  return gates + copy_size(in[0].dtype, in[1].shape.size()) + (a.reset_after ? gates : 0);
}

}  // namespace

PH_RECURRENT(gru, forward, GruAttrs, forward_results, forward_workspace);
PH_RECURRENT(gru_grad, backward, GruAttrs, backward_results, backward_workspace);

}  // namespace ph::PH_LEVEL
