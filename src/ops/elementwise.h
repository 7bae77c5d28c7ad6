// Elementwise ops as C++ functions (the list is elementwise.def) and the classes that say which dtypes they take.
#pragma once
#include "core/apply.h"

namespace ph {

enum class ElementwiseClass { floating, arithmetic, comparison, predicate, logical, bitwise, selection };

// Inputs broadcast as in NumPy and share one dtype (select: those after the first).
#define PH_DECLARE_1(name) Tensor name(const Tensor& x);
#define PH_DECLARE_2(name) Tensor name(const Tensor& a, const Tensor& b);
#define PH_DECLARE_3(name) Tensor name(const Tensor& condition, const Tensor& a, const Tensor& b);
#define PH_ELEMENTWISE(name, arity, cls, slope) PH_DECLARE_##arity(name)
#include "ops/elementwise.def"
#undef PH_ELEMENTWISE
#undef PH_DECLARE_1
#undef PH_DECLARE_2
#undef PH_DECLARE_3

// A Python-like scalar of the dtype of `like`.
Tensor constant_like(const Tensor& like, double value);

// Sums `x` over what broadcasting `shape` to x's shape had repeated: the gradient of a broadcast.
Tensor sum_to_shape(const Tensor& x, const Shape& shape);

}  // namespace ph
