// Batch and layer normalization, in the tensor's own type (float16 and bfloat16 in float32, rounded when stored).
//
// Batch: x is seen as (outer, channels, inner). Moments come from one pass over x (cuda/reduction.h): each thread adds
// up distances from the first of every few elements, so that no digits cancel, and the parts are joined as mean and sum
// of squared distances (Chan, Golub, LeVeque, 1979). A second pass normalizes. Backwards: a pass of sums, then a pass
// that writes dx.
//
// Layer: a row is held by a group of threads (cuda/rows.h), its variance taken around its mean. dgamma and dbeta are
// sums over columns.
#include "cuda/channels.h"
#include "cuda/reduction.h"
#include "cuda/rows.h"
#include "ops/norm.h"

namespace ph::cuda {

namespace {

// Also of 16-bit floats: sums of eight columns would take too many registers.
constexpr int float_vector = per_16_bytes<float>;

int vector_of(DType dtype) { return dtype == DType::float64 ? 1 : float_vector; }

// body(S(), V) with the type of the tensors and the number of elements loaded together.
template <class Body>
void with_vector(DType dtype, bool fits, Body body) {
  with_float_type(dtype, [&](auto stored) {
    if constexpr (sizeof(stored) < sizeof(double)) {
      if (fits) return body(stored, std::integral_constant<int, float_vector>());
    }
    body(stored, std::integral_constant<int, 1>());
  });
}

size_t size_of_computed(DType dtype) { return is_half(dtype) ? sizeof(float) : size_of(dtype); }

// Two results for each channel that a second pass reads before they are rounded: 16-bit floats have a copy of them.
template <class S>
struct ChannelResults {
  using T = Compute<S>;
  static constexpr bool copied = !std::is_same_v<S, T>;
  T *first, *second;
  S *rounded_first, *rounded_second;

  ChannelResults(const View& first_out, const View& second_out, char* copies)
      : rounded_first(first_out.as<S>()), rounded_second(second_out.as<S>()) {
    if constexpr (copied) {
      first = reinterpret_cast<T*>(copies), second = first + first_out.size();
    } else {
      first = rounded_first, second = rounded_second;
    }
  }
  __device__ __forceinline__ void store(int64_t channel, T a, T b) const {
    first[channel] = a, second[channel] = b;
    if constexpr (copied) rounded_first[channel] = store_as<S>(a), rounded_second[channel] = store_as<S>(b);
  }
};
// The copies lie before the partial results of slices.
size_t channel_copies(DType dtype, int64_t channels) {
  constexpr size_t alignment = 64;
  const size_t bytes = is_half(dtype) ? 2 * static_cast<size_t>(channels) * sizeof(float) : 0;
  return (bytes + alignment - 1) / alignment * alignment;
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
template <class S, int V>
struct Moments {
  using T = Compute<S>;
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

  const S* x;
  ChannelResults<S> moments;

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
    moments.store(channel, total.mean, total.squares / total.count);
  }
};

// y = activation(gamma * (x - mean) / sqrt(variance + epsilon) + beta); y may be x.
template <class S, int V>
struct Normalize {
  using T = Compute<S>;
  static constexpr int vector = V;
  struct Context {
    T centre[V], scale[V], offset[V];
  };
  struct Item {
    T value[V];
  };

  const S *x, *gamma, *beta;
  const T *mean, *variance;
  S* y;
  T epsilon;
  bool relu;

  __device__ __forceinline__ void prepare(Context& context, int64_t channel, int step) const {
    PH_UNROLL
    for (int v = 0; v < V; ++v) {
      const int64_t c = channel + v * step;
      context.centre[v] = mean[c];
      context.scale[v] = load_as<T>(gamma[c]) * reciprocal_deviation(variance[c], epsilon);
      context.offset[v] = load_as<T>(beta[c]);
    }
  }
  __device__ __forceinline__ void load(Item& item, int64_t offset) const { load_vector(item.value, x + offset * V); }
  __device__ __forceinline__ void apply(const Context& context, Item& item, int64_t offset) const {
    PH_UNROLL
    for (int v = 0; v < V; ++v) {
      item.value[v] = (item.value[v] - context.centre[v]) * context.scale[v] + context.offset[v];
      if (relu) item.value[v] = scalar::relu(item.value[v]);
    }
    store_vector(y + offset * V, item.value);
  }
};

size_t batch_norm_bytes(SpecSpan in, const BatchNormAttrs& a) {
  const DType dtype = in[0].dtype;
  const Reduction r = over_all_but(in[0].shape, a.axis);
  return channel_copies(dtype, in[1].shape.size()) + slices_bytes(r, dtype, 3 * size_of_computed(dtype));
}

bool loads_vectors(const Reduction& r, const KernelCall& k) {
  bool aligned = is_aligned(k.out[0].data);
  for (const View& each : k.in) aligned = aligned && (each.size() != k.in[0].size() || is_aligned(each.data));
  return aligned && r.divisible(float_vector);
}

void batch_norm(const KernelCall& k, const BatchNormAttrs& a) {
  const Reduction r = over_all_but(k.in[0].shape, a.axis);
  const Lines lines = channels_of(k.in[0].shape, a.axis);
  with_vector(k.in[0].dtype, loads_vectors(r, k), [&](auto stored, auto V) {
    using S = decltype(stored);
    const S *x = k.in[0].as<S>(), *gamma = k.in[1].as<S>(), *beta = k.in[2].as<S>();
    char* workspace = static_cast<char*>(k.workspace);
    const ChannelResults<S> moments(k.out[1], k.out[2], workspace);
    reduce(Moments<S, V()>{x, moments}, r, r.slices(vector_of(k.in[0].dtype)),
           workspace + channel_copies(k.in[0].dtype, k.out[1].size()));
    const auto epsilon = static_cast<Compute<S>>(a.epsilon);
    for_channels(Normalize<S, V()>{x, gamma, beta, moments.first, moments.second, k.out[0].as<S>(), epsilon,
                                   a.activation == Activation::relu},
                 lines);
  });
}

// dy, or where a ReLU followed, what of it passed: y is the ReLU's result.
template <class T, int V, class S>
__device__ __forceinline__ void load_slopes(T (&slope)[V], const S* dy, const S* y, int64_t offset) {
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

// Policy of dgamma and dbeta of each channel: the sums of dy * (x - mean) / deviation and of dy.
template <class S, int V>
struct BatchSums : SlopeSums<Compute<S>> {
  using T = Compute<S>;
  static constexpr int vector = V, in_flight = 2;
  struct Context {
    T mean[V];
  };

  const S *x, *mean, *variance, *dy, *y;
  ChannelResults<S> slopes;
  T epsilon;

  BatchSums(const S* x_, const S* mean_, const S* variance_, const S* dy_, const S* y_,
            const ChannelResults<S>& slopes_, T epsilon_)
      : x(x_), mean(mean_), variance(variance_), dy(dy_), y(y_), slopes(slopes_), epsilon(epsilon_) {}

  __device__ __forceinline__ void prepare(Context& context, int64_t channel, int step) const {
    PH_UNROLL
    for (int v = 0; v < V; ++v) context.mean[v] = load_as<T>(mean[channel + v * step]);
  }
  __device__ __forceinline__ void load(TwoSums<T> (&item)[V], const Context& context, int64_t offset, int64_t) const {
    T value[V], slope[V];
    load_vector(value, x + offset * V);
    load_slopes(slope, dy, y, offset);
    PH_UNROLL
    for (int v = 0; v < V; ++v) item[v] = {slope[v], slope[v] * (value[v] - context.mean[v])};
  }
  __device__ __forceinline__ void store(int64_t channel, const TwoSums<T>& total) const {
    slopes.store(channel, total.product * reciprocal_deviation(load_as<T>(variance[channel]), epsilon), total.sum);
  }
};

// dx = gamma * rstd * (dy - mean(dy) - (x - mean) * rstd^2 * mean(dy * (x - mean)))
template <class S, int V>
struct BatchSlopes {
  using T = Compute<S>;
  static constexpr int vector = V;
  struct Context {
    T centre[V], scale[V], average[V], slope[V];
  };
  struct Item {
    T value[V], slope[V];
  };

  const S *x, *gamma, *mean, *variance, *dy, *y;
  const T *dgamma, *dbeta;
  S* dx;
  T epsilon, count;

  __device__ __forceinline__ void prepare(Context& context, int64_t channel, int step) const {
    PH_UNROLL
    for (int v = 0; v < V; ++v) {
      const int64_t c = channel + v * step;
      const T rstd = reciprocal_deviation(load_as<T>(variance[c]), epsilon);
      context.centre[v] = load_as<T>(mean[c]);
      context.scale[v] = load_as<T>(gamma[c]) * rstd;
      context.average[v] = dbeta[c] / count;
      context.slope[v] = dgamma[c] * rstd / count;
    }
  }
  __device__ __forceinline__ void load(Item& item, int64_t offset) const {
    load_vector(item.value, x + offset * V);
    load_slopes(item.slope, dy, y, offset);
  }
  __device__ __forceinline__ void apply(const Context& context, Item& item, int64_t offset) const {
    PH_UNROLL
    for (int v = 0; v < V; ++v) {
      const T distance = item.value[v] - context.centre[v];
      item.value[v] = context.scale[v] * (item.slope[v] - context.average[v] - distance * context.slope[v]);
    }
    store_vector(dx + offset * V, item.value);
  }
};

size_t batch_norm_grad_bytes(SpecSpan in, const BatchNormAttrs& a) {
  const DType dtype = in[0].dtype;
  const Reduction r = over_all_but(in[0].shape, a.axis);
  return channel_copies(dtype, in[1].shape.size()) + slices_bytes(r, dtype, 2 * size_of_computed(dtype));
}

void batch_norm_grad(const KernelCall& k, const BatchNormAttrs& a) {
  const Reduction r = over_all_but(k.in[0].shape, a.axis);
  const Lines lines = channels_of(k.in[0].shape, a.axis);
  with_vector(k.in[0].dtype, loads_vectors(r, k), [&](auto stored, auto V) {
    using S = decltype(stored);
    using T = Compute<S>;
    const S *x = k.in[0].as<S>(), *gamma = k.in[1].as<S>(), *mean = k.in[2].as<S>(), *variance = k.in[3].as<S>();
    const S *dy = k.in[4].as<S>(), *y = k.in.size() == 6 ? k.in[5].as<S>() : nullptr;
    char* workspace = static_cast<char*>(k.workspace);
    const ChannelResults<S> slopes(k.out[1], k.out[2], workspace);
    const T epsilon = static_cast<T>(a.epsilon), count = static_cast<T>(r.count);
    reduce(BatchSums<S, V()>(x, mean, variance, dy, y, slopes, epsilon), r, r.slices(vector_of(k.in[0].dtype)),
           workspace + channel_copies(k.in[0].dtype, k.out[1].size()));
    for_channels(BatchSlopes<S, V()>{x, gamma, mean, variance, dy, y, slopes.first, slopes.second, k.out[0].as<S>(),
                                     epsilon, count},
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
template <class S, int V>
struct LayerSums : SlopeSums<Compute<S>> {
  using T = Compute<S>;
  static constexpr int vector = V, in_flight = 2;
  struct Context {};

  const S *x, *mean, *rstd, *dy;
  S *dgamma, *dbeta;

  __device__ __forceinline__ void prepare(Context&, int64_t, int) const {}
  __device__ __forceinline__ void load(TwoSums<T> (&item)[V], const Context&, int64_t offset, int64_t row) const {
    T value[V], slope[V];
    load_vector(value, x + offset * V);
    load_vector(slope, dy + offset * V);
    const T middle = load_as<T>(mean[row]), by = load_as<T>(rstd[row]);
    PH_UNROLL
    for (int v = 0; v < V; ++v) item[v] = {slope[v], slope[v] * ((value[v] - middle) * by)};
  }
  __device__ __forceinline__ void store(int64_t column, const TwoSums<T>& total) const {
    dbeta[column] = store_as<S>(total.sum);
    dgamma[column] = store_as<S>(total.product);
  }
};

Reduction over_rows(const Table& table) {
  const bool reduced[] = {true, false};
  return make_reduction({table.rows, table.n}, reduced);
}

size_t layer_norm_grad_bytes(SpecSpan in, const LayerNormAttrs&) {
  const size_t total = 2 * size_of_computed(in[0].dtype);
  return slices_bytes(over_rows(table_of(in[0].shape, in[1].shape)), in[0].dtype, total);
}

void layer_norm_grad(const KernelCall& k, const LayerNormAttrs&) {
  const Table table = table_of(k.in[0].shape, k.in[1].shape);
  const Reduction r = over_rows(table);
  // sums of rows of one element would take several rows at a time, of which each has its own mean
  const bool aligned = r.columns && loads_vectors(r, k);
  with_vector(k.in[0].dtype, aligned, [&](auto stored, auto V) {
    using S = decltype(stored);
    const S *x = k.in[0].as<S>(), *gamma = k.in[1].as<S>(), *mean = k.in[2].as<S>(), *rstd = k.in[3].as<S>();
    const S* dy = k.in[4].as<S>();
    S *dx = k.out[0].as<S>(), *dgamma = k.out[1].as<S>(), *dbeta = k.out[2].as<S>();
    for_rows<S>(LayerSlopes<S>{x, gamma, mean, rstd, dy, dx}, table.rows, table.n, aligned && is_aligned(gamma));
    const int64_t slices = r.slices(vector_of(k.in[0].dtype));
    reduce(LayerSums<S, V()>{{}, x, mean, rstd, dy, dgamma, dbeta}, r, slices, k.workspace);
  });
}

}  // namespace

PH_KERNELS(batch_norm_train, kernel<batch_norm, nullptr, batch_norm_bytes>("slices"));
PH_KERNELS(batch_norm_grad, kernel<batch_norm_grad, nullptr, batch_norm_grad_bytes>("slices"));
PH_KERNELS(layer_norm, kernel<layer_norm>("rows"));
PH_KERNELS(layer_norm_grad, kernel<layer_norm_grad, nullptr, layer_norm_grad_bytes>("rows"));

}  // namespace ph::cuda
