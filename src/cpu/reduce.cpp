// Reductions. Axes are merged into runs that are all reduced or all kept; runs are reduced one after the other. Each is
// a step (outer, reduced, inner) -> (outer, inner): a row (inner == 1) is taken in interleaved parts, columns are taken
// row by row; both halve long runs first, so that rounding errors of sums grow with the logarithm. The order of
// additions depends on the shape alone.
#include "ops/reduce.h"

#include <cmath>

#include "core/scalar.h"
#include "core/thread_pool.h"
#include "cpu/halves.h"

namespace ph::PH_LEVEL {

namespace {

// A reduction over neighbouring axes: (outer, reduced, inner) -> (outer, inner).
struct Pattern {
  int64_t outer = 1, reduced = 1, inner = 1;
};

// The axes, neighbours of a kind merged: kept and reduced runs take turns.
struct Runs {
  int count = 0, reduced_count = 0;
  int64_t size[Shape::max_rank];
  bool reduced[Shape::max_rank];

  PH_INLINE void add(int64_t n, bool is_reduced) {
    if (n == 1) return;
    if (count > 0 && reduced[count - 1] == is_reduced) {
      size[count - 1] *= n;
    } else {
      size[count] = n;
      reduced[count++] = is_reduced;
      reduced_count += is_reduced;
    }
  }
  PH_INLINE Runs without(int run) const {
    Runs rest;
    for (int i = 0; i < count; ++i) {
      if (i != run) rest.add(size[i], reduced[i]);
    }
    return rest;
  }
  PH_INLINE int last_reduced() const {
    int i = count - 1;
    while (i >= 0 && !reduced[i]) --i;
    return i;
  }
  // Everything before and after one run taken together.
  PH_INLINE Pattern around(int run) const {
    Pattern p;
    for (int i = 0; i < count; ++i) (i < run ? p.outer : i == run ? p.reduced : p.inner) *= size[i];
    if (run < 0) p.outer = p.inner, p.inner = 1;
    return p;
  }
};

PH_INLINE bool is_reduced(const ReduceAttrs& a, int axis, int rank) {
  for (const int64_t each : a.axes) {
    if ((each < 0 ? each + rank : each) == axis) return true;
  }
  return a.axes.size() == 0;
}

PH_INLINE Runs runs_of(const Shape& shape, const ReduceAttrs& a) {
  Runs runs;
  for (int i = 0; i < shape.rank(); ++i) runs.add(shape[i], is_reduced(a, i, shape.rank()));
  return runs;
}

PH_INLINE int64_t reduced_size(const Runs& runs) {
  int64_t n = 1;
  for (int i = 0; i < runs.count; ++i) n *= runs.reduced[i] ? runs.size[i] : 1;
  return n;
}

// Elements of the two buffers between the steps of a reduction over several runs.
PH_INLINE int64_t steps_size(const Runs& runs) {
  if (runs.reduced_count < 2) return 0;
  const Pattern p = runs.around(runs.last_reduced());
  return 2 * p.outer * p.inner;
}

struct Sum {
  template <class T>
  static PH_INLINE T start() {
    return 0;
  }
  template <class T>
  static PH_INLINE T join(T a, T b) {
    return static_cast<T>(scalar::Wrapping<T>(a) + scalar::Wrapping<T>(b));
  }
};
struct Prod {
  template <class T>
  static PH_INLINE T start() {
    return 1;
  }
  template <class T>
  static PH_INLINE T join(T a, T b) {
    return static_cast<T>(scalar::Wrapping<T>(a) * scalar::Wrapping<T>(b));
  }
};
// A NaN anywhere makes the extremum NaN, as in NumPy.
struct Max {
  template <class T>
  static PH_INLINE T start() {
    return std::is_floating_point_v<T> ? T(-INFINITY) : lowest<T>();
  }
  template <class T>
  static PH_INLINE T lowest() {
    return sizeof(T) == 4 ? T(INT32_MIN) : T(INT64_MIN);
  }
  template <class T>
  static PH_INLINE T join(T a, T b) {
    return a > b || a != a ? a : b;
  }
};
struct Min {
  template <class T>
  static PH_INLINE T start() {
    return std::is_floating_point_v<T> ? T(INFINITY) : highest<T>();
  }
  template <class T>
  static PH_INLINE T highest() {
    return sizeof(T) == 4 ? T(INT32_MAX) : T(INT64_MAX);
  }
  template <class T>
  static PH_INLINE T join(T a, T b) {
    return a < b || a != a ? a : b;
  }
};

template <class R, class T>
T reduce_row(const T* x, int64_t n) {
  constexpr int64_t lanes = 64 / sizeof(T) * 2, block = 1024;
  if (n < lanes) {
    T total = R::template start<T>();
    for (int64_t i = 0; i < n; ++i) total = R::join(total, x[i]);
    return total;
  }
  if (n > block) {
    const int64_t half = (n / 2 + lanes - 1) / lanes * lanes;
    return R::join(reduce_row<R>(x, half), reduce_row<R>(x + half, n - half));
  }
  T partial[lanes];
  for (int64_t l = 0; l < lanes; ++l) partial[l] = R::template start<T>();
  int64_t i = 0;
  for (; i + lanes <= n; i += lanes) {
    for (int64_t l = 0; l < lanes; ++l) partial[l] = R::join(partial[l], x[i + l]);
  }
  for (int64_t width = lanes / 2; width > 0; width /= 2) {
    for (int64_t l = 0; l < width; ++l) partial[l] = R::join(partial[l], partial[l + width]);
  }
  T total = partial[0];
  for (; i < n; ++i) total = R::join(total, x[i]);
  return total;
}

constexpr int64_t strip = 256;  // columns taken together

// y[0, columns) of x (rows, columns) whose rows are `stride` apart; columns <= strip.
template <class R, class T>
void reduce_columns(const T* x, T* y, int64_t rows, int64_t columns, int64_t stride) {
  constexpr int64_t block = 64;
  if (rows > block) {
    T second[strip];
    const int64_t half = rows / 2;
    reduce_columns<R>(x, y, half, columns, stride);
    reduce_columns<R>(x + half * stride, second, rows - half, columns, stride);
    for (int64_t j = 0; j < columns; ++j) y[j] = R::join(y[j], second[j]);
    return;
  }
  T total[strip];
  for (int64_t j = 0; j < columns; ++j) total[j] = R::template start<T>();
  for (int64_t r = 0; r < rows; ++r) {
    for (int64_t j = 0; j < columns; ++j) total[j] = R::join(total[j], x[r * stride + j]);
  }
  for (int64_t j = 0; j < columns; ++j) y[j] = total[j];
}

template <class R, class T>
void reduce_simple(const T* x, T* y, const Pattern& p) {
  if (p.inner == 1) {
    const int64_t rows_per_chunk = p.reduced < 16384 ? 16384 / (p.reduced ? p.reduced : 1) : 1;
    parallel_for((p.outer + rows_per_chunk - 1) / rows_per_chunk, 0.1 * static_cast<double>(p.reduced * rows_per_chunk),
                 [&](int64_t chunk) {
                   const int64_t end = (chunk + 1) * rows_per_chunk < p.outer ? (chunk + 1) * rows_per_chunk : p.outer;
                   for (int64_t o = chunk * rows_per_chunk; o < end; ++o)
                     y[o] = reduce_row<R>(x + o * p.reduced, p.reduced);
                 });
    return;
  }
  // few columns and many rows: the rows are cut too, into a number of slices that the shape decides
  const int64_t strips = (p.inner + strip - 1) / strip;
  constexpr int64_t most_slices = 16;
  const int64_t slices = p.outer * strips == 1 && p.reduced * p.inner > 1 << 16 ? most_slices : 1;
  if (slices == 1) {
    parallel_for(p.outer * strips, 0.1 * static_cast<double>(p.reduced * (p.inner < strip ? p.inner : strip)),
                 [&](int64_t chunk) {
                   const int64_t o = chunk / strips, begin = chunk % strips * strip;
                   const int64_t n = p.inner - begin < strip ? p.inner - begin : strip;
                   reduce_columns<R>(x + o * p.reduced * p.inner + begin, y + o * p.inner + begin, p.reduced, n,
                                     p.inner);
                 });
    return;
  }
  T partial[most_slices][strip];
  parallel_for(slices, 0.1 * static_cast<double>(p.reduced * p.inner / slices), [&](int64_t s) {
    const int64_t begin = p.reduced * s / slices, end = p.reduced * (s + 1) / slices;
    reduce_columns<R>(x + begin * p.inner, partial[s], end - begin, p.inner, p.inner);
  });
  for (int64_t j = 0; j < p.inner; ++j) {
    T total = partial[0][j];
    for (int64_t s = 1; s < slices; ++s) total = R::join(total, partial[s][j]);
    y[j] = total;
  }
}

// One run after the other, the last first.
template <class R, class T>
void reduce_typed(const KernelCall& k, const ReduceAttrs& a) {
  Runs runs = runs_of(k.in[0].shape, a);
  const T* from = k.in[0].as<T>();
  T* spare = static_cast<T*>(k.workspace);
  T* other = spare + steps_size(runs) / 2;
  while (runs.reduced_count > 1) {
    const int run = runs.last_reduced();
    reduce_simple<R>(from, spare, runs.around(run));
    runs = runs.without(run);
    from = spare;
    spare = other;
    other = const_cast<T*>(from);
  }
  reduce_simple<R>(from, k.out[0].as<T>(), runs.around(runs.last_reduced()));
}

const char* native_type(SpecSpan in, const ReduceAttrs&) {
  switch (in[0].dtype) {
    case DType::float32:
    case DType::float64:
    case DType::int32:
    case DType::int64:
      return nullptr;
    default:
      return "a type that is converted first";
  }
}

size_t steps_bytes(SpecSpan in, const ReduceAttrs& a) {
  return static_cast<size_t>(steps_size(runs_of(in[0].shape, a))) * size_of(in[0].dtype);
}

template <class R>
void reduce(const KernelCall& k, const ReduceAttrs& a) {
  switch (k.in[0].dtype) {
    case DType::float32:
      return reduce_typed<R, float>(k, a);
    case DType::float64:
      return reduce_typed<R, double>(k, a);
    case DType::int32:
      return reduce_typed<R, int32_t>(k, a);
    default:
      return reduce_typed<R, int64_t>(k, a);
  }
}

// Narrow integers: through a copy in a wide type, which lies in the workspace.

// x and y in the wide type, each followed by padding, and the steps between them.
size_t converted_bytes(SpecSpan in, const ReduceAttrs& a) {
  return static_cast<size_t>(2 * in[0].shape.size() + 16 + steps_size(runs_of(in[0].shape, a))) * 8 + 64;
}

template <class R>
void reduce_converted(const KernelCall& k, const ReduceAttrs& a) {
  int64_t* x = static_cast<int64_t*>(k.workspace);
  int64_t* y = x + (k.in[0].size() + 7) / 8 * 8;
  int64_t* steps = y + (k.out[0].size() + 7) / 8 * 8;
  load_converted(x, k.in[0].data, k.in[0].dtype, k.in[0].size());
  const View in{x, k.in[0].shape, DType::int64}, out{y, k.out[0].shape, DType::int64};
  const KernelCall inner{{&in, 1}, {&out, 1}, steps};
  reduce_typed<R, int64_t>(inner, a);
  store_converted(k.out[0].data, y, k.out[0].dtype, k.out[0].size());
}

void mean_after_sum(const View& out, double count) {
  if (out.dtype == DType::float32) {
    for (int64_t i = 0; i < out.size(); ++i) out.as<float>()[i] /= static_cast<float>(count);
  } else {
    for (int64_t i = 0; i < out.size(); ++i) out.as<double>()[i] /= count;
  }
}

void mean(const KernelCall& k, const ReduceAttrs& a) {
  reduce<Sum>(k, a);
  mean_after_sum(k.out[0], static_cast<double>(reduced_size(runs_of(k.in[0].shape, a))));
}

// float16 and bfloat16
template <auto run>
void reduce_half(const KernelCall& k, const ReduceAttrs& a) {
  const size_t steps = static_cast<size_t>(steps_size(runs_of(k.in[0].shape, a))) * sizeof(float);
  run_whole_in_float(k, steps, [&](const KernelCall& wide) { run(wide, a); });
}

size_t half_bytes(SpecSpan in, const ReduceAttrs& a) {
  const size_t steps = static_cast<size_t>(steps_size(runs_of(in[0].shape, a))) * sizeof(float);
  // the result is no larger than the input, but for that of an empty one
  int64_t kept = 1;
  for (int i = 0; i < in[0].shape.rank(); ++i) kept *= is_reduced(a, i, in[0].shape.rank()) ? 1 : in[0].shape[i];
  return whole_copies_bytes(steps, copy_size(in[0].dtype, in[0].shape.size()) + copy_size(in[0].dtype, kept));
}

// Whether `now`, which comes later, takes the place: the first of equals stays, the first NaN wins, as in NumPy.
template <bool is_max, class T>
PH_INLINE bool replaces(T now, T held) {
  return (is_max ? now > held : now < held) | ((now != now) & (held == held));
}

// Positions in n rows of at most `strip` columns that are `stride` apart.
template <bool is_max, class T>
void arg_columns(const T* x, int32_t* y, int64_t n, int64_t columns, int64_t stride) {
  T held[strip];
  int32_t best[strip];
  for (int64_t i = 0; i < columns; ++i) held[i] = x[i], best[i] = 0;
  for (int64_t j = 1; j < n; ++j) {
    for (int64_t i = 0; i < columns; ++i) {
      const T now = x[j * stride + i];
      const bool better = replaces<is_max>(now, held[i]);
      held[i] = better ? now : held[i];
      best[i] = better ? static_cast<int32_t>(j) : best[i];
    }
  }
  for (int64_t i = 0; i < columns; ++i) y[i] = best[i];
}

template <bool is_max, class T>
int32_t arg_row(const T* x, int64_t n) {
  int64_t best = 0;
  for (int64_t j = 1; j < n; ++j) {
    if (replaces<is_max>(x[j], x[best])) best = j;
  }
  return static_cast<int32_t>(best);
}

template <bool is_max, class T>
void arg_typed(const KernelCall& k, const ArgAttrs& a) {
  const Shape& shape = k.in[0].shape;
  const int axis = static_cast<int>(a.axis < 0 ? a.axis + shape.rank() : a.axis);
  const int64_t outer = shape.product(0, axis), n = shape[axis], inner = shape.product(axis + 1, shape.rank());
  const T* x = k.in[0].as<T>();
  int32_t* y = k.out[0].as<int32_t>();
  const int64_t strips = (inner + strip - 1) / strip;
  parallel_for(outer * strips, static_cast<double>(n * (inner < strip ? inner : strip)), [&](int64_t chunk) {
    const int64_t o = chunk / strips, begin = chunk % strips * strip;
    if (inner == 1) {
      y[o] = arg_row<is_max>(x + o * n, n);
    } else {
      const int64_t columns = inner - begin < strip ? inner - begin : strip;
      arg_columns<is_max>(x + o * n * inner + begin, y + o * inner + begin, n, columns, inner);
    }
  });
}

template <bool is_max>
void arg(const KernelCall& k, const ArgAttrs& a) {
  switch (k.in[0].dtype) {
    case DType::float32:
      return arg_typed<is_max, float>(k, a);
    case DType::float64:
      return arg_typed<is_max, double>(k, a);
    case DType::int32:
      return arg_typed<is_max, int32_t>(k, a);
    case DType::int64:
      return arg_typed<is_max, int64_t>(k, a);
    case DType::int8:
      return arg_typed<is_max, int8_t>(k, a);
    case DType::int16:
      return arg_typed<is_max, int16_t>(k, a);
    case DType::bool_:
    case DType::uint8:
      return arg_typed<is_max, uint8_t>(k, a);
    case DType::uint16:
      return arg_typed<is_max, uint16_t>(k, a);
    case DType::uint32:
      return arg_typed<is_max, uint32_t>(k, a);
    default:
      return arg_typed<is_max, uint64_t>(k, a);
  }
}

const char* ordered_as_stored(SpecSpan in, const ArgAttrs&) {
  return is_half(in[0].dtype) ? "half floats are not ordered by their bits" : nullptr;
}

template <auto run, class Attrs>
void along_axis_in_float(const KernelCall& k, const Attrs& a) {
  const int rank = k.in[0].shape.rank(), lead = static_cast<int>(a.axis < 0 ? a.axis + rank : a.axis);
  Attrs within = a;
  within.axis = lead > 0;
  run_pieces_in_float(k, lead, 1, 1.0, [&](const KernelCall& piece, int64_t) { run(piece, within); });
}

template <class R, class T>
void cumulate_typed(const KernelCall& k, const CumulativeAttrs& a) {
  const Shape& shape = k.in[0].shape;
  const int axis = static_cast<int>(a.axis < 0 ? a.axis + shape.rank() : a.axis);
  const int64_t outer = shape.product(0, axis), n = shape[axis], inner = shape.product(axis + 1, shape.rank());
  parallel_for(outer, 2.0 * static_cast<double>(n * inner), [&](int64_t o) {
    const T* x = k.in[0].as<T>() + o * n * inner;
    T* y = k.out[0].as<T>() + o * n * inner;
    for (int64_t step = 0; step < n; ++step) {
      const int64_t j = a.reverse ? n - 1 - step : step, before = a.reverse ? j + 1 : j - 1;
      for (int64_t i = 0; i < inner; ++i) {
        y[j * inner + i] = step ? R::join(y[before * inner + i], x[j * inner + i]) : x[j * inner + i];
      }
    }
  });
}

template <class R>
void cumulate(const KernelCall& k, const CumulativeAttrs& a) {
  switch (k.in[0].dtype) {
    case DType::float32:
      return cumulate_typed<R, float>(k, a);
    case DType::float64:
      return cumulate_typed<R, double>(k, a);
    case DType::int32:
      return cumulate_typed<R, int32_t>(k, a);
    default:
      return cumulate_typed<R, int64_t>(k, a);
  }
}

const char* cumulative_type(SpecSpan in, const CumulativeAttrs&) {
  const bool known = size_of(in[0].dtype) >= 4 && !is_unsigned(in[0].dtype);
  return known ? nullptr : "wants float32, float64, int32 or int64: cast first";
}

// Booleans are bytes of 0 or 1.
struct All {
  template <class T>
  static PH_INLINE T start() {
    return 1;
  }
  template <class T>
  static PH_INLINE T join(T a, T b) {
    return a & b;
  }
};
struct Any {
  template <class T>
  static PH_INLINE T start() {
    return 0;
  }
  template <class T>
  static PH_INLINE T join(T a, T b) {
    return a | b;
  }
};

}  // namespace

#define PH_REDUCTION(op, R)                                                                                      \
  PH_KERNELS(op, kernel<reduce<R>, native_type, steps_bytes>("pairwise"),                                        \
             kernel<reduce_half<reduce_typed<R, float>>, half_float<ReduceAttrs>, half_bytes>("converted_half"), \
             kernel<reduce_converted<R>, nullptr, converted_bytes>("converted"))
PH_REDUCTION(reduce_sum, Sum);
PH_REDUCTION(reduce_prod, Prod);
PH_REDUCTION(reduce_max, Max);
PH_REDUCTION(reduce_min, Min);
#undef PH_REDUCTION
PH_KERNELS(reduce_mean, kernel<mean, native_type, steps_bytes>("pairwise"),
           kernel<reduce_half<mean>, half_float<ReduceAttrs>, half_bytes>("converted_half"));
PH_KERNELS(reduce_all, kernel<reduce_typed<All, uint8_t>, nullptr, steps_bytes>("pairwise"));
PH_KERNELS(reduce_any, kernel<reduce_typed<Any, uint8_t>, nullptr, steps_bytes>("pairwise"));
PH_KERNELS(argmax, kernel<arg<true>, ordered_as_stored>("plain"),
           kernel<along_axis_in_float<arg_typed<true, float>, ArgAttrs>>("converted"));
PH_KERNELS(argmin, kernel<arg<false>, ordered_as_stored>("plain"),
           kernel<along_axis_in_float<arg_typed<false, float>, ArgAttrs>>("converted"));
PH_KERNELS(
    cumsum, kernel<cumulate<Sum>, cumulative_type>("plain"),
    kernel<along_axis_in_float<cumulate_typed<Sum, float>, CumulativeAttrs>, half_float<CumulativeAttrs>>("converted"));
PH_KERNELS(cumprod, kernel<cumulate<Prod>, cumulative_type>("plain"),
           kernel<along_axis_in_float<cumulate_typed<Prod, float>, CumulativeAttrs>, half_float<CumulativeAttrs>>(
               "converted"));

}  // namespace ph::PH_LEVEL
