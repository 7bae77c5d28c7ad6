// Batch and layer normalization.
//
// Batch: x is seen as (outer, channels, inner). With channels last (inner == 1) rows are walked once with all channels
// of a row. Rows are cut into slices by shape; sums are kept per block of rows, relative to the block's first row so
// that no digits cancel, and joined in double precision, in order (Chan, Golub, LeVeque, 1979). With channels first,
// each (outer, channel) run is a block.
#include "ops/norm.h"

#include "core/scalar.h"
#include "core/thread_pool.h"
#include "cpu/halves.h"
#include "cpu/rows.h"

namespace ph::PH_LEVEL {

namespace {

constexpr int64_t strip = 256;      // channels taken together
constexpr int64_t block_rows = 64;  // rows summed in the tensor's own type
constexpr int64_t most_slices = 32;

struct Layout {
  int64_t outer, channels, inner;

  PH_INLINE int64_t size() const { return outer * channels * inner; }
  PH_INLINE int64_t count() const { return outer * inner; }  // elements per channel
  // The number of slices of the outer axis, by shape alone.
  PH_INLINE int64_t slices() const {
    const int64_t wanted = size() / 16384 + 1;
    const int64_t most = outer < most_slices ? outer : most_slices;
    return wanted < most ? wanted : most > 0 ? most : 1;
  }
};

PH_INLINE Layout layout_of(const Shape& x, int64_t axis) {
  const int at = static_cast<int>(axis < 0 ? axis + x.rank() : axis);
  return {x.product(0, at), x[at], x.product(at + 1, x.rank())};
}

// Moments gathered so far: how many numbers, their mean, the sum of squared distances from it.
PH_INLINE void join_moments(double& count, double& mean, double& squares, double count_b, double mean_b,
                            double squares_b) {
  const double total = count + count_b, distance = mean_b - mean;
  mean += distance * (count_b / total);
  squares += squares_b + distance * distance * (count * count_b / total);
  count = total;
}

// Moments of columns [0, width) of `rows` rows, joined into mean and squares, which hold those of `before` rows.
template <class T>
void column_moments(const T* x, int64_t rows, int64_t width, int64_t stride, double before, double* mean,
                    double* squares) {
  T sum[strip] = {}, square[strip] = {}, origin[strip];
  for (int64_t j = 0; j < width; ++j) origin[j] = x[j];
  for (int64_t r = 0; r < rows; ++r) {
    const T* row = x + r * stride;
    for (int64_t j = 0; j < width; ++j) {
      const T distance = row[j] - origin[j];
      sum[j] += distance;
      square[j] += distance * distance;
    }
  }
  const double n = static_cast<double>(rows);
  for (int64_t j = 0; j < width; ++j) {
    const double part = static_cast<double>(sum[j]) / n;
    double count = before;
    const double spread = static_cast<double>(square[j]) - part * static_cast<double>(sum[j]);
    join_moments(count, mean[j], squares[j], n, static_cast<double>(origin[j]) + part, spread > 0 ? spread : 0);
  }
}

// One run of `n` numbers of one channel.
template <class T>
void run_moments(const T* x, int64_t n, double& count, double& mean, double& squares) {
  constexpr int64_t block = 1024;
  for (int64_t from = 0; from < n; from += block) {
    const int64_t size = n - from < block ? n - from : block;
    const T *part = x + from, origin = part[0];
    const T sum = row_sum<T>(size, [&](int64_t i) { return part[i] - origin; });
    const T square = row_sum<T>(size, [&](int64_t i) { return (part[i] - origin) * (part[i] - origin); });
    const double share = static_cast<double>(sum) / static_cast<double>(size);
    const double spread = static_cast<double>(square) - share * static_cast<double>(sum);
    join_moments(count, mean, squares, static_cast<double>(size), static_cast<double>(origin) + share,
                 spread > 0 ? spread : 0);
  }
}

// mean[channels], squares[channels] of the rows [begin, end) of the outer axis.
template <class T>
void slice_moments(const T* x, const Layout& p, int64_t begin, int64_t end, double* mean, double* squares) {
  for (int64_t c = 0; c < p.channels; ++c) mean[c] = squares[c] = 0;
  if (p.inner != 1) {
    for (int64_t c = 0; c < p.channels; ++c) {
      double count = 0;
      for (int64_t o = begin; o < end; ++o) {
        run_moments(x + (o * p.channels + c) * p.inner, p.inner, count, mean[c], squares[c]);
      }
    }
    return;
  }
  for (int64_t r = begin; r < end; r += block_rows) {
    const int64_t rows = end - r < block_rows ? end - r : block_rows;
    for (int64_t c = 0; c < p.channels; c += strip) {
      column_moments(x + r * p.channels + c, rows, p.channels - c < strip ? p.channels - c : strip, p.channels,
                     static_cast<double>(r - begin), mean + c, squares + c);
    }
  }
}

// Rows [begin, end) of slice s.
struct Slice {
  int64_t begin, end;
};
PH_INLINE Slice slice_of(const Layout& p, int64_t s) {
  const int64_t n = p.slices();
  return {p.outer * s / n, p.outer * (s + 1) / n};
}

// Sums and squares of each slice, and behind them the factor of each channel.
size_t batch_workspace(SpecSpan in, const BatchNormAttrs& a) {
  const Layout p = layout_of(in[0].shape, a.axis);
  return static_cast<size_t>((p.slices() + 1) * p.channels * 2) * sizeof(double);
}

template <bool relu, class T>
PH_INLINE T activated(T value) {
  return relu ? scalar::relu(value) : value;
}

template <bool relu, class T>
void batch_norm_typed(const KernelCall& k, const BatchNormAttrs& a) {
  const Layout p = layout_of(k.in[0].shape, a.axis);
  const int64_t slices = p.slices(), channels = p.channels;
  const T *x = k.in[0].as<T>(), *gamma = k.in[1].as<T>(), *beta = k.in[2].as<T>();
  T *y = k.out[0].as<T>(), *mean = k.out[1].as<T>(), *variance = k.out[2].as<T>();
  double* moments = static_cast<double*>(k.workspace);
  const double ns_per_slice = 0.2 * static_cast<double>(p.size()) / static_cast<double>(slices);
  parallel_for(slices, ns_per_slice, [&](int64_t s) {
    const Slice at = slice_of(p, s);
    double* to = moments + s * 2 * channels;
    slice_moments(x, p, at.begin, at.end, to, to + channels);
  });
  T* scale = reinterpret_cast<T*>(moments + slices * 2 * channels);
  for (int64_t c = 0; c < channels; ++c) {
    double count = 0, total_mean = 0, squares = 0;
    for (int64_t s = 0; s < slices; ++s) {
      const Slice at = slice_of(p, s);
      const double* from = moments + s * 2 * channels;
      const double n = static_cast<double>((at.end - at.begin) * p.inner);
      if (n > 0) join_moments(count, total_mean, squares, n, from[c], from[channels + c]);
    }
    const double spread = squares / count;
    mean[c] = static_cast<T>(total_mean);
    variance[c] = static_cast<T>(spread);
    scale[c] = static_cast<T>(static_cast<double>(gamma[c]) / __builtin_sqrt(spread + a.epsilon));
  }
  parallel_for(slices, ns_per_slice, [&](int64_t s) {
    const Slice at = slice_of(p, s);
    if (p.inner == 1) {
      for (int64_t r = at.begin; r < at.end; ++r) {
        const T* from = x + r * channels;
        T* to = y + r * channels;
        for (int64_t c = 0; c < channels; ++c) to[c] = activated<relu>((from[c] - mean[c]) * scale[c] + beta[c]);
      }
      return;
    }
    for (int64_t run = at.begin * channels; run < at.end * channels; ++run) {
      const int64_t c = run % channels;
      const T *from = x + run * p.inner, centre = mean[c], by = scale[c], offset = beta[c];
      T* to = y + run * p.inner;
      for (int64_t i = 0; i < p.inner; ++i) to[i] = activated<relu>((from[i] - centre) * by + offset);
    }
  });
}

template <class T>
void batch_norm_of(const KernelCall& k, const BatchNormAttrs& a) {
  a.activation == Activation::relu ? batch_norm_typed<true, T>(k, a) : batch_norm_typed<false, T>(k, a);
}

void batch_norm(const KernelCall& k, const BatchNormAttrs& a) {
  k.in[0].dtype == DType::float32 ? batch_norm_of<float>(k, a) : batch_norm_of<double>(k, a);
}

// dy, or where a ReLU followed, what of it passed: y is the ReLU's result.
template <bool masked, class T>
PH_INLINE T passed(const T* dy, const T* y, int64_t i) {
  return masked ? scalar::relu_grad(dy[i], y[i]) : dy[i];
}

// Sums over a slice of dy and of dy * (x - mean), in double between blocks of rows.
template <bool masked, class T>
void slice_gradient_sums(const T* x, const T* dy, const T* y, const T* mean, const Layout& p, const Slice& at,
                         double* sum, double* product) {
  const int64_t channels = p.channels;
  for (int64_t c = 0; c < channels; ++c) sum[c] = product[c] = 0;
  if (p.inner != 1) {
    for (int64_t run = at.begin * channels; run < at.end * channels; ++run) {
      const int64_t c = run % channels;
      const T *from = x + run * p.inner, *slope = dy + run * p.inner, *result = y + run * p.inner, centre = mean[c];
      const T part = row_sum<T>(p.inner, [&](int64_t i) { return passed<masked>(slope, result, i); });
      const T moment =
          row_sum<T>(p.inner, [&](int64_t i) { return passed<masked>(slope, result, i) * (from[i] - centre); });
      sum[c] += static_cast<double>(part);
      product[c] += static_cast<double>(moment);
    }
    return;
  }
  for (int64_t first = at.begin; first < at.end; first += block_rows) {
    const int64_t rows = at.end - first < block_rows ? at.end - first : block_rows;
    for (int64_t begin = 0; begin < channels; begin += strip) {
      const int64_t width = channels - begin < strip ? channels - begin : strip;
      T block_sum[strip] = {}, block_product[strip] = {}, centre[strip];
      for (int64_t j = 0; j < width; ++j) centre[j] = mean[begin + j];
      for (int64_t r = first; r < first + rows; ++r) {
        const T *from = x + r * channels + begin, *slope = dy + r * channels + begin,
                *result = y + r * channels + begin;
        for (int64_t j = 0; j < width; ++j) {
          const T part = passed<masked>(slope, result, j);
          block_sum[j] += part;
          block_product[j] += part * (from[j] - centre[j]);
        }
      }
      for (int64_t j = 0; j < width; ++j) {
        sum[begin + j] += static_cast<double>(block_sum[j]);
        product[begin + j] += static_cast<double>(block_product[j]);
      }
    }
  }
}

// dx = gamma * rstd * (dy - mean(dy) - (x - mean) * rstd^2 * mean(dy * (x - mean)))
template <bool masked, class T>
void batch_norm_grad_typed(const KernelCall& k, const BatchNormAttrs& a) {
  const Layout p = layout_of(k.in[0].shape, a.axis);
  const int64_t slices = p.slices(), channels = p.channels;
  const T *x = k.in[0].as<T>(), *gamma = k.in[1].as<T>(), *mean = k.in[2].as<T>(), *variance = k.in[3].as<T>();
  const T *dy = k.in[4].as<T>(), *y = k.in[masked ? 5 : 4].as<T>();
  T *dx = k.out[0].as<T>(), *dgamma = k.out[1].as<T>(), *dbeta = k.out[2].as<T>();
  double* sums = static_cast<double*>(k.workspace);
  const double ns_per_slice = 0.3 * static_cast<double>(p.size()) / static_cast<double>(slices);
  parallel_for(slices, ns_per_slice, [&](int64_t s) {
    double* to = sums + s * 2 * channels;
    slice_gradient_sums<masked>(x, dy, y, mean, p, slice_of(p, s), to, to + channels);
  });
  T* scale = reinterpret_cast<T*>(sums + slices * 2 * channels);
  T *average = scale + channels, *slope = scale + 2 * channels;
  const double count = static_cast<double>(p.count());
  for (int64_t c = 0; c < channels; ++c) {
    double sum = 0, product = 0;
    for (int64_t s = 0; s < slices; ++s) {
      sum += sums[s * 2 * channels + c];
      product += sums[s * 2 * channels + channels + c];
    }
    const double rstd = 1 / __builtin_sqrt(static_cast<double>(variance[c]) + a.epsilon);
    dbeta[c] = static_cast<T>(sum);
    dgamma[c] = static_cast<T>(product * rstd);
    scale[c] = static_cast<T>(static_cast<double>(gamma[c]) * rstd);
    average[c] = static_cast<T>(sum / count);
    slope[c] = static_cast<T>(product * rstd * rstd / count);
  }
  parallel_for(slices, ns_per_slice, [&](int64_t s) {
    const Slice at = slice_of(p, s);
    if (p.inner == 1) {
      for (int64_t r = at.begin; r < at.end; ++r) {
        const T *from = x + r * channels, *from_dy = dy + r * channels, *result = y + r * channels;
        T* to = dx + r * channels;
        for (int64_t c = 0; c < channels; ++c) {
          to[c] = scale[c] * (passed<masked>(from_dy, result, c) - average[c] - (from[c] - mean[c]) * slope[c]);
        }
      }
      return;
    }
    for (int64_t run = at.begin * channels; run < at.end * channels; ++run) {
      const int64_t c = run % channels;
      for (int64_t i = run * p.inner; i < (run + 1) * p.inner; ++i) {
        dx[i] = scale[c] * (passed<masked>(dy, y, i) - average[c] - (x[i] - mean[c]) * slope[c]);
      }
    }
  });
}

// three vectors of the tensor's type behind the sums
size_t batch_grad_workspace(SpecSpan in, const BatchNormAttrs& a) {
  const Layout p = layout_of(in[0].shape, a.axis);
  return static_cast<size_t>((p.slices() * 2 + 3) * p.channels) * sizeof(double);
}

template <class T>
void batch_norm_grad_of(const KernelCall& k, const BatchNormAttrs& a) {
  k.in.size() == 6 ? batch_norm_grad_typed<true, T>(k, a) : batch_norm_grad_typed<false, T>(k, a);
}

void batch_norm_grad(const KernelCall& k, const BatchNormAttrs& a) {
  k.in[0].dtype == DType::float32 ? batch_norm_grad_of<float>(k, a) : batch_norm_grad_of<double>(k, a);
}

// Layer normalization: rows of n.
struct Rows {
  int64_t count, n;

  PH_INLINE int64_t slices() const {
    const int64_t wanted = count * n / 16384 + 1;
    const int64_t most = count < most_slices ? count : most_slices;
    return wanted < most ? wanted : most > 0 ? most : 1;
  }
};

PH_INLINE Rows rows_of(const Shape& x, const Shape& gamma) {
  const int outer = x.rank() - gamma.rank();
  return {x.product(0, outer), gamma.size()};
}

template <class T>
void layer_norm_typed(const KernelCall& k, const LayerNormAttrs& a) {
  const Rows p = rows_of(k.in[0].shape, k.in[1].shape);
  const T *x = k.in[0].as<T>(), *gamma = k.in[1].as<T>(), *beta = k.in[2].as<T>();
  T *y = k.out[0].as<T>(), *mean = k.out[1].as<T>(), *rstd = k.out[2].as<T>();
  const int64_t slices = p.slices();
  parallel_for(slices, 0.5 * static_cast<double>(p.count * p.n / slices), [&](int64_t s) {
    for (int64_t r = p.count * s / slices; r < p.count * (s + 1) / slices; ++r) {
      const T* from = x + r * p.n;
      double count = 0, centre = 0, squares = 0;
      run_moments(from, p.n, count, centre, squares);
      const T by = static_cast<T>(1 / __builtin_sqrt(squares / count + a.epsilon)), middle = static_cast<T>(centre);
      mean[r] = middle;
      rstd[r] = by;
      T* to = y + r * p.n;
      for (int64_t i = 0; i < p.n; ++i) to[i] = (from[i] - middle) * by * gamma[i] + beta[i];
    }
  });
}

void layer_norm(const KernelCall& k, const LayerNormAttrs& a) {
  k.in[0].dtype == DType::float32 ? layer_norm_typed<float>(k, a) : layer_norm_typed<double>(k, a);
}

size_t layer_grad_workspace(SpecSpan in, const LayerNormAttrs&) {
  const Rows p = rows_of(in[0].shape, in[1].shape);
  return static_cast<size_t>(p.slices() * 2 * p.n) * (in[0].dtype == DType::float64 ? sizeof(double) : sizeof(float));
}

// With g = gamma * dy and h = (x - mean) * rstd: dx = rstd * (g - mean(g) - h * mean(g * h)). Each slice of rows has
// its own partial dgamma and dbeta; they are added in order.
template <class T>
void layer_norm_grad_typed(const KernelCall& k, const LayerNormAttrs&) {
  const Rows p = rows_of(k.in[0].shape, k.in[1].shape);
  const T *x = k.in[0].as<T>(), *gamma = k.in[1].as<T>(), *mean = k.in[2].as<T>(), *rstd = k.in[3].as<T>();
  const T* dy = k.in[4].as<T>();
  T *dx = k.out[0].as<T>(), *dgamma = k.out[1].as<T>(), *dbeta = k.out[2].as<T>();
  T* partial = static_cast<T*>(k.workspace);
  const int64_t slices = p.slices();
  parallel_for(slices, 0.6 * static_cast<double>(p.count * p.n / slices), [&](int64_t s) {
    // these three overlap nothing else
    T* __restrict part_gamma = partial + s * 2 * p.n, * __restrict part_beta = part_gamma + p.n;
    const T* __restrict factor = gamma;
    for (int64_t i = 0; i < p.n; ++i) part_gamma[i] = part_beta[i] = 0;
    for (int64_t r = p.count * s / slices; r < p.count * (s + 1) / slices; ++r) {
      const T *from = x + r * p.n, *slope = dy + r * p.n, middle = mean[r], by = rstd[r];
      const T n = static_cast<T>(p.n);
      const T average = row_sum<T>(p.n, [&](int64_t i) { return factor[i] * slope[i]; }) / n;
      const T product =
          row_sum<T>(p.n, [&](int64_t i) { return factor[i] * slope[i] * ((from[i] - middle) * by); }) / n;
      for (int64_t i = 0; i < p.n; ++i) {
        part_gamma[i] += slope[i] * ((from[i] - middle) * by);
        part_beta[i] += slope[i];
      }
      T* to = dx + r * p.n;
      for (int64_t i = 0; i < p.n; ++i) {
        to[i] = by * (factor[i] * slope[i] - average - (from[i] - middle) * by * product);
      }
    }
  });
  for (int64_t i = 0; i < p.n; ++i) dgamma[i] = dbeta[i] = 0;
  for (int64_t s = 0; s < slices; ++s) {
    const T *part_gamma = partial + s * 2 * p.n, *part_beta = part_gamma + p.n;
    for (int64_t i = 0; i < p.n; ++i) {
      dgamma[i] += part_gamma[i];
      dbeta[i] += part_beta[i];
    }
  }
}

void layer_norm_grad(const KernelCall& k, const LayerNormAttrs& a) {
  k.in[0].dtype == DType::float32 ? layer_norm_grad_typed<float>(k, a) : layer_norm_grad_typed<double>(k, a);
}

// float16 and bfloat16: rows of a layer norm a piece at a time; what sums over rows, through copies.
void layer_norm_in_float(const KernelCall& k, const LayerNormAttrs& a) {
  const int lead = k.in[0].shape.rank() - k.in[1].shape.rank();
  run_pieces_in_float(k, lead, 1, 1.0, [&](const KernelCall& piece, int64_t) { layer_norm(piece, a); });
}

// The outputs of all three are the size of x, gamma and gamma.
template <class Attrs>
int64_t copied_results(SpecSpan in, const Attrs&) {
  return copy_size(in[0].dtype, in[0].shape.size()) + 2 * copy_size(in[1].dtype, in[1].shape.size());
}

}  // namespace

#define PH_NORM(op, run, Attrs, own_bytes, variant) \
  PH_KERNELS(op, kernel<run, wide_float<Attrs>, own_bytes>(variant), on_copies<run, copied_results<Attrs>, own_bytes>())
PH_NORM(batch_norm_train, batch_norm, BatchNormAttrs, batch_workspace, "slices");
PH_NORM(batch_norm_grad, batch_norm_grad, BatchNormAttrs, batch_grad_workspace, "slices");
PH_NORM(layer_norm_grad, layer_norm_grad, LayerNormAttrs, layer_grad_workspace, "rows");
PH_KERNELS(layer_norm, kernel<layer_norm, wide_float<LayerNormAttrs>>("rows"),
           kernel<layer_norm_in_float, half_float<LayerNormAttrs>>("converted"));
#undef PH_NORM

}  // namespace ph::PH_LEVEL
