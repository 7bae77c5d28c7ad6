// Every elementwise op over a tile, for the four types chains compute in. The compiler vectorises the loops.
#include "core/inline.h"
#include "core/scalar.h"
#include "cpu/tiles.h"
#include "ops/elementwise.h"

namespace ph::PH_LEVEL {

template <class T>
static constexpr bool exists(ElementwiseClass cls) {
  switch (cls) {
    case ElementwiseClass::floating:
    case ElementwiseClass::predicate:
      return std::is_floating_point_v<T>;
    case ElementwiseClass::bitwise:
      return std::is_integral_v<T>;
    default:
      return true;
  }
}

#define APPLY_1(name) scalar::name(a[i])
#define APPLY_2(name) scalar::name(a[i], b[i])
#define APPLY_3(name) scalar::name(a[i], b[i], c[i])

#define PH_ELEMENTWISE(name, arity, cls, slope)                                                                        \
  template <class T>                                                                                                   \
  static void name##_tile(T* y, [[maybe_unused]] const T* a, [[maybe_unused]] const T* b, [[maybe_unused]] const T* c, \
                          int64_t n) {                                                                                 \
    if constexpr (exists<T>(ElementwiseClass::cls)) {                                                                  \
      PH_INDEPENDENT for (int64_t i = 0; i < n; ++i) y[i] = APPLY_##arity(name);                                       \
    }                                                                                                                  \
  }
#include "ops/elementwise.def"
#undef PH_ELEMENTWISE

template <class T>
TileFunction<T> tile_function(int code) {
  static constexpr TileFunction<T> functions[] = {
#define PH_ELEMENTWISE(name, arity, cls, slope) exists<T>(ElementwiseClass::cls) ? name##_tile<T> : nullptr,
#include "ops/elementwise.def"
#undef PH_ELEMENTWISE
  };
  return functions[code];
}

template TileFunction<float> tile_function<float>(int code);
template TileFunction<double> tile_function<double>(int code);
template TileFunction<int32_t> tile_function<int32_t>(int code);
template TileFunction<int64_t> tile_function<int64_t>(int code);

}  // namespace ph::PH_LEVEL
