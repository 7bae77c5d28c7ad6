// Convolution of images of one to four channels, a network's first layer: too few channels for 16-byte loads. A thread
// makes four pixels by two runs of four filters in registers; the kernel lies in shared memory as float32, where the
// lanes of a quarter of a warp read neighbouring 16 bytes or the same; pixels come from the first-level cache, one
// load for all lanes with the same pixel. Sums are float32, over taps row by row, then channels.
#include "cuda/conv/variants.h"
#include "cuda/vector.h"

namespace ph::cuda {

namespace {

constexpr int threads = 128, pixels_of_thread = 4, run = 4, filters_of_thread = 2 * run;

template <class S>
__global__ void __launch_bounds__(threads)
    first_layer_kernel(const __grid_constant__ Gather g, const S* x, const S* kernel, const S* bias,
                       Activation activation, S* y) {
  PH_DYNAMIC_SHARED(float, weights);  // (taps, channels) x filters
  const GatherAxis &rows = g.rows[0], &columns = g.columns[0];
  const int channels = g.source_channels, filters = g.result_channels;
  const int thread = static_cast<int>(threadIdx.x), weight_count = rows.taps * columns.taps * channels * filters;
  for (int i = thread * run; i < weight_count; i += threads * run) {
    float weight[run];
    load_vector(weight, kernel + i);
    store_shared_vector(weights + i, weight);
  }
  __syncthreads();

  const int across = filters / filters_of_thread, slots = threads / across;
  const int filter = thread % across * run, slot = thread / across;
  if (slot >= slots) return;
  const int pixels = g.batch * rows.results * columns.results, of_block = slots * pixels_of_thread;
  for (int first = static_cast<int>(blockIdx.x) * of_block; first < pixels;
       first += static_cast<int>(gridDim.x) * of_block) {
    const S* image[pixels_of_thread];
    int row[pixels_of_thread], column[pixels_of_thread];
    PH_UNROLL
    for (int p = 0; p < pixels_of_thread; ++p) {
      const int pixel = first + slot + p * slots, line = pixel / columns.results, number = line / rows.results;
      image[p] = x + int64_t{number} * rows.sources * columns.sources * channels;
      row[p] = pixel < pixels ? rows.source(line % rows.results, 0) : INT32_MIN;  // never inside
      column[p] = columns.source(pixel % columns.results, 0);
    }
    float sums[pixels_of_thread][2][run] = {};
    const float* weight = weights + filter;
    for (int r = 0; r < rows.taps; ++r) {
      for (int s = 0; s < columns.taps; ++s) {
        const S* from[pixels_of_thread];
        PH_UNROLL
        for (int p = 0; p < pixels_of_thread; ++p) {
          const int from_row = row[p] + r * rows.step, from_column = column[p] + s * columns.step;
          const bool inside = rows.inside(from_row) && columns.inside(from_column);
          from[p] = inside ? image[p] + int64_t{from_row * columns.sources + from_column} * channels : nullptr;
        }
        for (int c = 0; c < channels; ++c) {
          float by[2][run];
          load_vector(by[0], weight);
          load_vector(by[1], weight + filters / 2);
          weight += filters;
          PH_UNROLL
          for (int p = 0; p < pixels_of_thread; ++p) {
            const float seen = from[p] ? load_as<float>(from[p][c]) : 0.0f;
            PH_UNROLL
            for (int i = 0; i < run; ++i) sums[p][0][i] += seen * by[0][i], sums[p][1][i] += seen * by[1][i];
          }
        }
      }
    }
    PH_UNROLL
    for (int half = 0; half < 2; ++half) {
      const int at = filter + half * (filters / 2);
      float shift[run] = {};
      if (bias) load_vector(shift, bias + at);
      PH_UNROLL
      for (int p = 0; p < pixels_of_thread; ++p) {
        const int pixel = first + slot + p * slots;
        if (pixel >= pixels) continue;
        PH_UNROLL
        for (int i = 0; i < run; ++i) sums[p][half][i] = activated(sums[p][half][i] + shift[i], activation);
        store_vector(y + int64_t{pixel} * filters + at, sums[p][half]);
      }
    }
  }
}

size_t weight_bytes(const ConvGeometry& g) { return static_cast<size_t>(g.depth() * g.filters) * sizeof(float); }

}  // namespace

const char* FirstLayer::accepts(SpecSpan in, const ConvAttrs& a) {
  const ConvGeometry g = geometry_of(Pass::forward, in, a);
  if (in[0].dtype == DType::float64) return "wants float32 or narrower";
  if (g.groups != 1 || g.channels < 1 || g.channels > 4) return "wants one to four channels in one group";
  if (g.filters % filters_of_thread != 0) return "filters are not a multiple of 8";
  if (const char* reason = refuse_geometry(g)) return reason;
  if (g.filters > filters_of_thread * threads || weight_bytes(g) > 48 << 10) return "the kernel is too large";
  return nullptr;
}

void FirstLayer::run(const KernelCall& call, const ConvAttrs& a) {
  if (call.out[0].size() == 0) return;
  const ConvGeometry g = geometry_of(Pass::forward, call, a);
  constexpr int64_t most_blocks = 2048;  // each loads the kernel
  const int64_t of_block = threads / (g.filters / filters_of_thread) * pixels_of_thread;
  const auto blocks = static_cast<unsigned>(least(divide_up(g.batch * g.pixels(), of_block), most_blocks));
  with_fast_type(call.in[0].dtype, [&](auto stored) {
    using S = decltype(stored);
    PH_LAUNCH(first_layer_kernel<S>, blocks, threads, weight_bytes(g), device().stream, forward_gather(g),
              call.in[0].as<const S>(), call.in[1].as<const S>(),
              call.in.size() > 2 ? call.in[2].as<const S>() : nullptr, a.activation, call.out[0].as<S>());
  });
}

}  // namespace ph::cuda
