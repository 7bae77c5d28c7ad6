// Reductions over axes, positions of extrema, running sums and products.
//
// float16 and bfloat16 are added up in float32, float32 and float64 in their own type by partial sums that are joined
// in a tree (cuda/reduction.h). Integers wrap round, as in NumPy; narrow ones are added up as int64. A NaN anywhere
// makes an extremum NaN, and is the position of one.
#include <cmath>

#include "core/scalar.h"
#include "cuda/cumulate.h"
#include "cuda/reduction.h"
#include "cuda/vector.h"
#include "ops/reduce.h"

namespace ph::cuda {

namespace {

enum class Operation : int { sum, prod, max, min, all, any };

// A join chosen when a kernel is launched.
template <class T>
struct Chosen {
  Operation operation;

  __device__ __forceinline__ T identity() const {
    switch (operation) {
      case Operation::prod:
      case Operation::all:
        return T(1);
      case Operation::max:
        if constexpr (std::is_floating_point_v<T>) return -static_cast<T>(INFINITY);
        return std::is_signed_v<T> ? static_cast<T>(uint64_t{1} << (sizeof(T) * 8 - 1)) : T(0);
      case Operation::min:
        if constexpr (std::is_floating_point_v<T>) return static_cast<T>(INFINITY);
        return static_cast<T>(~uint64_t{0} >> (64 - sizeof(T) * 8 + std::is_signed_v<T>));
      default:
        return T(0);
    }
  }
  __device__ __forceinline__ T join(T a, T b) const {
    switch (operation) {
      case Operation::prod:
        return scalar::multiply(a, b);
      case Operation::max:
        return scalar::maximum(a, b);
      case Operation::min:
        return scalar::minimum(a, b);
      case Operation::all:
        return a < b ? a : b;
      case Operation::any:
        return a > b ? a : b;
      default:
        return scalar::add(a, b);
    }
  }
};

// The join that most reductions use, known when they are compiled.
template <class T>
struct Sum {
  __device__ __forceinline__ T identity() const { return T(0); }
  __device__ __forceinline__ T join(T a, T b) const { return scalar::add(a, b); }
};

// Elements stored as S, or where S is void as their dtype says.
template <class S, int V>
struct Source {
  const S* data;
  template <class T>
  __device__ __forceinline__ void load(T (&to)[V], int64_t offset) const {
    load_vector(to, data + offset * V);
  }
};
template <>
struct Source<void, 1> {
  const void* data;
  DType dtype;
  template <class T>
  __device__ __forceinline__ void load(T (&to)[1], int64_t offset) const {
    to[0] = load_element<T>(data, dtype, offset);
  }
};

// Policy of a reduction to one number of type T.
template <class T, class S, int V, class Join>
struct Fold {
  static constexpr int vector = V;
  struct Context {};
  using Item = T;
  using Part = T;
  using Total = T;

  Join operation;
  Source<S, V> x;
  void* y;
  DType to;
  T divisor;  // of a mean

  __device__ __forceinline__ void prepare(Context&, int64_t, int) const {}
  __device__ __forceinline__ void load(T (&item)[V], const Context&, int64_t offset, int64_t) const {
    x.load(item, offset);
  }
  __device__ __forceinline__ T start() const { return operation.identity(); }
  __device__ __forceinline__ void add(T& part, T item) const { part = operation.join(part, item); }
  __device__ __forceinline__ T identity() const { return operation.identity(); }
  __device__ __forceinline__ T total(T part) const { return part; }
  __device__ __forceinline__ T join(T a, T b) const { return operation.join(a, b); }
  __device__ __forceinline__ void store(int64_t output, T total) const {
    if constexpr (std::is_floating_point_v<T>) total = total / divisor;
    store_element(y, to, output, total);
  }
};

Reduction reduction_of(const Shape& shape, const ReduceAttrs& a) {
  bool reduced[Shape::max_rank];
  for (int i = 0; i < shape.rank(); ++i) reduced[i] = a.axes.size() == 0;
  for (const int64_t axis : a.axes) reduced[axis < 0 ? axis + shape.rank() : axis] = true;
  return make_reduction(shape, reduced);
}

// Elements that kernels load together.
int vector_of(DType dtype) {
  switch (dtype) {
    case DType::float16:
    case DType::bfloat16:
      return 8;
    case DType::float32:
      return 4;
    default:
      return 1;
  }
}

size_t slices_bytes(SpecSpan in, const ReduceAttrs& a) {
  const Reduction r = reduction_of(in[0].shape, a);
  const int64_t slices = r.slices(vector_of(in[0].dtype));
  return slices == 1 ? 0 : static_cast<size_t>(slices * r.outputs) * sizeof(int64_t);
}

template <class T, class S, class Join>
void fold(const KernelCall& k, const ReduceAttrs& a, Join join, bool is_mean) {
  const Reduction r = reduction_of(k.in[0].shape, a);
  const View &x = k.in[0], &y = k.out[0];
  const int64_t slices = r.slices(vector_of(x.dtype));
  const T divisor = static_cast<T>(is_mean ? r.count : 1);
  if constexpr (std::is_void_v<S>) {
    reduce(Fold<T, void, 1, Join>{join, {x.data, x.dtype}, y.data, y.dtype, divisor}, r, slices, k.workspace);
  } else {
    if constexpr (std::is_same_v<T, float>) {
      constexpr int V = per_16_bytes<S>;
      if (r.divisible(V) && is_aligned(x.data)) {
        reduce(Fold<T, S, V, Join>{join, {x.as<S>()}, y.data, y.dtype, divisor}, r, slices, k.workspace);
        return;
      }
    }
    reduce(Fold<T, S, 1, Join>{join, {x.as<S>()}, y.data, y.dtype, divisor}, r, slices, k.workspace);
  }
}

template <class T, class S>
void fold_floats(const KernelCall& k, const ReduceAttrs& a, Operation operation, bool is_mean) {
  if (operation == Operation::sum) return fold<T, S>(k, a, Sum<T>{}, is_mean);
  fold<T, S>(k, a, Chosen<T>{operation}, false);
}

template <Operation operation, bool is_mean = false>
void reduce_to_number(const KernelCall& k, const ReduceAttrs& a) {
  switch (k.in[0].dtype) {
    case DType::float32:
      return fold_floats<float, float>(k, a, operation, is_mean);
    case DType::float16:
      return fold_floats<float, Float16>(k, a, operation, is_mean);
    case DType::bfloat16:
      return fold_floats<float, BFloat16>(k, a, operation, is_mean);
    case DType::float64:
      return fold<double, double>(k, a, Chosen<double>{operation}, is_mean);
    case DType::int32:
      return fold<int32_t, int32_t>(k, a, Chosen<int32_t>{operation}, false);
    case DType::int64:
      return fold<int64_t, int64_t>(k, a, Chosen<int64_t>{operation}, false);
    case DType::uint64:
      return fold<uint64_t, uint64_t>(k, a, Chosen<uint64_t>{operation}, false);
    default:
      return fold<int64_t, void>(k, a, Chosen<int64_t>{operation}, false);
  }
}

// Policy of the position of an extremum: the first of equals, and the first NaN, as in NumPy.
template <class T, class S>
struct Position {
  static constexpr int vector = 1;
  struct Context {};
  struct Item {
    T value;
    int64_t index;  // -1: none yet
  };
  using Part = Item;
  using Total = Item;

  bool is_max;
  Source<S, 1> x;
  int32_t* y;

  __device__ __forceinline__ void prepare(Context&, int64_t, int) const {}
  __device__ __forceinline__ void load(Item (&item)[1], const Context&, int64_t offset, int64_t index) const {
    T value[1];
    x.load(value, offset);
    item[0] = {value[0], index};
  }
  __device__ __forceinline__ Item identity() const { return {T(0), -1}; }
  __device__ __forceinline__ Item start() const { return identity(); }
  __device__ __forceinline__ Item total(Item part) const { return part; }
  __device__ __forceinline__ void add(Item& part, Item item) const { part = join(part, item); }
  __device__ __forceinline__ Item join(Item a, Item b) const {
    if (a.index < 0 || b.index < 0) return a.index < 0 ? b : a;
    const bool a_is_nan = a.value != a.value, b_is_nan = b.value != b.value;
    const bool equal = a.value == b.value || (a_is_nan && b_is_nan);
    const bool b_wins = equal ? b.index < a.index : b_is_nan || (is_max ? b.value > a.value : b.value < a.value);
    return b_wins && !(a_is_nan && !b_is_nan) ? b : a;
  }
  __device__ __forceinline__ void store(int64_t output, Item total) const {
    y[output] = static_cast<int32_t>(total.index);
  }
};

Reduction reduction_of(const Shape& shape, const ArgAttrs& a) {
  return reduction_of(shape, ReduceAttrs{IntList{a.axis}, false});
}

size_t position_bytes(SpecSpan in, const ArgAttrs& a) {
  const Reduction r = reduction_of(in[0].shape, a);
  const int64_t slices = r.slices(1);
  return slices == 1 ? 0 : static_cast<size_t>(slices * r.outputs) * sizeof(Position<double, double>::Item);
}

template <class T, class S>
void find_position(const KernelCall& k, const ArgAttrs& a, bool is_max, const Source<S, 1>& x) {
  const Reduction r = reduction_of(k.in[0].shape, a);
  reduce(Position<T, S>{is_max, x, k.out[0].as<int32_t>()}, r, r.slices(1), k.workspace);
}

template <bool is_max>
void arg(const KernelCall& k, const ArgAttrs& a) {
  const View& x = k.in[0];
  switch (x.dtype) {
    case DType::float32:
      return find_position<float, float>(k, a, is_max, {x.as<float>()});
    case DType::float16:
    case DType::bfloat16:
      return find_position<float, void>(k, a, is_max, {x.data, x.dtype});
    case DType::float64:
      return find_position<double, double>(k, a, is_max, {x.as<double>()});
    case DType::uint64:
      return find_position<uint64_t, uint64_t>(k, a, is_max, {x.as<uint64_t>()});
    default:
      return find_position<int64_t, void>(k, a, is_max, {x.data, x.dtype});
  }
}

template <template <class> class Join>
void cumulate(const KernelCall& k, const CumulativeAttrs& a) {
  const Shape& shape = k.in[0].shape;
  const int axis = static_cast<int>(a.axis < 0 ? a.axis + shape.rank() : a.axis);
  const Lines lines{shape.product(0, axis), shape[axis], shape.product(axis + 1, shape.rank())};
  const View &x = k.in[0], &y = k.out[0];
  switch (x.dtype) {
    case DType::float32:
      return run_along(x.as<float>(), y.as<float>(), lines, a.reverse, Join<float>{});
    case DType::float64:
      return run_along(x.as<double>(), y.as<double>(), lines, a.reverse, Join<double>{});
    case DType::int32:
      return run_along(x.as<int32_t>(), y.as<int32_t>(), lines, a.reverse, Join<int32_t>{});
    default:
      return run_along(x.as<int64_t>(), y.as<int64_t>(), lines, a.reverse, Join<int64_t>{});
  }
}

template <class T>
struct Product {
  __device__ __forceinline__ T identity() const { return T(1); }
  __device__ __forceinline__ T join(T a, T b) const { return scalar::multiply(a, b); }
};

const char* cumulative_type(SpecSpan in, const CumulativeAttrs&) {
  const bool known = size_of(in[0].dtype) >= 4 && !is_unsigned(in[0].dtype);
  return known ? nullptr : "wants float32, float64, int32 or int64: cast first";
}

}  // namespace

#define PH_REDUCE(name, ...) PH_KERNELS(name, kernel<reduce_to_number<__VA_ARGS__>, nullptr, slices_bytes>("slices"))
PH_REDUCE(reduce_sum, Operation::sum);
PH_REDUCE(reduce_prod, Operation::prod);
PH_REDUCE(reduce_max, Operation::max);
PH_REDUCE(reduce_min, Operation::min);
PH_REDUCE(reduce_mean, Operation::sum, true);
PH_REDUCE(reduce_all, Operation::all);
PH_REDUCE(reduce_any, Operation::any);
#undef PH_REDUCE
PH_KERNELS(argmax, kernel<arg<true>, nullptr, position_bytes>("slices"));
PH_KERNELS(argmin, kernel<arg<false>, nullptr, position_bytes>("slices"));
PH_KERNELS(cumsum, kernel<cumulate<Sum>, cumulative_type>("lines"));
PH_KERNELS(cumprod, kernel<cumulate<Product>, cumulative_type>("lines"));

}  // namespace ph::cuda
