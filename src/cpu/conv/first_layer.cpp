#include "cpu/conv/first_layer.h"

#include "core/scratch.h"
#include "core/thread_pool.h"
#include "cpu/conv/passes.h"
#include "cpu/conv/slices.h"
#include "cpu/gemm/pack.h"

namespace ph::PH_LEVEL {

namespace {

// Pixels of a block, and taps of one of the kernel gradient: 12 sums of AVX2's 16 registers, which is also enough of
// them to hide the latency of additions.
constexpr int pixel_block = 6;
constexpr int most_taps = 512, most_channels = 4, fewest_filters = 8;

// The image rows under some output rows of one group, with their borders: (rows, columns, channels).
struct Padded {
  int64_t columns, channels;
  int64_t row_step, pixel_step;  // from an output row or pixel to the next

  explicit Padded(const ConvGeometry& g)
      : columns((g.columns.out - 1) * g.columns.stride + window_extent(g.columns.size, g.columns.dilation)),
        channels(g.group_channels()),
        row_step(g.rows.stride * columns * channels),
        pixel_step(g.columns.stride * channels) {}
  PH_INLINE int64_t size(const ConvGeometry& g, int64_t out_rows) const {
    return ((out_rows - 1) * g.rows.stride + window_extent(g.rows.size, g.rows.dilation)) * columns * channels;
  }
};

// What output rows [y0, y0 + count) see of an image.
template <class T>
void copy_padded(const ConvGeometry& g, const Padded& padded, const T* image, int64_t group, int64_t y0, int64_t count,
                 T* to) {
  const int64_t first = y0 * g.rows.stride - g.rows.before, row = padded.columns * padded.channels;
  const int64_t rows = padded.size(g, count) / row;
  const int64_t left = least(g.columns.before, padded.columns);
  const int64_t inside = most(0, least(g.columns.in, padded.columns - left));
  for (int64_t r = 0; r < rows; ++r, to += row) {
    const int64_t y = first + r;
    if (y < 0 || y >= g.rows.in) {
      for (int64_t j = 0; j < row; ++j) to[j] = 0;
      continue;
    }
    const T* from = image + y * g.columns.in * g.channels + group * padded.channels;
    for (int64_t j = 0; j < left * padded.channels; ++j) to[j] = 0;
    T* middle = to + left * padded.channels;
    if (g.groups == 1) {
      copy_run(from, middle, inside * padded.channels);
    } else {
      for (int64_t x = 0; x < inside; ++x) {
        for (int64_t c = 0; c < padded.channels; ++c) middle[x * padded.channels + c] = from[x * g.channels + c];
      }
    }
    for (int64_t j = (left + inside) * padded.channels; j < row; ++j) to[j] = 0;
  }
}

// Where the taps lie in padded rows, (taps, channels) as in the kernel.
struct Offsets {
  int32_t of[most_taps];

  Offsets(const ConvGeometry& g, const Padded& padded) {
    int l = 0;
    for (int64_t r = 0; r < g.rows.size; ++r) {
      for (int64_t s = 0; s < g.columns.size; ++s) {
        for (int64_t c = 0; c < padded.channels; ++c) {
          const int64_t pixel = r * g.rows.dilation * padded.columns + s * g.columns.dilation;
          of[l++] = static_cast<int32_t>(pixel * padded.channels + c);
        }
      }
    }
  }
};

// How many output rows are worked on at a time: their image rows stay in the L1 cache.
PH_INLINE int64_t rows_together(const ConvGeometry& g, const Padded& padded) {
  constexpr int64_t elements = 4096;
  return least(g.rows.out, most(1, elements / (padded.row_step + 1)));
}

// ---- forward

// One row of output pixels and one panel of filters.
template <class T>
struct OutputRow {
  const T* x;  // padded rows, where the first pixel's window begins
  int64_t pixel_step;
  const int32_t* offsets;
  int64_t depth;
  const T* kernel;  // (depth, panel_width)
  const T* bias;    // of these filters, or nullptr
  bool relu;
  T* y;
  int64_t y_step;
  int64_t pixels;
  int live;  // filters that exist
};

// The last block of pixels overlaps the one before. `known_step` is pixel_step, or 0 for any.
template <class T, int vectors, int known_step>
void convolve_row(const OutputRow<T>& row) {
  using V = Vector<T>;
  constexpr int w = lanes<T>;
  const int64_t step = known_step ? known_step : row.pixel_step;
  for (int64_t begin = 0; begin < row.pixels; begin += pixel_block) {
    const int64_t pixel = least(begin, row.pixels - pixel_block);
    const T* x = row.x + pixel * step;
    const T* kernel = row.kernel;
    V sum[pixel_block][vectors];
#pragma GCC unroll 6
    for (int i = 0; i < pixel_block; ++i) {
#pragma GCC unroll 2
      for (int j = 0; j < vectors; ++j) sum[i][j] = V{};
    }
    for (int64_t l = 0; l < row.depth; ++l, kernel += panel_width<T>) {
      const T* at = x + row.offsets[l];
      V filters[vectors];
#pragma GCC unroll 2
      for (int j = 0; j < vectors; ++j) filters[j] = load(kernel + j * w);
#pragma GCC unroll 6
      for (int i = 0; i < pixel_block; ++i) {
#pragma GCC unroll 2
        for (int j = 0; j < vectors; ++j) sum[i][j] += filters[j] * at[i * step];
      }
    }
    T* y = row.y + pixel * row.y_step;
#pragma GCC unroll 2
    for (int j = 0; j < vectors; ++j) {
      const int live = static_cast<int>(least(row.live - j * w, w));
      const V bias = !row.bias ? V{} : live == w ? load(row.bias + j * w) : load_some(row.bias + j * w, live);
#pragma GCC unroll 6
      for (int i = 0; i < pixel_block; ++i) {
        V value = sum[i][j] + bias;
        if (row.relu) value = value < V{} ? V{} : value;  // keeps NaN
        T* to = y + i * row.y_step + j * w;
        live == w ? store(to, value) : store_some(to, value, live);
      }
    }
  }
}

template <class T, int vectors>
PH_INLINE void convolve_row(const OutputRow<T>& row) {
  switch (row.pixel_step) {
    case 1:
      return convolve_row<T, vectors, 1>(row);
    case 3:
      return convolve_row<T, vectors, 3>(row);
    default:
      return convolve_row<T, vectors, 0>(row);
  }
}

// The kernel of one group as panels of filters, each (depth, panel_width).
template <class T>
void pack_kernel(const ConvGeometry& g, const T* kernel, int64_t group, T* packed) {
  Gemm<T> b{};
  b.n = g.group_filters(), b.k = g.depth();
  b.b = kernel + group * b.n, b.b_row = g.filters, b.b_column = 1;
  for (int64_t f = 0; f < b.n; f += panel_width<T>) pack_panel(b, 0, b.k, f, packed + f * b.k);
}

template <class T>
void forward(const KernelCall& k, const ConvAttrs& a) {
  const ConvGeometry g = conv_geometry(k.in[0].shape, k.in[1].shape, a);
  const Padded padded(g);
  const Offsets offsets(g, padded);
  const T *x = k.in[0].as<T>(), *bias = k.in.size() > 2 ? k.in[2].as<T>() : nullptr;
  T *packed = static_cast<T*>(k.workspace), *y = k.out[0].as<T>();
  constexpr int64_t width = panel_width<T>;
  const int64_t together = rows_together(g, padded), pieces = divide_up(g.rows.out, together);
  const double ns = 0.02 * static_cast<double>(together * g.columns.out * g.depth()) *
                    static_cast<double>(divide_up(g.group_filters(), lanes<T>) * lanes<T>);
  for (int64_t group = 0; group < g.groups; ++group) {
    pack_kernel(g, k.in[1].as<T>(), group, packed);
    parallel_for(g.batch * pieces, ns, [&](int64_t task) {
      const int64_t image = task / pieces, y0 = task % pieces * together, rows = least(together, g.rows.out - y0);
      T* window = static_cast<T*>(thread_scratch(sizeof(T) * static_cast<size_t>(padded.size(g, together))));
      copy_padded(g, padded, x + image * g.rows.in * g.columns.in * g.channels, group, y0, rows, window);
      for (int64_t r = 0; r < rows; ++r) {
        for (int64_t f = 0; f < g.group_filters(); f += width) {
          const int64_t filter = group * g.group_filters() + f;
          const OutputRow<T> row{window + r * padded.row_step,
                                 padded.pixel_step,
                                 offsets.of,
                                 g.depth(),
                                 packed + f * g.depth(),
                                 bias ? bias + filter : nullptr,
                                 a.activation == Activation::relu,
                                 y + (image * g.rows.out + y0 + r) * g.columns.out * g.filters + filter,
                                 g.filters,
                                 g.columns.out,
                                 static_cast<int>(least(width, g.group_filters() - f))};
          row.live <= lanes<T> ? convolve_row<T, 1>(row) : convolve_row<T, panel_vectors>(row);
        }
      }
    });
  }
}

// ---- gradient of the kernel

// Sums of some taps (rows of the kernel gradient) and one panel of filters, over output rows of one image.
template <class T>
struct TapSums {
  const T* x;  // padded rows
  int64_t row_step, pixel_step;
  const int32_t* offsets;  // of these taps
  const T* dy;             // these filters
  int64_t dy_step;
  int64_t rows, pixels;
  T* sums;  // (taps, filters), rows sum_step apart
  int64_t sum_step;
  bool accumulate;
};

template <class T, int taps, int vectors>
void sum_taps(const TapSums<T>& s) {
  using V = Vector<T>;
  constexpr int w = lanes<T>;
  V sum[taps][vectors];
#pragma GCC unroll 6
  for (int i = 0; i < taps; ++i) {
#pragma GCC unroll 2
    for (int j = 0; j < vectors; ++j) sum[i][j] = s.accumulate ? load(s.sums + i * s.sum_step + j * w) : V{};
  }
  const T* dy = s.dy;
  for (int64_t r = 0; r < s.rows; ++r) {
    const T* at[taps];
#pragma GCC unroll 6
    for (int i = 0; i < taps; ++i) at[i] = s.x + r * s.row_step + s.offsets[i];
    const int64_t end = s.pixels * s.pixel_step;
    for (int64_t p = 0; p < end; p += s.pixel_step, dy += s.dy_step) {
      V filters[vectors];
#pragma GCC unroll 2
      for (int j = 0; j < vectors; ++j) filters[j] = load(dy + j * w);
#pragma GCC unroll 6
      for (int i = 0; i < taps; ++i) {
#pragma GCC unroll 2
        for (int j = 0; j < vectors; ++j) sum[i][j] += filters[j] * at[i][p];
      }
    }
  }
#pragma GCC unroll 6
  for (int i = 0; i < taps; ++i) {
#pragma GCC unroll 2
    for (int j = 0; j < vectors; ++j) store(s.sums + i * s.sum_step + j * w, sum[i][j]);
  }
}

// For 1 ... pixel_block taps.
template <class T, int vectors, int taps = pixel_block>
PH_INLINE void sum_so_many_taps(const TapSums<T>& s, int64_t wanted) {
  if constexpr (taps > 0) {
    wanted == taps ? sum_taps<T, taps, vectors>(s) : sum_so_many_taps<T, vectors, taps - 1>(s, wanted);
  }
}

template <class T>
void kernel_grad(const KernelCall& k, const ConvAttrs& a) {
  const ConvGeometry g = conv_geometry(k.in[0].shape, k.out[0].shape, a);
  const Padded padded(g);
  const Offsets offsets(g, padded);
  const T *x = k.in[0].as<T>(), *dy = k.in[1].as<T>();
  constexpr int64_t width = panel_width<T>;
  const int64_t slices = least(g.batch, most_slices), size = g.depth() * g.filters;
  const int64_t together = rows_together(g, padded), blocks = divide_up(g.depth(), pixel_block);
  T* sums = static_cast<T*>(k.workspace);
  const double ns = 0.03 * static_cast<double>(g.batch * g.pixels() * g.depth()) * static_cast<double>(g.filters);
  parallel_for(slices, ns / static_cast<double>(slices), [&](int64_t slice) {
    T* window = static_cast<T*>(thread_scratch(sizeof(T) * static_cast<size_t>(padded.size(g, together))));
    const int64_t first = g.batch * slice / slices;
    for (int64_t image = first; image < g.batch * (slice + 1) / slices; ++image) {
      for (int64_t y0 = 0; y0 < g.rows.out; y0 += together) {
        const int64_t rows = least(together, g.rows.out - y0);
        for (int64_t group = 0; group < g.groups; ++group) {
          copy_padded(g, padded, x + image * g.rows.in * g.columns.in * g.channels, group, y0, rows, window);
          for (int64_t f = 0; f < g.group_filters(); f += width) {
            const int64_t filter = group * g.group_filters() + f;
            for (int64_t block = 0; block < blocks; ++block) {
              const int64_t tap = g.depth() * block / blocks, taps = g.depth() * (block + 1) / blocks - tap;
              const TapSums<T> part{window,
                                    padded.row_step,
                                    padded.pixel_step,
                                    offsets.of + tap,
                                    dy + (image * g.rows.out + y0) * g.columns.out * g.filters + filter,
                                    g.filters,
                                    rows,
                                    g.columns.out,
                                    sums + slice * size + tap * g.filters + filter,
                                    g.filters,
                                    image > first || y0 > 0};
              g.group_filters() - f >= width ? sum_so_many_taps<T, panel_vectors>(part, taps)
                                             : sum_so_many_taps<T, 1>(part, taps);
            }
          }
        }
      }
    }
  });
  add_slices(sums, slices, size);
  copy_run(sums, k.out[0].as<T>(), size);
}

const char* accepts(DType dtype, const ConvGeometry& g) {
  if (dtype != DType::float32 && dtype != DType::float64) return "wants float32 or float64";
  if (g.group_channels() > most_channels) return "wants at most 4 channels";
  if (g.depth() > most_taps) return "wants at most 512 taps";
  if (g.columns.out < pixel_block) return "wants rows of 6 output pixels";
  if (g.group_filters() < fewest_filters) return "wants 8 filters at least";
  return nullptr;
}

}  // namespace

const char* first_layer_accepts(SpecSpan in, const ConvAttrs& a) {
  return accepts(in[0].dtype, forward_geometry(in, a));
}

// Sums are kept in whole vectors of filters.
const char* first_layer_kernel_grad_accepts(SpecSpan in, const ConvAttrs& a) {
  const ConvGeometry g = kernel_grad_geometry(in, a);
  if (const char* reason = accepts(in[0].dtype, g)) return reason;
  if (g.batch == 0) return "wants a sample at least";
  const bool whole =
      in[0].dtype == DType::float32 ? g.group_filters() % lanes<float> == 0 : g.group_filters() % lanes<double> == 0;
  return whole ? nullptr : "wants whole vectors of filters";
}

size_t first_layer_workspace(SpecSpan in, const ConvAttrs& a) {
  const ConvGeometry g = forward_geometry(in, a);
  const int64_t elements = in[0].dtype == DType::float32 ? packed_size<float>(g.group_filters(), g.depth())
                                                         : packed_size<double>(g.group_filters(), g.depth());
  return size_of(in[0].dtype) * static_cast<size_t>(elements);
}

size_t first_layer_kernel_grad_workspace(SpecSpan in, const ConvAttrs& a) {
  const ConvGeometry g = kernel_grad_geometry(in, a);
  return size_of(in[0].dtype) * static_cast<size_t>(least(g.batch, most_slices) * g.depth() * g.filters);
}

void first_layer_forward(const KernelCall& call, const ConvAttrs& a) {
  call.out[0].dtype == DType::float32 ? forward<float>(call, a) : forward<double>(call, a);
}

void first_layer_kernel_grad(const KernelCall& call, const ConvAttrs& a) {
  call.out[0].dtype == DType::float32 ? kernel_grad<float>(call, a) : kernel_grad<double>(call, a);
}

}  // namespace ph::PH_LEVEL
