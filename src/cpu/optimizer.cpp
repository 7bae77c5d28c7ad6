// Optimizer updates: one vector loop over the parameters, read and written once, in spans that threads share.
#include "ops/optimizer.h"

#include <cmath>

#include "core/thread_pool.h"

namespace ph::PH_LEVEL {

namespace {

// f(begin, end) over spans of n elements.
template <class F>
PH_INLINE void for_spans(int64_t n, F f) {
  constexpr int64_t span = 16384;
  parallel_for((n + span - 1) / span, 1.0 * static_cast<double>(n < span ? n : span),
               [&](int64_t i) { f(i * span, (i + 1) * span < n ? (i + 1) * span : n); });
}

template <class T>
void adam_typed(const KernelCall& k, const AdamStepAttrs& a) {
  const T *w = k.in[0].as<T>(), *m = k.in[1].as<T>(), *v = k.in[2].as<T>(), *g = k.in[3].as<T>();
  T *w_out = k.out[0].as<T>(), *m_out = k.out[1].as<T>(), *v_out = k.out[2].as<T>();
  const T rate = *k.in[4].as<T>(), c1 = static_cast<T>(1 - a.beta_1), c2 = static_cast<T>(1 - a.beta_2);
  const T epsilon = static_cast<T>(a.epsilon);
  for_spans(k.in[0].size(), [&](int64_t begin, int64_t end) {
#pragma GCC ivdep
    for (int64_t i = begin; i < end; ++i) {
      const T momentum = m[i] + (g[i] - m[i]) * c1;
      const T velocity = v[i] + (g[i] * g[i] - v[i]) * c2;
      m_out[i] = momentum;
      v_out[i] = velocity;
      w_out[i] = w[i] - momentum * rate / (std::sqrt(velocity) + epsilon);
    }
  });
}

template <class T>
void rmsprop_typed(const KernelCall& k, const RmspropStepAttrs& a) {
  const T *w = k.in[0].as<T>(), *v = k.in[1].as<T>(), *g = k.in[2].as<T>();
  T *w_out = k.out[0].as<T>(), *v_out = k.out[1].as<T>();
  const T rate = *k.in[3].as<T>(), rho = static_cast<T>(a.rho), rest = static_cast<T>(1 - a.rho);
  const T epsilon = static_cast<T>(a.epsilon);
  for_spans(k.in[0].size(), [&](int64_t begin, int64_t end) {
#pragma GCC ivdep
    for (int64_t i = begin; i < end; ++i) {
      const T velocity = rho * v[i] + rest * (g[i] * g[i]);
      v_out[i] = velocity;
      w_out[i] = w[i] - g[i] * rate / std::sqrt(velocity + epsilon);
    }
  });
}

void adam(const KernelCall& k, const AdamStepAttrs& a) {
  k.in[0].dtype == DType::float32 ? adam_typed<float>(k, a) : adam_typed<double>(k, a);
}
void rmsprop(const KernelCall& k, const RmspropStepAttrs& a) {
  k.in[0].dtype == DType::float32 ? rmsprop_typed<float>(k, a) : rmsprop_typed<double>(k, a);
}

}  // namespace

PH_KERNELS(adam_step, kernel<adam>("fused"));
PH_KERNELS(rmsprop_step, kernel<rmsprop>("fused"));

}  // namespace ph::PH_LEVEL
