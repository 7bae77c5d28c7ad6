// Copies of a product's operands with their memory along the depth, which is how wgmma wants float32, and in rows that
// are multiples of 16 bytes, which is how TMA wants them. Both operands in one launch.
#pragma once
#include "core/integers.h"
#include "cuda/device.h"

namespace ph::cuda {

// `matrices` of lines x places, in memory along the depth or along the lines, become rows for each line, `row` elements
// from one to the next. Without matrices nothing is copied.
struct OperandCopy {
  static constexpr int tile_lines = 32, tile_places = 64, threads = 256;
  int64_t matrices = 0;
  int lines = 0, places = 0, row = 0;
  bool depth_fast = false;
  const float* from = nullptr;
  float* to = nullptr;

  __host__ __device__ int line_tiles() const { return (lines + tile_lines - 1) / tile_lines; }
  __host__ __device__ int place_tiles() const { return (places + tile_places - 1) / tile_places; }
  __host__ __device__ int64_t blocks() const { return matrices * line_tiles() * place_tiles(); }

  // Of the workspace.
  size_t bytes() const { return static_cast<size_t>(divide_up(matrices * lines * row, 64) * 64) * sizeof(float); }
  // With its places in memory: of the operand, and in the workspace.
  OperandCopy between(const void* operand, char* workspace) const {
    OperandCopy placed = *this;
    placed.from = static_cast<const float*>(operand), placed.to = reinterpret_cast<float*>(workspace);
    return placed;
  }
  // Where the operand then is.
  const float* result() const { return matrices ? to : from; }
};

static __global__ void __launch_bounds__(OperandCopy::threads)
    copy_operands_kernel(const __grid_constant__ OperandCopy a, const __grid_constant__ OperandCopy b) {
  constexpr int lines = OperandCopy::tile_lines, places = OperandCopy::tile_places, threads = OperandCopy::threads;
  PH_SHARED(float, turned, [places * (lines + 1)]);
  const bool is_a = blockIdx.x < a.blocks();
  const OperandCopy copy = is_a ? a : b;
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
    if (line + of_line >= copy.lines || place + of_place >= copy.places) continue;
    to[int64_t{of_line} * copy.row + of_place] = copy.depth_fast
                                                     ? from[int64_t{line + of_line} * copy.places + place + of_place]
                                                     : turned[of_place * (lines + 1) + of_line];
  }
}

inline void copy_operands(const OperandCopy& a, const OperandCopy& b) {
  const int64_t blocks = a.blocks() + b.blocks();
  if (blocks == 0) return;
  PH_LAUNCH(copy_operands_kernel, static_cast<unsigned>(blocks), OperandCopy::threads, 0, device().stream, a, b);
}

}  // namespace ph::cuda
