// Batch and layer normalization, in the tensor's own type (float32, float64; float16 and bfloat16 through
// float32).
//
// Batch: x is seen as (outer, channels, inner). Moments come from one pass over x (cuda/reduction.h): each thread adds
// up distances from the first of every few elements, so that no digits cancel, and the parts are joined as mean and sum
// of squared distances (Chan, Golub, LeVeque, 1979). A second pass normalizes. Backwards: a pass of sums, then a pass
// that writes dx.
//
// Layer: a row is held by a group of threads (cuda/rows.h), its variance taken around its mean. dgamma and dbeta are
// sums over columns.
#include "cuda/channels.h"
#include "cuda/halves.h"
#include "cuda/reduction.h"
#include "cuda/rows.h"
#include "ops/norm.h"

namespace ph::cuda {

namespace {

constexpr int float_vector = per_16_bytes<float>;

int vector_of(DType dtype) { return dtype == DType::float32 ? float_vector : 1; }

// body(T(), V) with the type of the tensors and the number of elements loaded together.
template <class Body>
void with_vector(DType dtype, bool fits, Body body) {
  if (dtype == DType::float64) return body(double(), std::integral_constant<int, 1>());
  if (fits) return body(float(), std::integral_constant<int, float_vector>());
  body(float(), std::integral_constant<int, 1>());
}

// The channels' part of a reduction over all other axes.
Reduction over_all_but(const Shape& shape, int64_t axis) {
  bool reduced[Shape::max_rank];
  for (int i = 0; i < shape.rank(); ++i) reduced[i] = i != (axis < 0 ? axis + shape.rank() : axis);
  return make_reduction(shape, reduced);
}

// (outer, channels, inner), a single channel's elements all in inner.
Lines channels_of(const Shape& shape, int64_t axis) {
  const Lines lines = lines_along(shape, axis);
  return lines.n == 1 ? Lines(1, 1, lines.count()) : lines;
}

size_t slices_bytes(const Reduction& r, DType dtype, size_t total_bytes) {
  const int64_t slices = r.slices(vector_of(dtype));
  return slices == 1 ? 0 : static_cast<size_t>(slices * r.outputs) * total_bytes;
}

template <class T>
__device__ __forceinline__ T reciprocal_deviation(T variance, T epsilon) {
  return 1 / scalar::sqrt(variance + epsilon);
}

// Policy of the moments of each channel.
template <class T, int V>
struct Moments {
  static constexpr int vector = V, in_flight = 4;
  struct Context {};
  using Item = T;
  struct Part {
    T origin, sum, square;
    int count;
  };
  struct Total {
    T count, mean, squares;
  };

  const T* x;
  T *mean, *variance;

  __device__ __forceinline__ void prepare(Context&, int64_t, int) const {}
  __device__ __forceinline__ void load(T (&item)[V], const Context&, int64_t offset, int64_t) const {
    load_vector(item, x + offset * V);
  }
  __device__ __forceinline__ Part start() const { return {0, 0, 0, 0}; }
  __device__ __forceinline__ void add(Part& part, T item) const {
    if (part.count == 0) part.origin = item;
    const T distance = item - part.origin;
    part.sum += distance;
    part.square += distance * distance;
    ++part.count;
  }
  __device__ __forceinline__ Total identity() const { return {0, 0, 0}; }
  __device__ __forceinline__ Total total(const Part& part) const {
    if (part.count == 0) return identity();
    const T count = static_cast<T>(part.count), share = part.sum / count;
    const T spread = part.square - share * part.sum;
    return {count, part.origin + share, spread < 0 ? T(0) : spread};
  }
  __device__ __forceinline__ Total join(const Total& a, const Total& b) const {
    if (b.count == 0) return a;
    if (a.count == 0) return b;
    const T count = a.count + b.count, share = b.count / count, distance = b.mean - a.mean;
    return {count, a.mean + distance * share, a.squares + b.squares + distance * distance * (a.count * share)};
  }
  __device__ __forceinline__ void store(int64_t channel, const Total& total) const {
    mean[channel] = total.mean;
    variance[channel] = total.squares / total.count;
  }
};

// y = activation(gamma * (x - mean) / sqrt(variance + epsilon) + beta); y may be x.
template <class T, int V>
struct Normalize {
  static constexpr int vector = V;
  struct Context {
    T centre[V], scale[V], offset[V];
  };

  const T *x, *gamma, *beta, *mean, *variance;
  T* y;
  T epsilon;
  bool relu;

  __device__ __forceinline__ void prepare(Context& context, int64_t channel, int step) const {
    PH_UNROLL
    for (int v = 0; v < V; ++v) {
      const int64_t c = channel + v * step;
      context.centre[v] = mean[c];
      context.scale[v] = gamma[c] * reciprocal_deviation(variance[c], epsilon);
      context.offset[v] = beta[c];
    }
  }
  __device__ __forceinline__ void apply(const Context& context, int64_t offset) const {
    T value[V];
    load_vector(value, x + offset * V);
    PH_UNROLL
    for (int v = 0; v < V; ++v) {
      value[v] = (value[v] - context.centre[v]) * context.scale[v] + context.offset[v];
      if (relu) value[v] = scalar::relu(value[v]);
    }
    store_vector(y + offset * V, value);
  }
};

size_t batch_norm_bytes(SpecSpan in, const BatchNormAttrs& a) {
  const size_t total = 3 * size_of(in[0].dtype);
  return slices_bytes(over_all_but(in[0].shape, a.axis), in[0].dtype, total);
}

bool loads_vectors(const Reduction& r, const KernelCall& k) {
  bool aligned = is_aligned(k.out[0].data);
  for (const View& each : k.in) aligned = aligned && (each.size() != k.in[0].size() || is_aligned(each.data));
  return aligned && r.divisible(float_vector);
}

void batch_norm(const KernelCall& k, const BatchNormAttrs& a) {
  const Reduction r = over_all_but(k.in[0].shape, a.axis);
  const Lines lines = channels_of(k.in[0].shape, a.axis);
  with_vector(k.in[0].dtype, loads_vectors(r, k), [&](auto type, auto V) {
    using T = decltype(type);
    const T *x = k.in[0].as<T>(), *gamma = k.in[1].as<T>(), *beta = k.in[2].as<T>();
    T *y = k.out[0].as<T>(), *mean = k.out[1].as<T>(), *variance = k.out[2].as<T>();
    reduce(Moments<T, V()>{x, mean, variance}, r, r.slices(vector_of(k.in[0].dtype)), k.workspace);
    const bool relu = a.activation == Activation::relu;
    for_channels(Normalize<T, V()>{x, gamma, beta, mean, variance, y, static_cast<T>(a.epsilon), relu}, lines);
  });
}

// dy, or where a ReLU followed, what of it passed: y is the ReLU's result.
template <class T, int V>
__device__ __forceinline__ void load_slopes(T (&slope)[V], const T* dy, const T* y, int64_t offset) {
  load_vector(slope, dy + offset * V);
  if (!y) return;
  T result[V];
  load_vector(result, y + offset * V);
  PH_UNROLL
  for (int v = 0; v < V; ++v) slope[v] = scalar::relu_grad(slope[v], result[v]);
}

template <class T>
struct TwoSums {
  T sum, product;
};

// What policies share that sum slopes, and slopes times something.
template <class T>
struct SlopeSums {
  using Item = TwoSums<T>;
  using Part = TwoSums<T>;
  using Total = TwoSums<T>;

  __device__ __forceinline__ Part start() const { return {0, 0}; }
  __device__ __forceinline__ Total identity() const { return {0, 0}; }
  __device__ __forceinline__ void add(Part& part, const Item& item) const { part = join(part, item); }
  __device__ __forceinline__ Total total(const Part& part) const { return part; }
  __device__ __forceinline__ Total join(const Total& a, const Total& b) const {
    return {a.sum + b.sum, a.product + b.product};
  }
};

// Policy of dbeta and dgamma of each channel: the sums of dy and of dy * (x - mean) / deviation.
template <class T, int V>
struct BatchSums : SlopeSums<T> {
  static constexpr int vector = V, in_flight = 2;
  struct Context {
    T mean[V];
  };

  const T *x, *mean, *variance, *dy, *y;
  T *dgamma, *dbeta;
  T epsilon;

  __device__ __forceinline__ void prepare(Context& context, int64_t channel, int step) const {
    PH_UNROLL
    for (int v = 0; v < V; ++v) context.mean[v] = mean[channel + v * step];
  }
  __device__ __forceinline__ void load(TwoSums<T> (&item)[V], const Context& context, int64_t offset, int64_t) const {
    T value[V], slope[V];
    load_vector(value, x + offset * V);
    load_slopes(slope, dy, y, offset);
    PH_UNROLL
    for (int v = 0; v < V; ++v) item[v] = {slope[v], slope[v] * (value[v] - context.mean[v])};
  }
  __device__ __forceinline__ void store(int64_t channel, const TwoSums<T>& total) const {
    dbeta[channel] = total.sum;
    dgamma[channel] = total.product * reciprocal_deviation(variance[channel], epsilon);
  }
};

// dx = gamma * rstd * (dy - mean(dy) - (x - mean) * rstd^2 * mean(dy * (x - mean)))
template <class T, int V>
struct BatchSlopes {
  static constexpr int vector = V;
  struct Context {
    T centre[V], scale[V], average[V], slope[V];
  };

  const T *x, *gamma, *mean, *variance, *dy, *y, *dgamma, *dbeta;
  T* dx;
  T epsilon, count;

  __device__ __forceinline__ void prepare(Context& context, int64_t channel, int step) const {
    PH_UNROLL
    for (int v = 0; v < V; ++v) {
      const int64_t c = channel + v * step;
      const T rstd = reciprocal_deviation(variance[c], epsilon);
      context.centre[v] = mean[c];
      context.scale[v] = gamma[c] * rstd;
      context.average[v] = dbeta[c] / count;
      context.slope[v] = dgamma[c] * rstd / count;
    }
  }
  __device__ __forceinline__ void apply(const Context& context, int64_t offset) const {
    T value[V], slope[V];
    load_vector(value, x + offset * V);
    load_slopes(slope, dy, y, offset);
    PH_UNROLL
    for (int v = 0; v < V; ++v) {
      const T inner = slope[v] - context.average[v] - (value[v] - context.centre[v]) * context.slope[v];
      value[v] = context.scale[v] * inner;
    }
    store_vector(dx + offset * V, value);
  }
};

size_t batch_norm_grad_bytes(SpecSpan in, const BatchNormAttrs& a) {
  const size_t total = 2 * size_of(in[0].dtype);
  return slices_bytes(over_all_but(in[0].shape, a.axis), in[0].dtype, total);
}

void batch_norm_grad(const KernelCall& k, const BatchNormAttrs& a) {
  const Reduction r = over_all_but(k.in[0].shape, a.axis);
  const Lines lines = channels_of(k.in[0].shape, a.axis);
  with_vector(k.in[0].dtype, loads_vectors(r, k), [&](auto type, auto V) {
    using T = decltype(type);
    const T *x = k.in[0].as<T>(), *gamma = k.in[1].as<T>(), *mean = k.in[2].as<T>(), *variance = k.in[3].as<T>();
    const T *dy = k.in[4].as<T>(), *y = k.in.size() == 6 ? k.in[5].as<T>() : nullptr;
    T *dx = k.out[0].as<T>(), *dgamma = k.out[1].as<T>(), *dbeta = k.out[2].as<T>();
    const T epsilon = static_cast<T>(a.epsilon);
    const int64_t slices = r.slices(vector_of(k.in[0].dtype));
    reduce(BatchSums<T, V()>{{}, x, mean, variance, dy, y, dgamma, dbeta, epsilon}, r, slices, k.workspace);
    for_channels(
        BatchSlopes<T, V()>{x, gamma, mean, variance, dy, y, dgamma, dbeta, dx, epsilon, static_cast<T>(r.count)},
        lines);
  });
}

// y may be x.
template <class S>
struct LayerNorm {
  using T = Compute<S>;
  const S *x, *gamma, *beta;
  S *y, *mean, *rstd;
  T epsilon;

  template <class Threads>
  __device__ void operator()(const Threads& threads, int64_t row) const {
    const T n = static_cast<T>(threads.n);
    const auto from = threads.load(x, row);
    // distances from the first element: the sum of numbers far from zero would lose digits
    const T origin = threads.n > 0 ? load_as<T>(x[row * threads.n]) : T(0);
    T sum = 0, squares = 0;
    threads.each([&](auto at) { sum += from[at] - origin; });
    const T centre = origin + threads.reduce(sum, AddUp()) / n;
    threads.each([&](auto at) { squares += (from[at] - centre) * (from[at] - centre); });
    const T by = reciprocal_deviation(threads.reduce(squares, AddUp()) / n, epsilon);
    threads.wait();  // all have read the first element
    const auto factor = threads.load(gamma, 0), offset = threads.load(beta, 0);
    threads.store(y, row, [&](auto at) { return (from[at] - centre) * by * factor[at] + offset[at]; });
    if (threads.lane != 0 || !threads.active) return;
    mean[row] = store_as<S>(centre);
    rstd[row] = store_as<S>(by);
  }
};

// Rows of the elements that gamma has.
struct Table {
  int64_t rows, n;
};
Table table_of(const Shape& x, const Shape& gamma) { return {x.product(0, x.rank() - gamma.rank()), gamma.size()}; }

void layer_norm(const KernelCall& k, const LayerNormAttrs& a) {
  const Table table = table_of(k.in[0].shape, k.in[1].shape);
  with_float_type(k.in[0].dtype, [&](auto stored) {
    using S = decltype(stored);
    const LayerNorm<S> op{k.in[0].as<S>(),
                          k.in[1].as<S>(),
                          k.in[2].as<S>(),
                          k.out[0].as<S>(),
                          k.out[1].as<S>(),
                          k.out[2].as<S>(),
                          static_cast<Compute<S>>(a.epsilon)};
    const bool aligned = is_aligned(op.x) && is_aligned(op.gamma) && is_aligned(op.beta) && is_aligned(op.y);
    for_rows<S>(op, table.rows, table.n, aligned);
  });
}

// With g = gamma * dy and h = (x - mean) * rstd: dx = rstd * (g - mean(g) - h * mean(g * h)).
template <class S>
struct LayerSlopes {
  using T = Compute<S>;
  const S *x, *gamma, *mean, *rstd, *dy;
  S* dx;

  template <class Threads>
  __device__ void operator()(const Threads& threads, int64_t row) const {
    const T n = static_cast<T>(threads.n);
    const auto from = threads.load(x, row), slope = threads.load(dy, row);
    const auto factor = threads.load(gamma, 0);
    const T middle = threads.active ? load_as<T>(mean[row]) : T(0);
    const T by = threads.active ? load_as<T>(rstd[row]) : T(0);
    T sum = 0, product = 0;
    threads.each([&](auto at) {
      const T g = factor[at] * slope[at];
      sum += g;
      product += g * ((from[at] - middle) * by);
    });
    sum = threads.reduce(sum, AddUp()) / n;
    product = threads.reduce(product, AddUp()) / n;
    threads.store(dx, row,
                  [&](auto at) { return by * (factor[at] * slope[at] - sum - (from[at] - middle) * by * product); });
  }
};

// Policy of dbeta and dgamma: the sums over rows of dy and of dy * (x - mean) * rstd.
template <class T, int V>
struct LayerSums : SlopeSums<T> {
  static constexpr int vector = V, in_flight = 2;
  struct Context {};

  const T *x, *mean, *rstd, *dy;
  T *dgamma, *dbeta;

  __device__ __forceinline__ void prepare(Context&, int64_t, int) const {}
  __device__ __forceinline__ void load(TwoSums<T> (&item)[V], const Context&, int64_t offset, int64_t row) const {
    T value[V], slope[V];
    load_vector(value, x + offset * V);
    load_vector(slope, dy + offset * V);
    const T middle = mean[row], by = rstd[row];
    PH_UNROLL
    for (int v = 0; v < V; ++v) item[v] = {slope[v], slope[v] * ((value[v] - middle) * by)};
  }
  __device__ __forceinline__ void store(int64_t column, const TwoSums<T>& total) const {
    dbeta[column] = total.sum;
    dgamma[column] = total.product;
  }
};

Reduction over_rows(const Table& table) {
  const bool reduced[] = {true, false};
  return make_reduction({table.rows, table.n}, reduced);
}

size_t layer_norm_grad_bytes(SpecSpan in, const LayerNormAttrs&) {
  const size_t total = 2 * size_of(in[0].dtype);
  return slices_bytes(over_rows(table_of(in[0].shape, in[1].shape)), in[0].dtype, total);
}

void layer_norm_grad(const KernelCall& k, const LayerNormAttrs&) {
  const Table table = table_of(k.in[0].shape, k.in[1].shape);
  const Reduction r = over_rows(table);
  // sums of rows of one element would take several rows at a time, of which each has its own mean
  const bool aligned = r.columns && loads_vectors(r, k) && is_aligned(k.in[1].data);
  with_vector(k.in[0].dtype, aligned, [&](auto type, auto V) {
    using T = decltype(type);
    const T *x = k.in[0].as<T>(), *gamma = k.in[1].as<T>(), *mean = k.in[2].as<T>(), *rstd = k.in[3].as<T>();
    const T* dy = k.in[4].as<T>();
    T *dx = k.out[0].as<T>(), *dgamma = k.out[1].as<T>(), *dbeta = k.out[2].as<T>();
    for_rows<T>(LayerSlopes<T>{x, gamma, mean, rstd, dy, dx}, table.rows, table.n, aligned);
    const int64_t slices = r.slices(vector_of(k.in[0].dtype));
    reduce(LayerSums<T, V()>{{}, x, mean, rstd, dy, dgamma, dbeta}, r, slices, k.workspace);
  });
}

// Results are as large as x, gamma and gamma.
template <class Attrs>
size_t result_bytes(SpecSpan in, const Attrs&) {
  return copy_bytes(in[0].dtype, in[0].shape.size()) + 2 * copy_bytes(in[0].dtype, in[1].shape.size());
}

}  // namespace

#define PH_NORM(op, run, Attrs, own, variant) \
  PH_KERNELS(op, kernel<run, wide_float<Attrs>, own>(variant), through_float<run, result_bytes<Attrs>, own>())
PH_NORM(batch_norm_train, batch_norm, BatchNormAttrs, batch_norm_bytes, "slices");
PH_NORM(batch_norm_grad, batch_norm_grad, BatchNormAttrs, batch_norm_grad_bytes, "slices");
PH_NORM(layer_norm_grad, layer_norm_grad, LayerNormAttrs, layer_norm_grad_bytes, "rows");
#undef PH_NORM
PH_KERNELS(layer_norm, kernel<layer_norm>("rows"));

}  // namespace ph::cuda
