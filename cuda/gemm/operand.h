// What is multiplied: A (rows x depth) or B (depth x columns), as a main loop sees it. A row of A and a column of B are
// both called a line. A matrix is one operand; the pixels under a convolution's window are another. An operand is
//
//   using Element                               as stored
//   static constexpr bool depth_fast            neighbours in memory lie along the depth, else along the lines
//   static constexpr int vector                 so many neighbours, from a multiple of that on, are loaded at once:
//                                               16-byte aligned where that makes 16 bytes, and all inside or all
//                                               outside
//   struct Line, struct Depth                   what is worth keeping of a line and of a place along the depth
//   Line line(int i)                            of line i, which may lie outside
//   Depth depth(int k)                          of place k, which may lie outside
//   void advance(Depth&, int k, int by)         to place k + by; k is where it was
//   const Element* address(Line, Depth)         nullptr outside, where there are zeros
//
// Called by device code. A thread keeps the lines and depths of what it loads throughout (TileReader), so that dividing
// is done once and a step costs an addition.
#pragma once
#include <cstdint>

#include "cuda/gpu.h"

namespace ph::cuda {

// lines x depth elements; `stride` from a row of memory to the next.
template <class Stored, bool along_depth, int vector_>
struct MatrixOperand {
  using Element = Stored;
  static constexpr bool depth_fast = along_depth;
  static constexpr int vector = vector_;
  using Line = const Stored*;
  using Depth = int;

  const Stored* data;
  int lines, places, stride;

  __device__ Line line(int i) const {
    if (i >= lines) return nullptr;
    return data + (depth_fast ? int64_t{i} * stride : i);
  }
  __device__ Depth depth(int k) const { return k; }
  __device__ void advance(Depth& depth, int, int by) const { depth += by; }
  __device__ const Stored* address(Line line, Depth depth) const {
    if (!line || depth >= places) return nullptr;
    return line + (depth_fast ? depth : int64_t{depth} * stride);
  }
};

// A thread's share of an operand's tile of `lines` x `depth`: vectors, dealt to the threads so that `run` neighbouring
// threads take neighbouring ones in memory, the next threads those of the next row of memory.
template <class Operand, int lines, int depth, int threads, int run>
class TileReader {
  static constexpr int vector = Operand::vector, slow = Operand::depth_fast ? lines : depth, period = run * slow;
  static constexpr int rows_taken = period > threads ? period / threads : 1;

 public:
  static constexpr int count = lines * depth / vector / threads;

  // The tile begins at this line and place.
  __device__ TileReader(const Operand& operand, int first_line, int first_place) : place_(first_place) {
    PH_UNROLL
    for (int i = 0; i < line_count; ++i) {
      line_[i] = operand.line(first_line + line(Operand::depth_fast ? i : i * rows_taken));
    }
    PH_UNROLL
    for (int i = 0; i < depth_count; ++i) {
      depth_[i] = operand.depth(first_place + place(Operand::depth_fast ? i * rows_taken : i));
    }
  }

  // Where in the tile vector i, 0 to count, begins.
  __device__ static int line(int i) { return Operand::depth_fast ? slow_index(i) : fast_index(i); }
  __device__ static int place(int i) { return Operand::depth_fast ? fast_index(i) : slow_index(i); }

  // Where it lies, nullptr for zeros.
  __device__ const typename Operand::Element* address(const Operand& operand, int i) const {
    return operand.address(line_[Operand::depth_fast ? i % rows_taken : i / rows_taken],
                           depth_[Operand::depth_fast ? i / rows_taken : i % rows_taken]);
  }

  // To the tile that follows along the depth.
  __device__ void advance(const Operand& operand) {
    PH_UNROLL
    for (int i = 0; i < depth_count; ++i) {
      operand.advance(depth_[i], place_ + place(Operand::depth_fast ? i * rows_taken : i), depth);
    }
    place_ += depth;
  }

 private:
  static_assert(count >= 1 && count * threads * vector == lines * depth && threads % run == 0);
  static_assert(period % threads == 0 || threads % period == 0);
  static_assert(count % rows_taken == 0);
  static constexpr int line_count = Operand::depth_fast ? rows_taken : count / rows_taken;
  static constexpr int depth_count = count / line_count;

  __device__ static int slow_index(int i) { return (static_cast<int>(threadIdx.x) + i * threads) / run % slow; }
  __device__ static int fast_index(int i) {
    const int chunk = static_cast<int>(threadIdx.x) + i * threads;
    return (chunk / period * run + chunk % run) * vector;
  }

  typename Operand::Line line_[line_count];
  typename Operand::Depth depth_[depth_count];
  int place_;
};

}  // namespace ph::cuda
