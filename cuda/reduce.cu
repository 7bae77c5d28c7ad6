// Reductions over axes, positions of extrema, running sums and products.
//
// float16 and bfloat16 are added up in float32, float32 and float64 in their own type by partial sums that are joined
// in a tree (cuda/reduction.h). Integers wrap round, as in NumPy; narrow ones are added up as int64. A NaN anywhere
// makes an extremum NaN, and is the position of one.
#include <cmath>

#include "core/scalar.h"
#include "cuda/cumulate.h"
#include "cuda/halves.h"
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

// Elements stored as S, or as their dtype says, where S is one of a few that need not be fast.
struct Halves {};          // float16, bfloat16
struct NarrowIntegers {};  // and bool

template <class S, class Body>
__device__ __forceinline__ void with_stored(DType dtype, Body&& body) {
  if constexpr (std::is_same_v<S, Halves>) {
    dtype == DType::float16 ? body(Float16()) : body(BFloat16());
  } else if constexpr (std::is_same_v<S, NarrowIntegers>) {
    switch (dtype) {
      case DType::int8:
        return body(int8_t());
      case DType::int16:
        return body(int16_t());
      case DType::uint16:
        return body(uint16_t());
      case DType::uint32:
        return body(uint32_t());
      default:
        return body(uint8_t());
    }
  } else {
    body(S());
  }
}

template <class S, int V>
struct Source {
  const void* data;
  DType dtype;

  template <class T>
  __device__ __forceinline__ void load(T (&to)[V], int64_t offset) const {
    with_stored<S>(dtype,
                   [&](auto stored) { load_vector(to, static_cast<const decltype(stored)*>(data) + offset * V); });
  }
};

// Policy of a reduction to one number of type T.
template <class T, class S, int V, class Join>
struct Fold {
  static constexpr int vector = V, in_flight = V == 8 ? 2 : 4;
  struct Context {};
  using Item = T;
  using Part = T;
  using Total = T;

  Join operation;
  Source<S, V> x;
  void* y;
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
    with_stored<S>(x.dtype, [&](auto stored) {
      using Stored = decltype(stored);
      static_cast<Stored*>(y)[output] = store_as<Stored>(total);
    });
  }
};

Reduction reduction_of(const Shape& shape, const ReduceAttrs& a) {
  bool reduced[Shape::max_rank];
  for (int i = 0; i < shape.rank(); ++i) reduced[i] = a.axes.size() == 0;
  for (const int64_t axis : a.axes) reduced[axis < 0 ? axis + shape.rank() : axis] = true;
  return make_reduction(shape, reduced);
}

// Sums, the reductions that take much of a training step, load 16 bytes at a time and know their join when compiled.
int vector_of(DType dtype, Operation operation) {
  if (operation != Operation::sum) return 1;
  return dtype == DType::float32 ? 4 : dtype == DType::float16 || dtype == DType::bfloat16 ? 8 : 1;
}

template <Operation operation>
size_t slices_bytes(SpecSpan in, const ReduceAttrs& a) {
  const Reduction r = reduction_of(in[0].shape, a);
  const int64_t slices = r.slices(vector_of(in[0].dtype, operation));
  return slices == 1 ? 0 : static_cast<size_t>(slices * r.outputs) * sizeof(int64_t);
}

template <class T, class S, int V, class Join>
void fold(const KernelCall& k, const Reduction& r, int64_t slices, T divisor, Join join) {
  reduce(Fold<T, S, V, Join>{join, {k.in[0].data, k.in[0].dtype}, k.out[0].data, divisor}, r, slices, k.workspace);
}

template <Operation operation, bool is_mean = false>
void reduce_to_number(const KernelCall& k, const ReduceAttrs& a) {
  const View& x = k.in[0];
  const Reduction r = reduction_of(x.shape, a);
  const int vector = vector_of(x.dtype, operation);
  const int64_t slices = r.slices(vector);
  const int64_t divisor = is_mean ? r.count : 1;
  if (vector > 1 && r.divisible(vector) && is_aligned(x.data)) {
    const float by = static_cast<float>(divisor);
    if (x.dtype == DType::float32) return fold<float, float, 4>(k, r, slices, by, Sum<float>{});
    if (x.dtype == DType::float16) return fold<float, Float16, 8>(k, r, slices, by, Sum<float>{});
    return fold<float, BFloat16, 8>(k, r, slices, by, Sum<float>{});
  }
  const auto run = [&](auto computed, auto stored) {
    using T = decltype(computed);
    fold<T, decltype(stored), 1>(k, r, slices, static_cast<T>(divisor), Chosen<T>{operation});
  };
  switch (x.dtype) {
    case DType::float32:
      return run(float(), float());
    case DType::float16:
    case DType::bfloat16:
      return run(float(), Halves());
    case DType::float64:
      return run(double(), double());
    case DType::int32:
      return run(int32_t(), int32_t());
    case DType::int64:
      return run(int64_t(), int64_t());
    case DType::uint64:
      return run(uint64_t(), uint64_t());
    case DType::bool_:
      return run(int32_t(), bool());
    default:
      return run(int64_t(), NarrowIntegers());
  }
}

// Policy of the position of an extremum: the first of equals, and the first NaN, as in NumPy.
template <class T, class S>
struct Position {
  static constexpr int vector = 1, in_flight = std::is_same_v<S, NarrowIntegers> ? 1 : 2;
  struct Context {};
  struct Item {
    T value;
    int32_t index;  // -1: none yet
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
    item[0] = {value[0], static_cast<int32_t>(index)};
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
  __device__ __forceinline__ void store(int64_t output, Item total) const { y[output] = total.index; }
};

Reduction reduction_of(const Shape& shape, const ArgAttrs& a) {
  return reduction_of(shape, ReduceAttrs{IntList{a.axis}, false});
}

size_t position_bytes(SpecSpan in, const ArgAttrs& a) {
  const Reduction r = reduction_of(in[0].shape, a);
  const int64_t slices = r.slices(1);
  return slices == 1 ? 0 : static_cast<size_t>(slices * r.outputs) * sizeof(Position<double, double>::Item);
}

template <bool is_max>
void arg(const KernelCall& k, const ArgAttrs& a) {
  const View& x = k.in[0];
  const Reduction r = reduction_of(x.shape, a);
  const auto run = [&](auto computed, auto stored) {
    using Policy = Position<decltype(computed), decltype(stored)>;
    reduce(Policy{is_max, {x.data, x.dtype}, k.out[0].as<int32_t>()}, r, r.slices(1), k.workspace);
  };
  switch (x.dtype) {
    case DType::float32:
      return run(float(), float());
    case DType::float16:
    case DType::bfloat16:
      return run(float(), Halves());
    case DType::float64:
      return run(double(), double());
    case DType::int32:
      return run(int32_t(), int32_t());
    case DType::int64:
      return run(int64_t(), int64_t());
    case DType::uint64:
      return run(uint64_t(), uint64_t());
    default:
      return run(int64_t(), NarrowIntegers());
  }
}

template <template <class> class Join>
void cumulate(const KernelCall& k, const CumulativeAttrs& a) {
  const Lines lines = lines_along(k.in[0].shape, a.axis);
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

size_t cumulated_bytes(SpecSpan in, const CumulativeAttrs&) { return copy_bytes(in[0].dtype, in[0].shape.size()); }

}  // namespace

#define PH_REDUCE(name, operation, is_mean) \
  PH_KERNELS(name, kernel<reduce_to_number<operation, is_mean>, nullptr, slices_bytes<operation>>("slices"))
PH_REDUCE(reduce_sum, Operation::sum, false);
PH_REDUCE(reduce_prod, Operation::prod, false);
PH_REDUCE(reduce_max, Operation::max, false);
PH_REDUCE(reduce_min, Operation::min, false);
PH_REDUCE(reduce_mean, Operation::sum, true);
PH_REDUCE(reduce_all, Operation::all, false);
PH_REDUCE(reduce_any, Operation::any, false);
#undef PH_REDUCE
PH_KERNELS(argmax, kernel<arg<true>, nullptr, position_bytes>("slices"));
PH_KERNELS(argmin, kernel<arg<false>, nullptr, position_bytes>("slices"));
PH_KERNELS(cumsum, kernel<cumulate<Sum>, cumulative_type>("lines"), through_float<cumulate<Sum>, cumulated_bytes>());
PH_KERNELS(cumprod, kernel<cumulate<Product>, cumulative_type>("lines"),
           through_float<cumulate<Product>, cumulated_bytes>());

}  // namespace ph::cuda
