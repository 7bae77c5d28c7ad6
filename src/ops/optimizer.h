// Optimizer updates. Each op takes any number of groups (variable, slots..., gradient), alike within a group, then the
// scalars of the step (rank 0: the learning rate and what depends on the step count), all of one dtype, but for the
// scalars of float16 and bfloat16 variables, which are float32; its outputs are the new variables and slots, group by
// group. A trace makes one node per variable; the pass group_optimizer makes one
// of all. The update of one element, the same on every device, stands beside the attributes:
//
//   Update(attributes, scalars)   what is constant in a step
//   update(gradient, state)       changes state = {variable, slots...}
//   operations                    how many arithmetic ones that takes
//
// Formulas and their order are Keras 3's.
#pragma once
#include "core/apply.h"
#include "core/scalar.h"

namespace ph {

// variable - rate * gradient.
template <class T>
struct SgdUpdate {
  static constexpr int slots = 0, scalars = 1, operations = 2;
  T rate;
  PH_INLINE SgdUpdate(const NoAttrs&, const T* s) : rate(s[0]) {}
  PH_INLINE void operator()(T gradient, T* state) const { state[0] -= gradient * rate; }
};

// Momentum, plain or Nesterov's (Sutskever et al., 2013).
struct MomentumStepAttrs {
  double momentum = 0.9;
  bool nesterov = false;
  PH_FIELDS(MomentumStepAttrs, momentum, nesterov)
};
template <class T>
struct MomentumUpdate {
  static constexpr int slots = 1, scalars = 1, operations = 7;
  T rate, keep, on_momentum, on_step;  // the variable moves by on_momentum * momentum - on_step * step
  PH_INLINE MomentumUpdate(const MomentumStepAttrs& a, const T* s)
      : rate(s[0]),
        keep(static_cast<T>(a.momentum)),
        on_momentum(a.nesterov ? keep : T{1}),
        on_step(a.nesterov ? T{1} : T{0}) {}
  PH_INLINE void operator()(T gradient, T* state) const {
    const T step = gradient * rate;
    state[1] = state[1] * keep - step;
    state[0] += state[1] * on_momentum - step * on_step;
  }
};

// Slots: momentum, velocity. The rate holds both bias corrections (Kingma and Ba, 2014).
struct AdamStepAttrs {
  double beta_1 = 0.9, beta_2 = 0.999, epsilon = 1e-7;
  PH_FIELDS(AdamStepAttrs, beta_1, beta_2, epsilon)
};
template <class T>
struct AdamUpdate {
  static constexpr int slots = 2, scalars = 1, operations = 12;
  T rate, fresh_1, fresh_2, epsilon;
  PH_INLINE AdamUpdate(const AdamStepAttrs& a, const T* s)
      : rate(s[0]),
        fresh_1(static_cast<T>(1 - a.beta_1)),
        fresh_2(static_cast<T>(1 - a.beta_2)),
        epsilon(static_cast<T>(a.epsilon)) {}
  PH_INLINE void operator()(T gradient, T* state) const {
    state[1] += (gradient - state[1]) * fresh_1;
    state[2] += (gradient * gradient - state[2]) * fresh_2;
    state[0] -= state[1] * rate / (scalar::sqrt(state[2]) + epsilon);
  }
};

// Slots: momentum, velocity. Scalars: the weights of momentum and gradient in the step, learning rate included, and
// 1 - beta_2^step (Dozat, 2015).
template <class T>
struct NadamUpdate {
  static constexpr int slots = 2, scalars = 3, operations = 15;
  T of_momentum, of_gradient, correction, fresh_1, fresh_2, epsilon;
  PH_INLINE NadamUpdate(const AdamStepAttrs& a, const T* s)
      : of_momentum(s[0]),
        of_gradient(s[1]),
        correction(s[2]),
        fresh_1(static_cast<T>(1 - a.beta_1)),
        fresh_2(static_cast<T>(1 - a.beta_2)),
        epsilon(static_cast<T>(a.epsilon)) {}
  PH_INLINE void operator()(T gradient, T* state) const {
    state[1] += (gradient - state[1]) * fresh_1;
    state[2] += (gradient * gradient - state[2]) * fresh_2;
    const T direction = state[1] * of_momentum + gradient * of_gradient;
    state[0] -= direction / (scalar::sqrt(state[2] / correction) + epsilon);
  }
};

// Slots: momentum, norm (the decaying maximum). The rate holds the bias correction (Kingma and Ba, 2014, section 7).
template <class T>
struct AdamaxUpdate {
  static constexpr int slots = 2, scalars = 1, operations = 10;
  T rate, fresh_1, keep_2, epsilon;
  PH_INLINE AdamaxUpdate(const AdamStepAttrs& a, const T* s)
      : rate(s[0]),
        fresh_1(static_cast<T>(1 - a.beta_1)),
        keep_2(static_cast<T>(a.beta_2)),
        epsilon(static_cast<T>(a.epsilon)) {}
  PH_INLINE void operator()(T gradient, T* state) const {
    state[1] += (gradient - state[1]) * fresh_1;
    state[2] = scalar::maximum(state[2] * keep_2, scalar::abs(gradient));
    state[0] -= state[1] * rate / (state[2] + epsilon);
  }
};

// Slot: velocity. Tieleman and Hinton, 2012.
struct RmspropStepAttrs {
  double rho = 0.9, epsilon = 1e-7;
  PH_FIELDS(RmspropStepAttrs, rho, epsilon)
};
template <class T>
struct RmspropUpdate {
  static constexpr int slots = 1, scalars = 1, operations = 9;
  T rate, keep, fresh, epsilon;
  PH_INLINE RmspropUpdate(const RmspropStepAttrs& a, const T* s)
      : rate(s[0]), keep(static_cast<T>(a.rho)), fresh(static_cast<T>(1 - a.rho)), epsilon(static_cast<T>(a.epsilon)) {}
  PH_INLINE void operator()(T gradient, T* state) const {
    state[1] = keep * state[1] + fresh * (gradient * gradient);
    state[0] -= gradient * rate / scalar::sqrt(state[1] + epsilon);
  }
};

// Slots: mean squares of the gradients and of the steps (Zeiler, 2012).
template <class T>
struct AdadeltaUpdate {
  static constexpr int slots = 2, scalars = 1, operations = 16;
  T rate, keep, fresh, epsilon;
  PH_INLINE AdadeltaUpdate(const RmspropStepAttrs& a, const T* s)
      : rate(s[0]), keep(static_cast<T>(a.rho)), fresh(static_cast<T>(1 - a.rho)), epsilon(static_cast<T>(a.epsilon)) {}
  PH_INLINE void operator()(T gradient, T* state) const {
    state[1] = state[1] * keep + gradient * gradient * fresh;
    const T step = scalar::sqrt(state[2] + epsilon) * gradient / scalar::sqrt(state[1] + epsilon);
    state[2] = state[2] * keep + step * step * fresh;
    state[0] -= step * rate;
  }
};

// Slot: the sum of squares (Duchi et al., 2011).
struct AdagradStepAttrs {
  double epsilon = 1e-7;
  PH_FIELDS(AdagradStepAttrs, epsilon)
};
template <class T>
struct AdagradUpdate {
  static constexpr int slots = 1, scalars = 1, operations = 7;
  T rate, epsilon;
  PH_INLINE AdagradUpdate(const AdagradStepAttrs& a, const T* s) : rate(s[0]), epsilon(static_cast<T>(a.epsilon)) {}
  PH_INLINE void operator()(T gradient, T* state) const {
    state[1] += gradient * gradient;
    state[0] -= gradient * rate / scalar::sqrt(state[1] + epsilon);
  }
};

// Slots: the sum of squares, the linear term (McMahan et al., 2013). beta adds beta / (2 rate) to l2.
struct FtrlStepAttrs {
  double learning_rate_power = -0.5, l1 = 0, l2 = 0, l2_shrinkage = 0, beta = 0;
  PH_FIELDS(FtrlStepAttrs, learning_rate_power, l1, l2, l2_shrinkage, beta)
};
template <class T>
struct FtrlUpdate {
  static constexpr int slots = 2, scalars = 1, operations = 18;
  T rate, power, l1, l2, shrinkage;
  PH_INLINE FtrlUpdate(const FtrlStepAttrs& a, const T* s)
      : rate(s[0]),
        power(static_cast<T>(-a.learning_rate_power)),
        l1(static_cast<T>(a.l1)),
        l2(static_cast<T>(a.l2) + static_cast<T>(a.beta) / (2 * s[0])),
        shrinkage(static_cast<T>(2 * a.l2_shrinkage)) {}
  PH_INLINE void operator()(T gradient, T* state) const {
    const T total = state[1] + gradient * gradient;
    const T root = raised(total), old_root = raised(state[1]);
    const T slope = state[2] + (gradient + state[0] * shrinkage - (root - old_root) / rate * state[0]);
    const T within = scalar::minimum(scalar::maximum(slope, -l1), l1);
    state[0] = (within - slope) / (root / rate + l2 * 2);
    state[1] = total;
    state[2] = slope;
  }
  // the usual power, -0.5, needs no call of the library
  PH_INLINE T raised(T sum) const { return power == T{0.5} ? scalar::sqrt(sum) : scalar::power(sum, power); }
};

// Slot: momentum. The step is the sign of a mix of momentum and gradient (Chen et al., 2023).
struct LionStepAttrs {
  double beta_1 = 0.9, beta_2 = 0.99;
  PH_FIELDS(LionStepAttrs, beta_1, beta_2)
};
template <class T>
struct LionUpdate {
  static constexpr int slots = 1, scalars = 1, operations = 9;
  T rate, keep_1, fresh_1, keep_2, fresh_2;
  PH_INLINE LionUpdate(const LionStepAttrs& a, const T* s)
      : rate(s[0]),
        keep_1(static_cast<T>(a.beta_1)),
        fresh_1(static_cast<T>(1 - a.beta_1)),
        keep_2(static_cast<T>(a.beta_2)),
        fresh_2(static_cast<T>(1 - a.beta_2)) {}
  PH_INLINE void operator()(T gradient, T* state) const {
    state[0] -= scalar::sign(state[1] * keep_1 + gradient * fresh_1) * rate;
    state[1] = state[1] * keep_2 + gradient * fresh_2;
  }
};

}  // namespace ph
