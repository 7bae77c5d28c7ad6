// The main loop of a product on Hopper's tensor cores (compute capability 9.0): a block of three warpgroups makes 128
// rows of c, 256, 128 or 64 columns wide. The last one only copies: one thread asks for tiles of 128 bytes of depth by
// TMA, `stages` ahead, and gives its registers to the two others, which multiply 64 rows each by wgmma while the copies
// go on. Full and empty stages are handed over by mbarriers. float16 and bfloat16, and float32 that TMA rounds to TF32
// on the way; sums in float32; no float32 promotion.
//
// Tiles lie as TMA brings them, in rows of 128 bytes whose 16-byte pieces are swizzled. An operand whose memory runs
// along the depth is one box, also of rows of 64 or 32 bytes where there is no more depth; one whose memory runs along
// the lines (of 16-bit floats only) is several, of 64 lines side by side.
//
// What a block multiplies, a Product says (MatrixProduct below, those of cuda/conv/boxed.h):
//   Tile<Loop> tile() const         the block's share:
//     int steps                     of the depth
//     int row, column               of the output where its sums begin
//     int bytes()                   that bring() copies
//     void bring(char* a, char* b, Mbarrier* full)    begins the copies of the next step
//   output(const Tile&) const       gemm/output.h
#pragma once
#include "cuda/gemm/matrices.h"
#include "cuda/gemm/staged_output.h"

namespace ph::cuda {

// What a block makes of c, whatever the operands. At a time it takes so many bytes of depth.
template <int columns_, int row_bytes_ = 128>
struct WgmmaTile {
  static constexpr int rows = 128, columns = columns_, threads = 384, least_part = 1024;
  static constexpr int row_bytes = row_bytes_, stages = (columns == 128 ? 6 : 4) * 128 / row_bytes;
  static constexpr int blocks = columns == 64 ? 2 : 1;  // at once on a processor: ptxas wants 90 registers for 128
  // Of a thread that copies and of one that multiplies; together what the block has.
  static constexpr int copying_registers = blocks == 1 ? 40 : 32, registers = blocks == 1 ? 232 : 104;
};

template <class Stored, bool a_depth_fast, bool b_depth_fast, class Tile>
struct Wgmma : Tile {
  using Tile::columns;
  using Tile::row_bytes;
  using Tile::rows;
  using Tile::stages;
  static constexpr int depth = row_bytes / sizeof(Stored), line_bytes = 64 * sizeof(Stored);
  static constexpr int a_bytes = rows * row_bytes, b_bytes = columns * row_bytes;
  static constexpr int stage_bytes = a_bytes + b_bytes, shared_bytes = stages * stage_bytes;
  static constexpr int warpgroup_rows = 64, consumers = rows / warpgroup_rows, consumer_warps = 4 * consumers;
  static constexpr int side_bytes = depth * line_bytes;  // of a tile of 64 lines

  struct Barriers {
    ptx::Mbarrier full[stages], empty[stages];
  };

  // One thread, before a __syncthreads.
  __device__ static void initialize(Barriers& barriers, int copying_threads) {
    for (int stage = 0; stage < stages; ++stage) {
      ptx::initialize(&barriers.full[stage], copying_threads);
      ptx::initialize(&barriers.empty[stage], consumer_warps);
    }
    ptx::fence_initialized();
  }

  // The copying thread.
  template <class Share>
  __device__ static void copy(Share& share, char* shared, Barriers& barriers) {
    for (int step = 0; step < share.steps; ++step) {
      const int stage = step % stages;
      ptx::wait(&barriers.empty[stage], step / stages % 2 ^ 1);
      ptx::arrive_expecting(&barriers.full[stage], share.bytes());
      char* to = shared + stage * stage_bytes;
      share.bring(to, to + a_bytes, &barriers.full[stage]);
    }
  }

  // box(to, line, place) for each box of an operand's tile of so many lines.
  template <bool depth_fast, int lines, class Box>
  __device__ static void bring_operand(char* to, int line, int place, Box&& box) {
    if constexpr (depth_fast) {
      box(to, line, place);
    } else {
      PH_UNROLL
      for (int side = 0; side < lines / 64; ++side) box(to + side * side_bytes, line + side * 64, place);
    }
  }

  // A multiplying warpgroup, number `consumer`. Its sums begin at (row, column) of the output.
  template <class Output>
  __device__ static void multiply(const Output& out, int consumer, int row, int column, int steps, char* shared,
                                  Barriers& barriers) {
    const int thread = static_cast<int>(threadIdx.x) % 128;
    float sums[columns / 2] = {};  // of no steps there are zeros
    for (int step = 0; step < steps; ++step) {
      const int stage = step % stages;
      ptx::wait(&barriers.full[stage], step / stages % 2);
      const char* a_tile = shared + stage * stage_bytes + consumer * warpgroup_rows * row_bytes;
      const char* b_tile = shared + stage * stage_bytes + a_bytes;
      ptx::fence_products();
      PH_UNROLL
      for (int k = 0; k < row_bytes / 32; ++k) {
        ptx::wgmma<Stored, columns, !a_depth_fast, !b_depth_fast>(sums, describe<a_depth_fast>(a_tile, k),
                                                                  describe<b_depth_fast>(b_tile, k), true);
      }
      ptx::commit_products();
      ptx::wait_products<1>();  // the step before is done with its stage
      if (step > 0 && thread % 32 == 0) ptx::arrive(&barriers.empty[(step - 1) % stages]);
    }
    ptx::wait_products<0>();
    ptx::synchronize(1, consumers * 128);  // nobody multiplies any more: the stages are free
    using Staged = StagedOutput<warpgroup_rows, columns>;
    static_assert(consumers * Staged::bytes <= shared_bytes);
    float* const staged = reinterpret_cast<float*>(shared) + consumer * (Staged::bytes / 4);
    const int to_row = thread / 32 * 16 + thread % 32 / 4, to_column = thread % 4 * 2;
    PH_UNROLL
    for (int e = 0; e < columns / 2; e += 2) {
      Staged::put(staged, to_row + e / 2 % 2 * 8, to_column + e / 4 * 8, sums[e], sums[e + 1]);
    }
    ptx::synchronize(2 + consumer, 128);
    Staged::template store<128>(staged, out, row, column, thread);
  }

 private:
  // Of product number k of a stage: its depth is 32 bytes of each row, or so many lines' rows.
  template <bool depth_fast>
  __device__ static uint64_t describe(const char* tile, int k) {
    if constexpr (depth_fast) {
      return ptx::describe(tile + k * 32, static_cast<ptx::Swizzle>(row_bytes), 0, 8 * row_bytes);
    } else {
      static_assert(line_bytes == 128);
      return ptx::describe(tile + k * (32 / sizeof(Stored)) * line_bytes, ptx::Swizzle::bytes128, side_bytes,
                           8 * line_bytes);
    }
  }
};

template <class Loop, class Product>
__global__ void __launch_bounds__(Loop::threads, Loop::blocks) wgmma_kernel(const __grid_constant__ Product product) {
#if defined(PH_SIM) || PH_HAS_WGMMA
  PH_DYNAMIC_SHARED(char, shared);
  PH_SHARED(typename Loop::Barriers, barriers, [1]);
  if (threadIdx.x == 0) Loop::initialize(*barriers, 1);
  __syncthreads();
  auto tile = product.template tile<Loop>();
  const int warpgroup = static_cast<int>(threadIdx.x) / 128;
  if (warpgroup == Loop::consumers) {
    ptx::give_registers<Loop::copying_registers>();
    if (threadIdx.x % 128 == 0) Loop::copy(tile, shared, *barriers);
  } else {
    ptx::take_registers<Loop::registers>();
    Loop::multiply(product.output(tile), warpgroup, tile.row + warpgroup * Loop::warpgroup_rows, tile.column,
                   tile.steps, shared, *barriers);
  }
#else
  (void)product;
  __trap();  // wrong results would be worse
#endif
}

// Products of matrices. Rows of memory are multiples of 16 bytes; what leaves a matrix is zero. The operands of all
// matrices lie one below another, so that where memory runs along the lines, the depth is a multiple of 64 or there is
// one matrix.
template <bool a_depth_fast, bool b_depth_fast, class Output>
struct MatrixProduct {
  ptx::TensorMap a, b;
  Output out;
  Places<> a_matrices, b_matrices;  // in rows of memory
  int depth;
  TileGrid tiles;
  SplitPlan split;
  int64_t first_matrix, matrices;

  template <class Loop>
  struct Tile {
    const MatrixProduct& product;
    int row, column, place, steps;
    int64_t matrix;
    int a_first, b_first;  // rows of memory

    __device__ static constexpr int bytes() { return Loop::stage_bytes; }
    __device__ void bring(char* to_a, char* to_b, ptx::Mbarrier* full) {
      bring_matrix<a_depth_fast, Loop::rows>(to_a, product.a, a_first, row, full);
      bring_matrix<b_depth_fast, Loop::columns>(to_b, product.b, b_first, column, full);
      place += Loop::depth;
    }

   private:
    template <bool depth_fast, int lines>
    __device__ void bring_matrix(char* to, const ptx::TensorMap& map, int first, int line, ptx::Mbarrier* full) {
      Loop::template bring_operand<depth_fast, lines>(to, line, place, [&](char* box, int at_line, int at_place) {
        depth_fast ? ptx::copy_tile(box, map, first + at_line, at_place, full)
                   : ptx::copy_tile(box, map, first + at_place, at_line, full);
      });
    }
  };

  template <class Loop>
  __device__ Tile<Loop> tile() const {
    int row_tile, column_tile;
    tiles.find(static_cast<int>(blockIdx.x), row_tile, column_tile);
    const int64_t matrix = first_matrix + blockIdx.z;
    const int first = static_cast<int>(blockIdx.y) * split.depth, rest = depth - first;
    const int steps = ((rest < split.depth ? rest : split.depth) + Loop::depth - 1) / Loop::depth;
    return {*this,
            row_tile * Loop::rows,
            column_tile * Loop::columns,
            first,
            steps,
            matrix,
            static_cast<int>(a_matrices.offset(matrix)),
            static_cast<int>(b_matrices.offset(matrix))};
  }
  template <class Tile>
  __device__ Output output(const Tile& tile) const {
    Output result = out;
    result.data += (blockIdx.y * matrices + tile.matrix) * out.rows * out.columns;
    return result;
  }
};

}  // namespace ph::cuda
