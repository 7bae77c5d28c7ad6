// Depthwise convolution (one channel a group, each with `filters / channels` filters) and its gradients: little is
// computed for each element, so that what counts is that memory is read once and in wide pieces.
// Forward and gradient of the input: a thread makes four neighbouring pixels of a row for a pack of neighbouring
// channels, in registers; neighbouring threads have neighbouring channels, and what neighbouring pixels share comes
// from the first-level cache.
// Gradient of the kernel: a thread has nine taps of a pack of channels in registers and runs over image rows; threads
// of a block and then slices of the images are added in order.
// 16-bit floats are computed in float32.
#pragma once
#include "cuda/conv/gather.h"
#include "cuda/conv/slices.h"
#include "cuda/device.h"
#include "cuda/pack.h"

namespace ph::cuda {

namespace depthwise {

constexpr int threads = 128, strip = 4;

// How channels of source, result and kernel belong together: a result sums `sources` channels of the source, and
// `results` results share one. One of the two is 1.
struct Channels {
  int sources, results;
};

// n: channels of a pack. taps, stride: of columns one pixel apart, whose sources are kept in registers; 0: any.
template <class S, int n, int taps, int stride>
__global__ void __launch_bounds__(threads) gather_kernel(const __grid_constant__ Gather g, Channels channels,
                                                         const S* x, const S* kernel, const S* bias, bool relu, S* y) {
  using T = Compute<S>;
  const GatherAxis &rows = g.rows_of(blockIdx.y), &columns = g.columns_of(blockIdx.y);
  if (rows.results == 0 || columns.results == 0) return;
  const unsigned packs = static_cast<unsigned>(g.result_channels) / n, height = static_cast<unsigned>(rows.results);
  const unsigned strips = static_cast<unsigned>(columns.results + strip - 1) / strip;
  unsigned rest = blockIdx.x * threads + threadIdx.x;
  const int channel = static_cast<int>(rest % packs) * n;
  rest /= packs;
  const int first = static_cast<int>(rest % strips) * strip;
  rest /= strips;
  const int row = static_cast<int>(rest % height), image = static_cast<int>(rest / height);
  if (image >= g.batch) return;
  const int64_t kernel_channels = int64_t{g.result_channels} * channels.sources;

  T sums[strip][n] = {};
  for (int r = 0; r < rows.taps; ++r) {
    const int from_row = rows.source(row, r);
    if (!rows.inside(from_row)) continue;
    for (int e = 0; e < channels.sources; ++e) {
      const S* line = x + (int64_t{image} * rows.sources + from_row) * columns.sources * g.source_channels +
                      (channel / channels.results) * channels.sources + e;
      const S* by = kernel + int64_t{rows.tap_first + r * rows.tap_step} * g.kernel_columns * kernel_channels +
                    int64_t{channel} * channels.sources + e;
      if constexpr (taps > 0) {
        T seen[(strip - 1) * stride + taps][n] = {};
        PH_UNROLL
        for (int k = 0; k < (strip - 1) * stride + taps; ++k) {
          const int from = columns.source(first, k);
          if (columns.inside(from)) load_pack(line + int64_t{from} * g.source_channels, seen[k]);
        }
        PH_UNROLL
        for (int s = 0; s < taps; ++s) {
          T weight[n];
          load_pack(by + (columns.tap_first + s * columns.tap_step) * kernel_channels, weight);
          PH_UNROLL
          for (int t = 0; t < strip; ++t) {
            PH_UNROLL
            for (int i = 0; i < n; ++i) sums[t][i] += seen[t * stride + s][i] * weight[i];
          }
        }
      } else {
        for (int s = 0; s < columns.taps; ++s) {
          T weight[n];
          load_pack(by + (columns.tap_first + s * columns.tap_step) * kernel_channels, weight);
          PH_UNROLL
          for (int t = 0; t < strip; ++t) {
            const int from = columns.source(first + t, s);
            if (!columns.inside(from)) continue;
            T seen[n];
            load_pack(line + int64_t{from} * g.source_channels, seen);
            PH_UNROLL
            for (int i = 0; i < n; ++i) sums[t][i] += seen[i] * weight[i];
          }
        }
      }
    }
  }

  T shift[n] = {};
  if (bias) load_pack(bias + channel, shift);
  const int to_row = rows.result_first + row * rows.result_step;
  S* to = y + (int64_t{image} * g.result_rows + to_row) * g.result_columns * g.result_channels + channel;
  PH_UNROLL
  for (int t = 0; t < strip; ++t) {
    if (first + t >= columns.results) break;
    PH_UNROLL
    for (int i = 0; i < n; ++i) {
      sums[t][i] += shift[i];
      if (relu && sums[t][i] < 0) sums[t][i] = 0;
    }
    store_pack(to + int64_t{columns.result_first + (first + t) * columns.result_step} * g.result_channels, sums[t]);
  }
}

// The gradient of the kernel: block.x packs of channels times block.y image rows at a time.
constexpr int tap_count = 9, grad_threads = 256;

template <class S, int n>
__global__ void __launch_bounds__(grad_threads)
    kernel_grad_kernel(const __grid_constant__ ConvGeometry g, const S* x, const S* dy, Compute<S>* sums) {
  using T = Compute<S>;
  PH_SHARED(int2, places, [tap_count]);  // of the taps, from the place of the first
  PH_SHARED(T, of_threads, [grad_threads][n]);
  const int first_tap = static_cast<int>(blockIdx.y) * tap_count;
  const int taps = static_cast<int>(least(g.taps() - first_tap, tap_count));
  const int thread = static_cast<int>(threadIdx.y * blockDim.x + threadIdx.x);
  if (thread < tap_count) {
    const int tap = first_tap + (thread < taps ? thread : 0), size = static_cast<int>(g.columns.size);
    places[thread] = make_int2(static_cast<int>(tap / size * g.rows.dilation - g.rows.before),
                               static_cast<int>(tap % size * g.columns.dilation - g.columns.before));
  }
  __syncthreads();

  const int channel = static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x) * n;
  const int from_channel = channel / static_cast<int>(g.group_filters());
  const bool present = channel < g.filters;
  const int height = static_cast<int>(g.rows.in), width = static_cast<int>(g.columns.in);
  const int out_rows = static_cast<int>(g.rows.out), out_columns = static_cast<int>(g.columns.out);
  const int lines = static_cast<int>(g.batch) * out_rows;
  const int begin = slice_begin(lines, blockIdx.z, gridDim.z), end = slice_begin(lines, blockIdx.z + 1, gridDim.z);
  T of_taps[tap_count][n] = {};
  for (int line = begin + static_cast<int>(threadIdx.y); present && line < end; line += static_cast<int>(blockDim.y)) {
    const int row = line % out_rows * static_cast<int>(g.rows.stride);
    const S* image = x + int64_t{line / out_rows} * height * width * g.channels + from_channel;
    const S* slope = dy + int64_t{line} * out_columns * g.filters + channel;
    for (int q = 0; q < out_columns; ++q) {
      T by[n];
      load_pack(slope + q * g.filters, by);
      const int column = q * static_cast<int>(g.columns.stride);
      PH_UNROLL
      for (int t = 0; t < tap_count; ++t) {
        const int from_row = row + places[t].x, from_column = column + places[t].y;
        if (static_cast<unsigned>(from_row) >= static_cast<unsigned>(height) ||
            static_cast<unsigned>(from_column) >= static_cast<unsigned>(width)) {
          continue;
        }
        T seen[n];
        load_pack(image + (int64_t{from_row} * width + from_column) * g.channels, seen);
        PH_UNROLL
        for (int i = 0; i < n; ++i) of_taps[t][i] += seen[i] * by[i];
      }
    }
  }

  T* to = sums + int64_t{blockIdx.z} * g.taps() * g.filters + channel;
  PH_UNROLL
  for (int t = 0; t < tap_count; ++t) {
    if (t >= taps) break;
    PH_UNROLL
    for (int i = 0; i < n; ++i) of_threads[thread][i] = of_taps[t][i];
    __syncthreads();
    if (threadIdx.y == 0 && present) {
      for (int y = 1; y < static_cast<int>(blockDim.y); ++y) {
        PH_UNROLL
        for (int i = 0; i < n; ++i) of_taps[t][i] += of_threads[y * static_cast<int>(blockDim.x) + thread][i];
      }
      PH_UNROLL
      for (int i = 0; i < n; ++i) to[(first_tap + t) * g.filters + i] = of_taps[t][i];
    }
    __syncthreads();
  }
}

}  // namespace depthwise

namespace {

bool packs_fit(const ConvGeometry& g, int64_t pack, std::initializer_list<const void*> addresses) {
  bool fit = g.group_filters() == 1 && g.channels % pack == 0;
  for (const void* address : addresses) fit = fit && is_aligned(address);
  return fit;
}

const char* refuse_unless_depthwise(const ConvGeometry& g) {
  return g.group_channels() == 1 ? nullptr : "wants one channel a group";
}

template <class S, int n, int taps, int stride>
void launch_gather(const Gather& g, depthwise::Channels channels, const S* x, const S* kernel, const S* bias, bool relu,
                   S* y) {
  const int64_t strips = divide_up(g.most_columns(), depthwise::strip);
  const int64_t count = g.batch * g.most_rows() * strips * (g.result_channels / n);
  PH_LAUNCH((depthwise::gather_kernel<S, n, taps, stride>),
            dim3(blocks_for(count, depthwise::threads), static_cast<unsigned>(g.classes())), depthwise::threads, 0,
            device().stream, g, channels, x, kernel, bias, relu, y);
}

template <class S>
void run_depthwise_gather(const Gather& g, depthwise::Channels channels, bool packed, const S* x, const S* kernel,
                          const S* bias, bool relu, S* y) {
  constexpr int n = pack_size<S>;
  if (!packed) return launch_gather<S, 1, 0, 0>(g, channels, x, kernel, bias, relu, y);
  const GatherAxis& columns = g.columns[0];
  const int taps = columns.step == 1 && g.classes() == 1 ? columns.taps : 0;
  if (taps == 3 && columns.stride == 1) {
    launch_gather<S, n, 3, 1>(g, channels, x, kernel, bias, relu, y);
  } else if (taps == 3 && columns.stride == 2) {
    launch_gather<S, n, 3, 2>(g, channels, x, kernel, bias, relu, y);
  } else if (taps == 5 && columns.stride == 1) {
    launch_gather<S, n, 5, 1>(g, channels, x, kernel, bias, relu, y);
  } else {
    launch_gather<S, n, 0, 0>(g, channels, x, kernel, bias, relu, y);
  }
}

// ---- forward

const char* depthwise_accepts(SpecSpan in, const ConvAttrs& a) {
  const ConvGeometry g = conv_geometry(in[0].shape, in[1].shape, a);
  if (const char* reason = refuse_unless_depthwise(g)) return reason;
  if (g.batch * g.pixels() * g.filters > INT32_MAX) return "more than 2^31 results";
  return refuse_geometry(g);
}

void run_depthwise(const KernelCall& k, const ConvAttrs& a) {
  const ConvGeometry g = conv_geometry(k.in[0].shape, k.in[1].shape, a);
  if (k.out[0].size() == 0) return;
  const depthwise::Channels channels{1, static_cast<int>(g.group_filters())};
  const void* bias = k.in.size() > 2 ? k.in[2].data : nullptr;
  with_float_type(k.in[0].dtype, [&](auto stored) {
    using S = decltype(stored);
    const bool packed = packs_fit(g, pack_size<S>, {k.in[0].data, k.in[1].data, bias, k.out[0].data});
    run_depthwise_gather<S>(forward_gather(g), channels, packed, k.in[0].as<S>(), k.in[1].as<S>(),
                            static_cast<const S*>(bias), a.activation == Activation::relu, k.out[0].as<S>());
  });
}

// ---- gradient of the input

const char* depthwise_input_grad_accepts(SpecSpan in, const ConvAttrs& a) {
  const ConvGeometry g = conv_geometry(conv_input_shape(in[0].shape, in[1].shape, a), in[1].shape, a);
  if (const char* reason = refuse_unless_depthwise(g)) return reason;
  if (g.batch * g.rows.in * g.columns.in * g.channels > INT32_MAX) return "more than 2^31 results";
  return refuse_classes(g);
}

void run_depthwise_input_grad(const KernelCall& k, const ConvAttrs& a) {
  const ConvGeometry g = conv_geometry(k.out[0].shape, k.in[1].shape, a);
  if (k.out[0].size() == 0) return;
  const depthwise::Channels channels{static_cast<int>(g.group_filters()), 1};
  with_float_type(k.in[0].dtype, [&](auto stored) {
    using S = decltype(stored);
    const bool packed = packs_fit(g, pack_size<S>, {k.in[0].data, k.in[1].data, k.out[0].data});
    run_depthwise_gather<S>(input_grad_gather(g), channels, packed, k.in[0].as<S>(), k.in[1].as<S>(), nullptr, false,
                            k.out[0].as<S>());
  });
}

// ---- gradient of the kernel

struct DepthwiseSlices {
  int64_t lanes, rows, chunks, tap_chunks, slices;  // lanes * rows threads

  DepthwiseSlices(const ConvGeometry& g, int64_t pack) {
    const int64_t packs = divide_up(g.filters, pack);
    lanes = 32;
    while (lanes > 4 && lanes / 2 >= packs) lanes /= 2;
    rows = depthwise::grad_threads / lanes;
    chunks = divide_up(packs, lanes), tap_chunks = divide_up(g.taps(), depthwise::tap_count);
    slices = slice_count(g.batch * g.rows.out, 2 * rows, chunks * tap_chunks);
  }
};

const char* depthwise_kernel_grad_accepts(SpecSpan in, const ConvAttrs& a) {
  const ConvGeometry g = conv_geometry(in[0].shape, conv_kernel_shape(in[0].shape, in[1].shape, a), a);
  if (const char* reason = refuse_unless_depthwise(g)) return reason;
  if (g.taps() > 65535) return "more than 65535 taps";
  return refuse_geometry(g);
}

size_t depthwise_kernel_grad_workspace(SpecSpan in, const ConvAttrs& a) {
  const ConvGeometry g = conv_geometry(in[0].shape, conv_kernel_shape(in[0].shape, in[1].shape, a), a);
  const int64_t pack = packs_fit(g, 16 / static_cast<int64_t>(size_of(in[0].dtype)), {}) ? 16 : 1;
  (void)pack;
  return 0;
}

}  // namespace

}  // namespace ph::cuda
