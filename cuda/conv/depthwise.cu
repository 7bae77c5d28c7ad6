// Depthwise convolution (one channel a group, each with `filters / channels` filters) and its gradients: little is
// computed for each element, so that what counts is that memory is read once and in wide pieces.
// Forward and gradient of the input: a thread makes four neighbouring pixels of a row for 16 bytes of channels, in
// registers; neighbouring threads have neighbouring channels, and what neighbouring pixels share comes from the
// first-level cache.
// Gradient of the kernel: a thread has nine taps of 16 bytes of channels in registers and runs over image rows, with
// 3 x 3 taps by strips of neighbouring pixels that share what they read; threads of a block and then parts of the
// images are added in order. Sums are float32.
#include "cuda/conv/parts.h"
#include "cuda/conv/variants.h"
#include "cuda/vector.h"

namespace ph::cuda {

namespace {

constexpr int gather_threads = 128, strip = 4;

// How channels of source, result and kernel belong together: a result sums `sources` channels of the source, and
// `results` results share one. One of the two is 1.
struct Channels {
  int sources, results;
};

// n: channels of a thread. taps, stride: of columns one pixel apart, whose sources are kept in registers; 0: any.
template <class S, int n, int taps, int stride>
__global__ void __launch_bounds__(gather_threads, taps == 5 ? 1 : 0)  // without the second figure nvcc spills
    gather_kernel(const __grid_constant__ Gather g, Channels channels, const S* x, const S* kernel, const S* bias,
                  Activation activation, S* y) {
  const GatherAxis &rows = g.rows_of(blockIdx.y), &columns = g.columns_of(blockIdx.y);
  if (rows.results == 0 || columns.results == 0) return;
  const unsigned packs = static_cast<unsigned>(g.result_channels) / n, height = static_cast<unsigned>(rows.results);
  const unsigned strips = static_cast<unsigned>(columns.results + strip - 1) / strip;
  unsigned rest = blockIdx.x * gather_threads + threadIdx.x;
  const int channel = static_cast<int>(rest % packs) * n;
  rest /= packs;
  const int first = static_cast<int>(rest % strips) * strip;
  rest /= strips;
  const int row = static_cast<int>(rest % height), image = static_cast<int>(rest / height);
  if (image >= g.batch) return;
  const int64_t kernel_channels = int64_t{g.result_channels} * channels.sources;

  float sums[strip][n] = {};
  for (int r = 0; r < rows.taps; ++r) {
    const int from_row = rows.source(row, r);
    if (!rows.inside(from_row)) continue;
    for (int e = 0; e < channels.sources; ++e) {
      const S* line = x + (int64_t{image} * rows.sources + from_row) * columns.sources * g.source_channels +
                      (channel / channels.results) * channels.sources + e;
      const S* by = kernel + int64_t{rows.tap_first + r * rows.tap_step} * g.kernel_columns * kernel_channels +
                    int64_t{channel} * channels.sources + e;
      if constexpr (taps > 0) {
        float seen[(strip - 1) * stride + taps][n] = {};
        PH_UNROLL
        for (int k = 0; k < (strip - 1) * stride + taps; ++k) {
          const int from = columns.source(first, k);
          if (columns.inside(from)) load_vector(seen[k], line + int64_t{from} * g.source_channels);
        }
        PH_UNROLL
        for (int s = 0; s < taps; ++s) {
          float weight[n];
          load_vector(weight, by + (columns.tap_first + s * columns.tap_step) * kernel_channels);
          PH_UNROLL
          for (int t = 0; t < strip; ++t) {
            PH_UNROLL
            for (int i = 0; i < n; ++i) sums[t][i] += seen[t * stride + s][i] * weight[i];
          }
        }
      } else {
        for (int s = 0; s < columns.taps; ++s) {
          float weight[n];
          load_vector(weight, by + (columns.tap_first + s * columns.tap_step) * kernel_channels);
          PH_UNROLL
          for (int t = 0; t < strip; ++t) {
            const int from = columns.source(first + t, s);
            if (!columns.inside(from)) continue;
            float seen[n];
            load_vector(seen, line + int64_t{from} * g.source_channels);
            PH_UNROLL
            for (int i = 0; i < n; ++i) sums[t][i] += seen[i] * weight[i];
          }
        }
      }
    }
  }

  float shift[n] = {};
  if (bias) load_vector(shift, bias + channel);
  const int to_row = rows.result_first + row * rows.result_step;
  S* to = y + (int64_t{image} * g.result_rows + to_row) * g.result_columns * g.result_channels + channel;
  PH_UNROLL
  for (int t = 0; t < strip; ++t) {
    if (first + t >= columns.results) break;
    PH_UNROLL
    for (int i = 0; i < n; ++i) sums[t][i] = activated(sums[t][i] + shift[i], activation);
    store_vector(to + int64_t{columns.result_first + (first + t) * columns.result_step} * g.result_channels, sums[t]);
  }
}

constexpr int tap_count = 9, grad_threads = 256;

// Block (x, y, z): its threads' channels, nine taps, a part of the image rows. stride: of the columns, for 3 x 3 taps
// one pixel apart; 0: any taps.
template <class S, int n, int stride>
__global__ void __launch_bounds__(grad_threads, 1)  // without the second figure nvcc spills
    kernel_grad_kernel(const __grid_constant__ ConvGeometry g, SplitPlan split, const S* x, const S* dy, float* sums) {
  PH_SHARED(int2, places, [tap_count]);  // of the taps, from the place of the first
  PH_SHARED(float, of_threads, [grad_threads][n]);
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
  const bool present = channel < g.filters;
  const int from_channel = channel / static_cast<int>(g.group_filters());
  const int height = static_cast<int>(g.rows.in), width = static_cast<int>(g.columns.in);
  const int out_rows = static_cast<int>(g.rows.out), out_columns = static_cast<int>(g.columns.out);
  const int lines = static_cast<int>(g.batch) * out_rows;
  const int begin = static_cast<int>(blockIdx.z) * split.depth, end = begin + split.depth;
  float of_taps[tap_count][n] = {};
  for (int line = begin + static_cast<int>(threadIdx.y); present && line < end && line < lines;
       line += static_cast<int>(blockDim.y)) {
    const int row = line % out_rows * static_cast<int>(g.rows.stride);
    const S* image = x + int64_t{line / out_rows} * height * width * g.channels + from_channel;
    const S* slope = dy + int64_t{line} * out_columns * g.filters + channel;
    if constexpr (stride > 0) {
      constexpr int size = 3, pixels = stride == 1 ? 4 : 2, span = (pixels - 1) * stride + size;
      for (int first = 0; first < out_columns; first += pixels) {
        float by[pixels][n] = {};
        PH_UNROLL
        for (int t = 0; t < pixels; ++t) {
          if (first + t < out_columns) load_vector(by[t], slope + (first + t) * g.filters);
        }
        const int column = first * stride - static_cast<int>(g.columns.before);
        PH_UNROLL
        for (int r = 0; r < size; ++r) {
          const int from_row = row + r - static_cast<int>(g.rows.before);
          if (static_cast<unsigned>(from_row) >= static_cast<unsigned>(height)) continue;
          const S* from = image + int64_t{from_row} * width * g.channels;
          float seen[span][n] = {};
          PH_UNROLL
          for (int k = 0; k < span; ++k) {
            const bool inside = static_cast<unsigned>(column + k) < static_cast<unsigned>(width);
            if (inside) load_vector(seen[k], from + int64_t{column + k} * g.channels);
          }
          PH_UNROLL
          for (int s = 0; s < size; ++s) {
            PH_UNROLL
            for (int t = 0; t < pixels; ++t) {
              PH_UNROLL
              for (int i = 0; i < n; ++i) of_taps[r * size + s][i] += seen[t * stride + s][i] * by[t][i];
            }
          }
        }
      }
    } else {
      for (int q = 0; q < out_columns; ++q) {
        float by[n];
        load_vector(by, slope + q * g.filters);
        const int column = q * static_cast<int>(g.columns.stride);
        PH_UNROLL
        for (int t = 0; t < tap_count; ++t) {
          const int from_row = row + places[t].x, from_column = column + places[t].y;
          if (static_cast<unsigned>(from_row) >= static_cast<unsigned>(height) ||
              static_cast<unsigned>(from_column) >= static_cast<unsigned>(width)) {
            continue;
          }
          float seen[n];
          load_vector(seen, image + (int64_t{from_row} * width + from_column) * g.channels);
          PH_UNROLL
          for (int i = 0; i < n; ++i) of_taps[t][i] += seen[i] * by[i];
        }
      }
    }
  }

  float* to = sums + (int64_t{blockIdx.z} * g.taps() + first_tap) * g.filters;
  const int64_t first_channel = int64_t{blockIdx.x} * blockDim.x * n;
  PH_UNROLL
  for (int t = 0; t < tap_count; ++t) {
    if (t >= taps) break;
    add_rows_of_threads(of_threads, of_taps[t], thread, static_cast<int>(blockDim.x), [&](int i, float sum) {
      if (first_channel + i < g.filters) to[t * g.filters + first_channel + i] = sum;
    });
  }
}

bool has_packs(const ConvGeometry& g, DType dtype) {
  return g.group_filters() == 1 && g.channels % (16 / static_cast<int64_t>(size_of(dtype))) == 0;
}

template <class S, int n, int taps, int stride>
void launch_gather(const Gather& g, Channels channels, const S* x, const S* kernel, const S* bias,
                   Activation activation, S* y) {
  const int64_t strips = divide_up(g.most_columns(), strip);
  const int64_t count = g.batch * g.most_rows() * strips * (g.result_channels / n);
  PH_LAUNCH((gather_kernel<S, n, taps, stride>),
            dim3(blocks_for(count, gather_threads), static_cast<unsigned>(g.classes())), gather_threads, 0,
            device().stream, g, channels, x, kernel, bias, activation, y);
}

template <class S>
void run_gather(const Gather& g, Channels channels, bool packs, const S* x, const S* kernel, const S* bias,
                Activation activation, S* y) {
  constexpr int n = per_16_bytes<S>;
  if (!packs) return launch_gather<S, 1, 0, 0>(g, channels, x, kernel, bias, activation, y);
  const GatherAxis& columns = g.columns[0];
  const int taps = columns.step == 1 && g.classes() == 1 ? columns.taps : 0;
  if (taps == 3 && columns.stride == 1) {
    launch_gather<S, n, 3, 1>(g, channels, x, kernel, bias, activation, y);
  } else if (taps == 3 && columns.stride == 2) {
    launch_gather<S, n, 3, 2>(g, channels, x, kernel, bias, activation, y);
  } else if (taps == 5 && columns.stride == 1) {
    launch_gather<S, n, 5, 1>(g, channels, x, kernel, bias, activation, y);
  } else {
    launch_gather<S, n, 0, 0>(g, channels, x, kernel, bias, activation, y);
  }
}

// The gradient of the kernel: lanes x rows threads a block.
struct GradPlan {
  int64_t lanes, rows, chunks, tap_chunks;
  SplitPlan split;  // of the image rows

  GradPlan(const ConvGeometry& g, bool packs, DType dtype) {
    constexpr int64_t wanted_blocks = 512;
    const int64_t of_thread = packs ? 16 / static_cast<int64_t>(size_of(dtype)) : 1;
    const int64_t threads = divide_up(g.filters, of_thread), lines = g.batch * g.rows.out;
    lanes = 32;
    while (lanes > 4 && lanes / 2 >= threads) lanes /= 2;
    rows = grad_threads / lanes;
    chunks = divide_up(threads, lanes), tap_chunks = divide_up(g.taps(), tap_count);
    const int64_t parts = most(wanted_blocks / (chunks * tap_chunks), 1);
    const int64_t of_each = most(divide_up(divide_up(lines, parts), rows), 1) * rows;
    split = {static_cast<int>(most(divide_up(lines, of_each), 1)), static_cast<int>(of_each)};
  }
};

template <class S, int n>
void run_kernel_grad(const ConvGeometry& g, const GradPlan& plan, const KernelCall& call) {
  // one part of float32 is the result
  const bool direct = plan.split.parts == 1 && std::is_same_v<S, float>;
  float* sums = static_cast<float*>(direct ? call.out[0].data : call.workspace);
  const dim3 grid(static_cast<unsigned>(plan.chunks), static_cast<unsigned>(plan.tap_chunks),
                  static_cast<unsigned>(plan.split.parts));
  const dim3 block(static_cast<unsigned>(plan.lanes), static_cast<unsigned>(plan.rows));
  const auto launch = [&](auto stride) {
    PH_LAUNCH((kernel_grad_kernel<S, n, stride()>), grid, block, 0, device().stream, g, plan.split,
              call.in[0].as<const S>(), call.in[1].as<const S>(), sums);
  };
  const auto is_dense = [](const Window& w) { return w.size == 3 && w.dilation == 1; };
  const int64_t stride = n > 1 && is_dense(g.rows) && is_dense(g.columns) ? g.columns.stride : 0;
  if (n > 1 && stride == 1) {
    launch(std::integral_constant < int, n == 1 ? 0 : 1 > ());
  } else if (n > 1 && stride == 2) {
    launch(std::integral_constant < int, n == 1 ? 0 : 2 > ());
  } else {
    launch(std::integral_constant<int, 0>());
  }
  if (!direct) join_parts(sums, plan.split.parts, call.out[0].size(), call.out[0].as<S>());
}

}  // namespace

template <Pass pass>
const char* Depthwise<pass>::accepts(SpecSpan in, const ConvAttrs& a) {
  const ConvGeometry g = geometry_of(pass, in, a);
  if (in[0].dtype == DType::float64) return "wants float32 or narrower";
  if (g.groups < 2 || g.group_channels() != 1) return "wants groups of one channel";
  if (pass == Pass::kernel_grad && g.taps() > 65535) return "more than 65535 taps";
  if (pass != Pass::kernel_grad && result_size(pass, g) > INT32_MAX) return "more than 2^31 results";
  return pass == Pass::input_grad ? refuse_classes(g) : refuse_geometry(g);
}

template <Pass pass>
void Depthwise<pass>::run(const KernelCall& call, const ConvAttrs& a) {
  if (call.out[0].size() == 0) return;
  const ConvGeometry g = geometry_of(pass, call, a);
  const DType dtype = call.in[0].dtype;
  const bool packs = has_packs(g, dtype), has_bias = call.in.size() > 2;
  const int filters = static_cast<int>(g.group_filters());
  with_fast_type(dtype, [&](auto stored) {
    using S = decltype(stored);
    const S *first = call.in[0].as<const S>(), *second = call.in[1].as<const S>();
    if constexpr (pass == Pass::kernel_grad) {
      const GradPlan plan(g, packs, dtype);
      packs ? run_kernel_grad<S, per_16_bytes<S>>(g, plan, call) : run_kernel_grad<S, 1>(g, plan, call);
    } else if constexpr (pass == Pass::forward) {
      run_gather<S>(forward_gather(g), {1, filters}, packs, first, second,
                    has_bias ? call.in[2].as<const S>() : nullptr, a.activation, call.out[0].as<S>());
    } else {
      run_gather<S>(input_grad_gather(g), {filters, 1}, packs, first, second, nullptr, Activation::none,
                    call.out[0].as<S>());
    }
  });
}

template <Pass pass>
size_t Depthwise<pass>::workspace(SpecSpan in, const ConvAttrs& a) {
  if (pass != Pass::kernel_grad) return 0;
  const ConvGeometry g = geometry_of(pass, in, a);
  const GradPlan plan(g, has_packs(g, in[0].dtype), in[0].dtype);
  return static_cast<size_t>(plan.split.parts * result_size(pass, g)) * sizeof(float);
}

template struct Depthwise<Pass::forward>;
template struct Depthwise<Pass::input_grad>;
template struct Depthwise<Pass::kernel_grad>;

}  // namespace ph::cuda
