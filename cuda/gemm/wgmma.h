// The main loop of a product on Hopper's tensor cores (compute capability 9.0): a block of three warpgroups makes 128
// rows of c, 256, 128 or 64 columns wide. The last one only copies: one thread asks for tiles of 128 bytes of depth by
// TMA, `stages` ahead, and gives its registers to the two others, which multiply 64 rows each by wgmma while the copies
// go on. Full and empty stages are handed over by mbarriers. float16 and bfloat16, and float32 that has been rounded to
// TF32 where it lies; sums in float32; no float32 promotion.
//
// Tiles lie as TMA brings them, in rows of 128 bytes whose 16-byte pieces are swizzled. An operand whose memory runs
// along the depth is one tile; one whose memory runs along the lines (of 16-bit floats only) is several, of 64 lines
// side by side. Rows of memory are multiples of 16 bytes; what leaves a matrix is zero. The operands of all matrices
// lie one below another, so that where memory runs along the lines, the depth is a multiple of 64 or there is one
// matrix.
#pragma once
#include "cuda/gemm/matrices.h"
#include "cuda/gemm/staged_output.h"

namespace ph::cuda {

template <class Output>
struct WgmmaProduct {
  ptx::TensorMap a, b;
  Output out;
  Places<> a_matrices, b_matrices;  // in rows of memory
  int depth;
  TileGrid tiles;
  SplitPlan split;
  int64_t first_matrix, matrices;
};

// What a block makes of c, whatever the operands.
template <int columns_>
struct WgmmaTile {
  static constexpr int rows = 128, columns = columns_, threads = 384, least_part = 1024;
  static constexpr int stages = columns == 128 ? 6 : 4;
  static constexpr int blocks = columns == 64 ? 2 : 1;  // at once on a processor: ptxas wants 90 registers for 128
  // Of a thread that copies and of one that multiplies; together what the block has.
  static constexpr int copying_registers = blocks == 1 ? 40 : 32, registers = blocks == 1 ? 232 : 104;
};

template <class Stored, bool a_depth_fast, bool b_depth_fast, int columns_>
struct Wgmma : WgmmaTile<columns_> {
  using Tile = WgmmaTile<columns_>;
  using Tile::columns;
  using Tile::rows;
  using Tile::stages;
  static constexpr int row_bytes = 128, depth = row_bytes / sizeof(Stored);
  static constexpr int a_bytes = rows * row_bytes, b_bytes = columns * row_bytes;
  static constexpr int stage_bytes = a_bytes + b_bytes, shared_bytes = stages * stage_bytes;
  static constexpr int warpgroup_rows = 64, consumers = rows / warpgroup_rows, consumer_warps = 4 * consumers;
  static constexpr int side_bytes = depth * row_bytes;  // of a tile of 64 lines

  struct Barriers {
    ptx::Mbarrier full[stages], empty[stages];
  };

  // The copying thread. a and b begin at these rows of memory.
  __device__ static void copy(const ptx::TensorMap& a, const ptx::TensorMap& b, int a_first, int b_first, int row,
                              int column, int first, int steps, char* shared, Barriers& barriers) {
    for (int step = 0; step < steps; ++step) {
      const int stage = step % stages, place = first + step * depth;
      ptx::wait(&barriers.empty[stage], step / stages % 2 ^ 1);
      ptx::arrive_expecting(&barriers.full[stage], stage_bytes);
      char* to = shared + stage * stage_bytes;
      copy_operand<a_depth_fast, rows>(to, a, a_first, row, place, &barriers.full[stage]);
      copy_operand<b_depth_fast, columns>(to + a_bytes, b, b_first, column, place, &barriers.full[stage]);
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
        // a product's depth is 32 bytes of each row, or 16 rows
        const char* a = a_tile + (a_depth_fast ? k * 32 : k * 16 * row_bytes);
        const char* b = b_tile + (b_depth_fast ? k * 32 : k * 16 * row_bytes);
        ptx::wgmma<Stored, columns, !a_depth_fast, !b_depth_fast>(
            sums, ptx::describe(a, ptx::Swizzle::bytes128, side_bytes, 8 * row_bytes),
            ptx::describe(b, ptx::Swizzle::bytes128, side_bytes, 8 * row_bytes), true);
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
  template <bool depth_fast, int lines>
  __device__ static void copy_operand(char* to, const ptx::TensorMap& map, int first, int line, int place,
                                      ptx::Mbarrier* full) {
    if constexpr (depth_fast) {
      ptx::copy_tile(to, map, first + line, place, full);
    } else {
      PH_UNROLL
      for (int side = 0; side < lines / 64; ++side) {
        ptx::copy_tile(to + side * side_bytes, map, first + place, line + side * 64, full);
      }
    }
  }
};

template <class Loop, class Output>
__global__ void __launch_bounds__(Loop::threads, Loop::blocks)
    wgmma_kernel(const __grid_constant__ WgmmaProduct<Output> product) {
#if defined(PH_SIM) || PH_HAS_WGMMA
  PH_DYNAMIC_SHARED(char, shared);
  PH_SHARED(typename Loop::Barriers, barriers, [1]);
  if (threadIdx.x == 0) {
    for (int stage = 0; stage < Loop::stages; ++stage) {
      ptx::initialize(&barriers->full[stage], 1);
      ptx::initialize(&barriers->empty[stage], Loop::consumer_warps);
    }
    ptx::fence_initialized();
  }
  __syncthreads();
  int row_tile, column_tile;
  product.tiles.find(static_cast<int>(blockIdx.x), row_tile, column_tile);
  const int row = row_tile * Loop::rows, column = column_tile * Loop::columns, part = static_cast<int>(blockIdx.y);
  const int64_t matrix = product.first_matrix + blockIdx.z;
  const int first = part * product.split.depth, rest = product.depth - first;
  const int steps = ((rest < product.split.depth ? rest : product.split.depth) + Loop::depth - 1) / Loop::depth;
  const int warpgroup = static_cast<int>(threadIdx.x) / 128;
  if (warpgroup == Loop::consumers) {
    ptx::give_registers<Loop::copying_registers>();
    if (threadIdx.x % 128 == 0) {
      Loop::copy(product.a, product.b, static_cast<int>(product.a_matrices.offset(matrix)),
                 static_cast<int>(product.b_matrices.offset(matrix)), row, column, first, steps, shared, *barriers);
    }
  } else {
    ptx::take_registers<Loop::registers>();
    Output out = product.out;
    out.data += (part * product.matrices + matrix) * out.rows * out.columns;
    Loop::multiply(out, warpgroup, row + warpgroup * Loop::warpgroup_rows, column, steps, shared, *barriers);
  }
#else
  (void)product;
  __trap();  // wrong results would be worse
#endif
}

}  // namespace ph::cuda
