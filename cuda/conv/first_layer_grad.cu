// Gradient of a first layer's kernel: 3 x 3 taps of one or three channels, which are too few for 16-byte loads and for
// tiles of products. A group of up to 16 threads runs over image rows, each thread with all taps of four neighbouring
// filters in registers; strips of four pixels share what they read, which is the same for the whole group. Rows of
// threads of a block and then parts of the images are added in order. Sums are float32.
#include "cuda/conv/parts.h"
#include "cuda/conv/variants.h"
#include "cuda/vector.h"

namespace ph::cuda {

namespace {

constexpr int threads = 128, size = 3, filters_of_thread = 4, most_lanes = 16;

// Block (x, y): its threads' filters, a part of the image rows.
template <class S, int channels, int stride>
__global__ void __launch_bounds__(threads)
    first_layer_grad_kernel(const __grid_constant__ ConvGeometry g, SplitPlan split, const S* x, const S* dy,
                            float* sums) {
  constexpr int n = filters_of_thread, taps = size * size * channels;
  constexpr int pixels = stride == 1 ? 4 : 2, span = (pixels - 1) * stride + size;
  PH_SHARED(float, of_threads, [threads][n]);
  const int thread = static_cast<int>(threadIdx.y * blockDim.x + threadIdx.x);
  const int first_filter = static_cast<int>(blockIdx.x * blockDim.x) * n;
  const int filters = static_cast<int>(g.filters), filter = first_filter + static_cast<int>(threadIdx.x) * n;
  const int height = static_cast<int>(g.rows.in), width = static_cast<int>(g.columns.in);
  const int out_rows = static_cast<int>(g.rows.out), out_columns = static_cast<int>(g.columns.out);
  const int lines = static_cast<int>(g.batch) * out_rows;
  const int begin = static_cast<int>(blockIdx.y) * split.depth, end = begin + split.depth;

  float of_taps[taps][n] = {};
  for (int line = begin + static_cast<int>(threadIdx.y); line < end && line < lines;
       line += static_cast<int>(blockDim.y)) {
    const int row = line % out_rows * static_cast<int>(g.rows.stride) - static_cast<int>(g.rows.before);
    const S* image = x + int64_t{line / out_rows} * height * width * channels;
    const S* slope = dy + int64_t{line} * out_columns * filters + filter;
    for (int first = 0; first < out_columns; first += pixels) {
      float by[pixels][n] = {};
      PH_UNROLL
      for (int t = 0; t < pixels; ++t) {
        if (first + t < out_columns) load_vector(by[t], slope + int64_t{first + t} * filters);
      }
      const int column = first * stride - static_cast<int>(g.columns.before);
      PH_UNROLL
      for (int r = 0; r < size; ++r) {
        if (static_cast<unsigned>(row + r) >= static_cast<unsigned>(height)) continue;
        const S* from = image + (int64_t{row + r} * width + column) * channels;
        float seen[span][channels] = {};
        PH_UNROLL
        for (int k = 0; k < span; ++k) {
          if (static_cast<unsigned>(column + k) >= static_cast<unsigned>(width)) continue;
          PH_UNROLL
          for (int c = 0; c < channels; ++c) seen[k][c] = load_as<float>(from[k * channels + c]);
        }
        PH_UNROLL
        for (int s = 0; s < size; ++s) {
          PH_UNROLL
          for (int c = 0; c < channels; ++c) {
            float(&sum)[n] = of_taps[(r * size + s) * channels + c];
            PH_UNROLL
            for (int t = 0; t < pixels; ++t) {
              PH_UNROLL
              for (int i = 0; i < n; ++i) sum[i] += seen[t * stride + s][c] * by[t][i];
            }
          }
        }
      }
    }
  }

  float* to = sums + int64_t{blockIdx.y} * taps * filters + first_filter;
  PH_UNROLL
  for (int t = 0; t < taps; ++t) {
    add_rows_of_threads(of_threads, of_taps[t], thread, static_cast<int>(blockDim.x),
                        [&](int i, float sum) { to[t * filters + i] = sum; });
  }
}

// lanes x rows threads a block.
struct GradPlan {
  int64_t lanes, rows, chunks;
  SplitPlan split;  // of the image rows

  explicit GradPlan(const ConvGeometry& g) {
    constexpr int64_t wanted_blocks = 384;
    lanes = most_lanes;
    while (g.filters % (lanes * filters_of_thread) != 0) lanes /= 2;
    rows = threads / lanes, chunks = g.filters / (lanes * filters_of_thread);
    const int64_t lines = g.batch * g.rows.out, parts = most(wanted_blocks / chunks, 1);
    const int64_t of_each = most(divide_up(divide_up(lines, parts), rows), 1) * rows;
    split = {static_cast<int>(most(divide_up(lines, of_each), 1)), static_cast<int>(of_each)};
  }
};

}  // namespace

const char* FirstLayerGrad::accepts(SpecSpan in, const ConvAttrs& a) {
  const ConvGeometry g = geometry_of(Pass::kernel_grad, in, a);
  if (in[0].dtype == DType::float64) return "wants float32 or narrower";
  if (g.groups != 1 || (g.channels != 1 && g.channels != 3)) return "wants one or three channels in one group";
  if (g.filters == 0 || g.filters % filters_of_thread != 0) return "filters are not a multiple of 4";
  for (const Window* w : {&g.rows, &g.columns}) {
    if (w->size != size || w->dilation != 1) return "wants 3 x 3 taps one pixel apart";
  }
  if (g.columns.stride > 2) return "columns' stride is above 2";
  return refuse_geometry(g);
}

void FirstLayerGrad::run(const KernelCall& call, const ConvAttrs& a) {
  const ConvGeometry g = geometry_of(Pass::kernel_grad, call, a);
  const GradPlan plan(g);
  const dim3 grid(static_cast<unsigned>(plan.chunks), static_cast<unsigned>(plan.split.parts));
  const dim3 block(static_cast<unsigned>(plan.lanes), static_cast<unsigned>(plan.rows));
  with_fast_type(call.in[0].dtype, [&](auto stored) {
    using S = decltype(stored);
    float* sums = static_cast<float*>(call.workspace);
    const auto launch = [&](auto channels, auto stride) {
      PH_LAUNCH((first_layer_grad_kernel<S, channels(), stride()>), grid, block, 0, device().stream, g, plan.split,
                call.in[0].as<const S>(), call.in[1].as<const S>(), sums);
    };
    const auto with_stride = [&](auto channels) {
      if (g.columns.stride == 1) return launch(channels, std::integral_constant<int, 1>());
      launch(channels, std::integral_constant<int, 2>());
    };
    g.channels == 1 ? with_stride(std::integral_constant<int, 1>()) : with_stride(std::integral_constant<int, 3>());
    join_parts(sums, plan.split.parts, call.out[0].size(), call.out[0].as<S>());
  });
}

size_t FirstLayerGrad::workspace(SpecSpan in, const ConvAttrs& a) {
  const ConvGeometry g = geometry_of(Pass::kernel_grad, in, a);
  return static_cast<size_t>(GradPlan(g).split.parts * result_size(Pass::kernel_grad, g)) * sizeof(float);
}

}  // namespace ph::cuda
