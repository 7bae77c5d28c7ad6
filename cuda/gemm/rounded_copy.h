// Copies of a product's operands, rounded to TF32 and with their memory along the depth: what wgmma wants of float32,
// whose hardware would cut off bits instead of rounding, and turns no tiles of it. Both operands in one launch.
#pragma once
#include "core/integers.h"
#include "cuda/device.h"

namespace ph::cuda {

// `matrices` of lines x places, in memory along the depth or along the lines, become rows of `row` elements for each
// line, the last ones zeros.
struct RoundedCopy {
  static constexpr int tile_lines = 32, tile_places = 64, threads = 256;
  const float* from;
  float* to;
  int lines, places, row;
  bool depth_fast;
  int64_t matrices;

  __host__ __device__ int line_tiles() const { return (lines + tile_lines - 1) / tile_lines; }
  __host__ __device__ int place_tiles() const { return (row + tile_places - 1) / tile_places; }
  __host__ __device__ int64_t blocks() const { return matrices * line_tiles() * place_tiles(); }
};

static __global__ void __launch_bounds__(RoundedCopy::threads)
    round_operands_kernel(const __grid_constant__ RoundedCopy a, const __grid_constant__ RoundedCopy b) {
  constexpr int lines = RoundedCopy::tile_lines, places = RoundedCopy::tile_places, threads = RoundedCopy::threads;
  PH_SHARED(float, turned, [places * (lines + 1)]);
  const bool is_a = blockIdx.x < a.blocks();
  const RoundedCopy copy = is_a ? a : b;
  const int64_t block = is_a ? blockIdx.x : blockIdx.x - a.blocks();
  const int thread = static_cast<int>(threadIdx.x), across = copy.place_tiles();
  const int64_t band = block / across, matrix = band / copy.line_tiles();
  const int line = static_cast<int>(band % copy.line_tiles()) * lines;
  const int place = static_cast<int>(block % across) * places;
  const float* from = copy.from + matrix * copy.lines * copy.places;
  float* to = copy.to + (matrix * copy.lines + line) * copy.row + place;
  if (!copy.depth_fast) {
    PH_UNROLL
    for (int i = 0; i < places * lines / threads; ++i) {
      const int of_place = (thread + i * threads) / lines, of_line = (thread + i * threads) % lines;
      const bool inside = line + of_line < copy.lines && place + of_place < copy.places;
      turned[of_place * (lines + 1) + of_line] =
          inside ? from[int64_t{place + of_place} * copy.lines + line + of_line] : 0.0f;
    }
    __syncthreads();
  }
  PH_UNROLL
  for (int i = 0; i < places * lines / threads; ++i) {
    const int of_line = (thread + i * threads) / places, of_place = (thread + i * threads) % places;
    if (line + of_line >= copy.lines || place + of_place >= copy.row) continue;
    float value = 0;
    if (!copy.depth_fast) {
      value = turned[of_place * (lines + 1) + of_line];
    } else if (place + of_place < copy.places) {
      value = from[int64_t{line + of_line} * copy.places + place + of_place];
    }
    to[int64_t{of_line} * copy.row + of_place] = __uint_as_float(ptx::to_tf32(value));
  }
}

inline void round_operands(const RoundedCopy& a, const RoundedCopy& b) {
  const int64_t blocks = a.blocks() + b.blocks();
  if (blocks == 0) return;
  PH_LAUNCH(round_operands_kernel, static_cast<unsigned>(blocks), RoundedCopy::threads, 0, device().stream, a, b);
}

}  // namespace ph::cuda
