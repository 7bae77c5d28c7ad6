// Tiles of m x m outputs, (m + 2)^2 = `points` products each. A block of tiles at a time, in memory of the thread:
//   v (points, tiles, channels)   transformed inputs
//   p (points, tiles, filters)    products: for each point, v times u
//   u (points, channels, filters) transformed kernel, packed as gemm's B once per call
// forward:          y = inverse transform of p, + bias, activation
// gradient of x:    the same on dy, with the kernel turned by 180 degrees and channels and filters exchanged
// kernel gradient:  for each point, v^T times the transformed dy, summed over the tiles of a slice of the batch, whose
//                   number the shape decides; slices are added in order, then transformed back
#include "cpu/conv/winograd.h"

#include "core/precision.h"
#include "core/scratch.h"
#include "core/thread_pool.h"
#include "cpu/conv/passes.h"
#include "cpu/conv/slices.h"
#include "cpu/conv/winograd_transforms.h"
#include "cpu/gemm/gemm.h"

namespace ph::PH_LEVEL {

namespace {

using V = Vector<float>;
constexpr int64_t w = lanes<float>;
constexpr int64_t block_bytes = 400 << 10;      // of v and p: what the L2 cache holds beside u
constexpr int64_t most_slice_bytes = 48 << 20;  // of all slices' sums

// Vectors of channels, of which the last may be a part.
PH_INLINE V load_live(const float* from, int64_t live) {
  return live >= w ? load(from) : load_some(from, static_cast<int>(live));
}
PH_INLINE void store_live(float* to, V value, int64_t live) {
  live >= w ? store(to, value) : store_some(to, value, static_cast<int>(live));
}

// One convolution without strides: out(y, x) sees in(y - top ... y - top + 2, ...).
struct Sizes {
  int64_t batch, in_rows, in_columns, channels;
  int64_t out_rows, out_columns, filters;
  int64_t top, left;
};

// The tiles of a whole batch. Mostly each image has tiles of its own, whose last ones reach beyond it. Where an image's
// border of zeros is 2 wide on all sides (the gradient of a convolution without padding), images are laid out in a
// grid, `abreast` of them in a row, and share their borders: outputs then lie without gaps, and few tiles are in vain.
template <int m>
struct Tiling {
  static constexpr int inputs = Winograd<m>::inputs, points = inputs * inputs;
  Sizes s;
  bool joined;
  int64_t abreast, row_pitch, column_pitch;  // from an image to the next, in outputs
  int64_t across, tiles, block;

  explicit Tiling(const Sizes& sizes) : s(sizes) {
    row_pitch = divide_up(s.out_rows, m) * m, column_pitch = divide_up(s.out_columns, m) * m;
    abreast = 1;
    tiles = count_tiles();
    joined = s.top == 2 && s.left == 2 && s.out_rows == s.in_rows + 2 && s.out_columns == s.in_columns + 2;
    if (joined) {
      row_pitch = s.out_rows, column_pitch = s.out_columns;
      int64_t best = 1;
      for (abreast = 1; abreast <= least(s.batch, 64); ++abreast) {
        if (s.batch % abreast == 0 && count_tiles() <= tiles) best = abreast, tiles = count_tiles();
      }
      abreast = best;
    }
    across = divide_up(abreast * column_pitch, m);
    // from about c * f / (c + f) tiles on, u and the sums of kernel gradients are read less often than v and p
    const int64_t fit = most(block_bytes / (points * 4 * (s.channels + s.filters)),
                             s.channels * s.filters / (s.channels + s.filters + 1));
    const int64_t fewest = least(8, divide_up(tiles, row_block));  // for the threads
    const int64_t blocks = most(divide_up(tiles, least(most(fit, row_block), 16 * row_block)), fewest);
    block = divide_up(divide_up(tiles, most(blocks, 1)), row_block) * row_block;
    block = most(block, row_block);
  }
  // one line of 16 floats more than the tiles take, lest all points fall on the same lines of the L1 cache
  int64_t v_stride() const { return block * s.channels + 16; }
  int64_t p_stride() const { return block * s.filters + 16; }
  int64_t u_stride() const { return packed_size<float>(s.filters, s.channels); }

 private:
  int64_t count_tiles() const {
    return divide_up(s.batch / abreast * row_pitch, m) * divide_up(abreast * column_pitch, m);
  }
};

// Where a tile's rows (or columns) lie, in elements from the first image; -1 for what does not exist.
template <int m>
struct Lines {
  int64_t in[m + 2], out[m];
  bool inside;  // all inputs exist and are of one image
};

// Of the tile whose first output is `at`, counted over `images` images: their sizes, steps from a line to the next and
// from an image to the next.
template <int m>
PH_INLINE Lines<m> lines_at(int64_t at, int64_t pitch, int64_t images, bool joined, int64_t before, int64_t in_size,
                            int64_t in_step, int64_t in_image, int64_t out_size, int64_t out_step, int64_t out_image) {
  Lines<m> lines;
  int64_t image = at / pitch, position = at % pitch;
  lines.inside = position >= before && position - before + m + 2 <= in_size;
  for (int r = 0; r < m + 2; ++r) {
    const int64_t y = position - before;
    const bool exists = image < images;
    if (r < m) lines.out[r] = exists && position < out_size ? image * out_image + position * out_step : -1;
    lines.in[r] = exists && y >= 0 && y < in_size ? image * in_image + y * in_step : -1;
    if (++position == pitch && joined) position = 0, ++image;
  }
  return lines;
}

template <int m>
struct Tile {
  Lines<m> rows, columns;

  PH_INLINE Tile(const Tiling<m>& t, int64_t index) {
    const Sizes& s = t.s;
    const int64_t in_row = s.in_columns * s.channels, in_image = s.in_rows * in_row;
    const int64_t out_row = s.out_columns * s.filters, out_image = s.out_rows * out_row;
    rows = lines_at<m>(index / t.across * m, t.row_pitch, s.batch / t.abreast, t.joined, s.top, s.in_rows, in_row,
                       t.abreast * in_image, s.out_rows, out_row, t.abreast * out_image);
    columns = lines_at<m>(index % t.across * m, t.column_pitch, t.abreast, t.joined, s.left, s.in_columns, s.channels,
                          in_image, s.out_columns, s.filters, out_image);
  }
};

// u from a kernel (3, 3, channels, filters).
template <int m>
void transform_kernel(const float* kernel, int64_t channels, int64_t filters, float* u) {
  using F = Winograd<m>;
  const int64_t stride = packed_size<float>(filters, channels);
  parallel_for(channels, static_cast<double>(filters) * 12, [&](int64_t c) {
    for (int64_t f = 0; f < filters; f += w) {
      V half[F::inputs][3];
      for (int s = 0; s < 3; ++s) {
        V g[3];
        for (int r = 0; r < 3; ++r) g[r] = load_live(kernel + ((r * 3 + s) * channels + c) * filters + f, filters - f);
        for (int i = 0; i < F::inputs; ++i) {
          half[i][s] = F::kernel[i][0] * g[0] + F::kernel[i][1] * g[1] + F::kernel[i][2] * g[2];
        }
      }
      float* to = u + packed_position<float>(filters, channels, c, f);
      for (int i = 0; i < F::inputs; ++i) {
        for (int j = 0; j < F::inputs; ++j, to += stride) {
          store(to, F::kernel[j][0] * half[i][0] + F::kernel[j][1] * half[i][1] + F::kernel[j][2] * half[i][2]);
        }
      }
    }
  });
}

// (3, 3, channels, filters) turned by 180 degrees, (3, 3, filters, channels).
void turn_kernel(const float* kernel, int64_t channels, int64_t filters, float* turned) {
  parallel_for(9, static_cast<double>(channels * filters), [&](int64_t tap) {
    const float* from = kernel + tap * channels * filters;
    float* to = turned + (8 - tap) * channels * filters;
    for (int64_t c0 = 0; c0 < channels; c0 += 16) {
      for (int64_t f = 0; f < filters; ++f) {
        for (int64_t c = c0; c < least(c0 + 16, channels); ++c) to[f * channels + c] = from[c * filters + f];
      }
    }
  });
}

// B^T d B of one tile and all channels, to v + point * stride.
template <int m, bool inside>
PH_INLINE void transform_input(const Sizes& s, const float* x, const Tile<m>& tile, float* v, int64_t stride) {
  using F = Winograd<m>;
  constexpr int n = F::inputs;
  const int64_t *rows = tile.rows.in, *columns = tile.columns.in, row = s.in_columns * s.channels;
  const float* corner = x + (inside ? rows[0] + columns[0] : 0);
  for (int64_t c = 0; c < s.channels; c += w) {
    const int64_t live = s.channels - c;
    V half[n][n];
    for (int j = 0; j < n; ++j) {
      V d[n], t[n];
      for (int i = 0; i < n; ++i) {
        const int64_t at = inside ? i * row + j * s.channels : rows[i] + columns[j];
        d[i] = inside || (rows[i] >= 0 && columns[j] >= 0) ? load_live(corner + at + c, live) : V{};
      }
      F::input(d, t);
      for (int i = 0; i < n; ++i) half[i][j] = t[i];
    }
    for (int i = 0; i < n; ++i) {
      V t[n];
      F::input(half[i], t);
      for (int j = 0; j < n; ++j) store_live(v + (i * n + j) * stride + c, t[j], live);
    }
  }
}

template <int m>
void transform_inputs(const Tiling<m>& t, const float* x, int64_t begin, int64_t count, float* v) {
  for (int64_t i = 0; i < count; ++i) {
    const Tile<m> tile(t, begin + i);
    float* to = v + i * t.s.channels;
    tile.rows.inside&& tile.columns.inside ? transform_input<m, true>(t.s, x, tile, to, t.v_stride())
                                           : transform_input<m, false>(t.s, x, tile, to, t.v_stride());
  }
}

// A^T p A of a block of tiles, to y.
template <int m>
void transform_outputs(const Tiling<m>& t, const float* p, int64_t begin, int64_t count, const float* bias,
                       Activation activation, float* y) {
  using F = Winograd<m>;
  constexpr int n = F::inputs;
  const Sizes& s = t.s;
  for (int64_t index = 0; index < count; ++index) {
    const Tile<m> tile(t, begin + index);
    for (int64_t f = 0; f < s.filters; f += w) {
      const int64_t live = s.filters - f;
      const float* from = p + index * s.filters + f;
      V half[m][n];
      for (int j = 0; j < n; ++j) {
        V column[n], out[m];
        for (int i = 0; i < n; ++i) column[i] = load_live(from + (i * n + j) * t.p_stride(), live);
        F::output(column, out);
        for (int i = 0; i < m; ++i) half[i][j] = out[i];
      }
      const V add = bias ? load_live(bias + f, live) : V{};
      for (int i = 0; i < m; ++i) {
        if (tile.rows.out[i] < 0) continue;
        V out[m];
        F::output(half[i], out);
        for (int j = 0; j < m; ++j) {
          if (tile.columns.out[j] < 0) continue;
          V value = out[j] + add;
          if (activation == Activation::relu) value = value < V{} ? V{} : value;  // keeps NaN
          store_live(y + tile.rows.out[i] + tile.columns.out[j] + f, value, live);
        }
      }
    }
  }
}

// y = convolution of x with the transformed kernel.
template <int m>
void convolve(const Tiling<m>& t, const float* x, const float* u, const float* bias, Activation activation, float* y) {
  const Sizes& s = t.s;
  const double ns = static_cast<double>(t.points * t.block) * static_cast<double>(s.channels * s.filters) * 0.03;
  parallel_for(divide_up(t.tiles, t.block), ns, [&](int64_t block) {
    const int64_t begin = block * t.block, count = least(t.block, t.tiles - begin);
    auto* v = static_cast<float*>(
        thread_scratch(sizeof(float) * static_cast<size_t>(t.points * (t.v_stride() + t.p_stride()))));
    float* p = v + t.points * t.v_stride();
    transform_inputs(t, x, begin, count, v);
    Gemm<float> product{};
    product.m = count, product.n = s.filters, product.k = s.channels;
    product.a_row = s.channels, product.a_column = 1, product.c_row = s.filters;
    for (int point = 0; point < t.points; ++point) {
      product.a = v + point * t.v_stride();
      product.c = p + point * t.p_stride();
      multiply_rows(product, u + point * t.u_stride(), 0, count);
    }
    transform_outputs(t, p, begin, count, bias, activation, y);
  });
}

Sizes forward_sizes(const ConvGeometry& g) {
  return {g.batch,       g.rows.in, g.columns.in,  g.channels,      g.rows.out,
          g.columns.out, g.filters, g.rows.before, g.columns.before};
}
Sizes input_grad_sizes(const ConvGeometry& g) {
  return {g.batch,      g.rows.out, g.columns.out,     g.filters,           g.rows.in,
          g.columns.in, g.channels, 2 - g.rows.before, 2 - g.columns.before};
}

// Where the products of a tile and its transforms cost less than the direct sum.
template <int m>
const char* accepts(DType dtype, const ConvGeometry& g, const Sizes& s) {
  if (dtype != DType::float32) return "wants float32";
  if (g.rows.size != 3 || g.columns.size != 3) return "wants a 3 x 3 kernel";
  if (g.rows.stride != 1 || g.columns.stride != 1 || g.rows.dilation != 1 || g.columns.dilation != 1) {
    return "wants no strides and no dilation";
  }
  if (g.groups != 1) return "wants one group";
  if (m == 4 && matmul_precision() == Precision::highest) return "the precision asked for is higher";
  const int64_t fewest = m == 4 ? 16 : 32;
  if (s.channels < fewest || s.filters < fewest) return "wants more channels and filters";
  const Tiling<m> tiling(s);
  const int64_t products = 9 * s.batch * s.out_rows * s.out_columns;
  const double least_gain = m == 4 ? 2 : 1.6;
  if (static_cast<double>(products) < least_gain * static_cast<double>(Tiling<m>::points * tiling.tiles)) {
    return "its tiles reach too far beyond the image";
  }
  return nullptr;
}

template <int m>
int64_t slice_count(const Tiling<m>& t) {
  const int64_t bytes = 4 * t.points * t.s.channels * t.s.filters;
  return least(divide_up(t.tiles, t.block), least(most_slices, most(2, most_slice_bytes / bytes)));
}

// A dy A^T of a block of tiles, each point packed as gemm's B: (tiles, filters).
template <int m>
void transform_output_gradients(const Tiling<m>& t, const float* dy, int64_t begin, int64_t count, float* p,
                                int64_t stride) {
  using F = Winograd<m>;
  constexpr int n = F::inputs;
  const Sizes& s = t.s;
  for (int64_t index = 0; index < count; ++index) {
    const Tile<m> tile(t, begin + index);
    const int64_t *rows = tile.rows.out, *columns = tile.columns.out;
    for (int64_t f = 0; f < s.filters; f += w) {
      const int64_t live = s.filters - f;
      V half[n][m];
      for (int j = 0; j < m; ++j) {
        V column[m], out[n];
        for (int i = 0; i < m; ++i) {
          const bool exists = rows[i] >= 0 && columns[j] >= 0;
          column[i] = exists ? load_live(dy + rows[i] + columns[j] + f, live) : V{};
        }
        F::output_gradient(column, out);
        for (int i = 0; i < n; ++i) half[i][j] = out[i];
      }
      float* to = p + packed_position<float>(s.filters, count, index, f);
      for (int i = 0; i < n; ++i) {
        V out[n];
        F::output_gradient(half[i], out);
        for (int j = 0; j < n; ++j) store(to + (i * n + j) * stride, out[j]);
      }
    }
  }
}

// dkernel (3, 3, channels, filters) from the slices' sums (slices, points, channels, filters).
template <int m>
void transform_kernel_gradient(const float* sums, int64_t slices, int64_t channels, int64_t filters, float* dkernel) {
  using F = Winograd<m>;
  constexpr int n = F::inputs;
  parallel_for(channels, static_cast<double>(filters * slices) * 10, [&](int64_t c) {
    for (int64_t f = 0; f < filters; f += w) {
      const int64_t live = filters - f;
      V half[3][n];
      for (int j = 0; j < n; ++j) {
        V column[n];
        for (int i = 0; i < n; ++i) {
          column[i] = V{};
          for (int64_t slice = 0; slice < slices; ++slice) {
            const int64_t point = slice * n * n + i * n + j;
            column[i] += load_live(sums + (point * channels + c) * filters + f, live);
          }
        }
        for (int r = 0; r < 3; ++r) {
          half[r][j] = V{};
          for (int i = 0; i < n; ++i) half[r][j] += F::kernel[i][r] * column[i];
        }
      }
      for (int r = 0; r < 3; ++r) {
        for (int s = 0; s < 3; ++s) {
          V value{};
          for (int j = 0; j < n; ++j) value += F::kernel[j][s] * half[r][j];
          store_live(dkernel + ((r * 3 + s) * channels + c) * filters + f, value, live);
        }
      }
    }
  });
}

template <int m>
void kernel_gradient(const Tiling<m>& t, const float* x, const float* dy, float* sums, float* dkernel) {
  const Sizes& s = t.s;
  const int64_t slices = slice_count(t), blocks = divide_up(t.tiles, t.block);
  const int64_t p_stride = packed_size<float>(s.filters, t.block) + 16;
  const double ns = static_cast<double>(t.points * t.tiles) * static_cast<double>(s.channels * s.filters) * 0.03;
  parallel_for(slices, ns / static_cast<double>(slices), [&](int64_t slice) {
    const int64_t first = blocks * slice / slices;
    auto* v =
        static_cast<float*>(thread_scratch(sizeof(float) * static_cast<size_t>(t.points * (t.v_stride() + p_stride))));
    float* p = v + t.points * t.v_stride();
    for (int64_t block = first; block < blocks * (slice + 1) / slices; ++block) {
      const int64_t begin = block * t.block, count = least(t.block, t.tiles - begin);
      transform_inputs(t, x, begin, count, v);
      transform_output_gradients(t, dy, begin, count, p, p_stride);
      Gemm<float> product{};
      product.m = s.channels, product.n = s.filters, product.k = count;
      product.a_row = 1, product.a_column = s.channels, product.c_row = s.filters;
      product.addend_row = s.filters;
      for (int point = 0; point < t.points; ++point) {
        product.a = v + point * t.v_stride();
        product.c = sums + (slice * t.points + point) * s.channels * s.filters;
        product.addend = block > first ? product.c : nullptr;
        multiply_rows(product, p + point * p_stride, 0, s.channels);
      }
    }
  });
  transform_kernel_gradient<m>(sums, slices, s.channels, s.filters, dkernel);
}

}  // namespace

template <int m>
const char* winograd_accepts(SpecSpan in, const ConvAttrs& a) {
  const ConvGeometry g = forward_geometry(in, a);
  return accepts<m>(in[0].dtype, g, forward_sizes(g));
}
template <int m>
const char* winograd_input_grad_accepts(SpecSpan in, const ConvAttrs& a) {
  const ConvGeometry g = input_grad_geometry(in, a);
  return accepts<m>(in[0].dtype, g, input_grad_sizes(g));
}
template <int m>
const char* winograd_kernel_grad_accepts(SpecSpan in, const ConvAttrs& a) {
  const ConvGeometry g = kernel_grad_geometry(in, a);
  if (g.batch == 0) return "wants a sample at least";
  return accepts<m>(in[0].dtype, g, forward_sizes(g));
}

template <int m>
size_t winograd_workspace(SpecSpan in, const ConvAttrs& a) {
  const Tiling<m> t(forward_sizes(forward_geometry(in, a)));
  return sizeof(float) * static_cast<size_t>(t.points * t.u_stride());
}
template <int m>
size_t winograd_input_grad_workspace(SpecSpan in, const ConvAttrs& a) {
  const Tiling<m> t(input_grad_sizes(input_grad_geometry(in, a)));
  return sizeof(float) * static_cast<size_t>(t.points * t.u_stride() + 9 * t.s.channels * t.s.filters);
}
template <int m>
size_t winograd_kernel_grad_workspace(SpecSpan in, const ConvAttrs& a) {
  const Tiling<m> t(forward_sizes(kernel_grad_geometry(in, a)));
  return sizeof(float) * static_cast<size_t>(slice_count(t) * t.points * t.s.channels * t.s.filters);
}

template <int m>
void winograd_forward(const KernelCall& k, const ConvAttrs& a) {
  const Tiling<m> t(forward_sizes(conv_geometry(k.in[0].shape, k.in[1].shape, a)));
  auto* u = static_cast<float*>(k.workspace);
  transform_kernel<m>(k.in[1].as<float>(), t.s.channels, t.s.filters, u);
  convolve(t, k.in[0].as<float>(), u, k.in.size() > 2 ? k.in[2].as<float>() : nullptr, a.activation,
           k.out[0].as<float>());
}

template <int m>
void winograd_input_grad(const KernelCall& k, const ConvAttrs& a) {
  const Tiling<m> t(input_grad_sizes(conv_geometry(k.out[0].shape, k.in[1].shape, a)));
  auto* u = static_cast<float*>(k.workspace);
  float* turned = u + t.points * t.u_stride();
  turn_kernel(k.in[1].as<float>(), t.s.filters, t.s.channels, turned);
  transform_kernel<m>(turned, t.s.channels, t.s.filters, u);
  convolve(t, k.in[0].as<float>(), u, nullptr, Activation::none, k.out[0].as<float>());
}

template <int m>
void winograd_kernel_grad(const KernelCall& k, const ConvAttrs& a) {
  const Tiling<m> t(forward_sizes(conv_geometry(k.in[0].shape, k.out[0].shape, a)));
  kernel_gradient(t, k.in[0].as<float>(), k.in[1].as<float>(), static_cast<float*>(k.workspace), k.out[0].as<float>());
}

#define INSTANTIATE(m)                                                              \
  template const char* winograd_accepts<m>(SpecSpan, const ConvAttrs&);             \
  template const char* winograd_input_grad_accepts<m>(SpecSpan, const ConvAttrs&);  \
  template const char* winograd_kernel_grad_accepts<m>(SpecSpan, const ConvAttrs&); \
  template void winograd_forward<m>(const KernelCall&, const ConvAttrs&);           \
  template void winograd_input_grad<m>(const KernelCall&, const ConvAttrs&);        \
  template void winograd_kernel_grad<m>(const KernelCall&, const ConvAttrs&);       \
  template size_t winograd_workspace<m>(SpecSpan, const ConvAttrs&);                \
  template size_t winograd_input_grad_workspace<m>(SpecSpan, const ConvAttrs&);     \
  template size_t winograd_kernel_grad_workspace<m>(SpecSpan, const ConvAttrs&);
INSTANTIATE(2)
INSTANTIATE(4)

}  // namespace ph::PH_LEVEL
