// Where the steps of recurrent ops lie in their tensors, for kernels on every device.
#pragma once
#include <type_traits>

#include "core/spec.h"

namespace ph {

// Rows of a matrix, `stride` elements apart: the states (batch, width), or one step of a tensor (batch, steps, width).
template <class T>
struct Rows {
  T* data;
  int64_t stride;

  PH_INLINE T* operator[](int64_t row) const { return data + row * stride; }
  template <class Other>
  requires std::is_same_v<Other, const T> PH_INLINE operator Rows<Other>() const { return {data, stride}; }
};

struct Sequence {
  int64_t batch, steps, units;
  const bool* mask;  // (batch, steps): false where the state stays as it was; nullptr: nowhere

  // Of a tensor (batch, steps, units) and an input that may be left out.
  PH_INLINE static Sequence of(const View& states, const List<View>& inputs, int mask) {
    return {states.shape[0], states.shape[1], states.shape[2],
            inputs.size() > mask ? inputs[mask].as<bool>() : nullptr};
  }

  PH_INLINE bool stays(int64_t sample, int64_t step) const { return mask && !mask[sample * steps + step]; }

  // Step t of a tensor (batch, steps, blocks * units), from column block `first` on.
  template <class T>
  PH_INLINE Rows<T> step(T* tensor, int64_t t, int64_t blocks = 1, int64_t first = 0) const {
    return {tensor + (t * blocks + first) * units, steps * blocks * units};
  }
  // What step t starts from: the output of the step before, or the initial state.
  template <class T>
  PH_INLINE Rows<const T> before(const T* output, const T* initial, int64_t t) const {
    if (t == 0) return {initial, units};
    return step(output, t - 1);
  }
};

}  // namespace ph
