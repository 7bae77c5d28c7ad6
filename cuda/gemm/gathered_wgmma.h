// The main loop of a product on Hopper's tensor cores (gemm/wgmma.h) of operands that no copy engine can find, such as
// the pixels under a convolution's window: the first warpgroup gathers both (gemm/operand.h) by cp.async to where TMA
// would put them, and the two others multiply. float16 and bfloat16; as TF32 mma's main loop (gemm/tensor_cores.h) is
// faster, which rounds what it has read.
//
// Output: gemm/output.h, called with four sums. Blocks have `threads` threads and shared_bytes of dynamic shared
// memory; all threads call.
#pragma once
#include "cuda/gemm/tensor_cores.h"
#include "cuda/gemm/wgmma.h"

namespace ph::cuda {

template <class Math, int columns_>
struct GatheredWgmma {
  using Element = typename Math::Element;
  using Tile = WgmmaTile<columns_>;
  static constexpr int rows = Tile::rows, columns = columns_, threads = Tile::threads, stages = Tile::stages;
  static constexpr int blocks = Tile::blocks, least_part = 512;
  static constexpr int row_bytes = 128, depth = row_bytes / sizeof(Element);
  static constexpr int stage_bytes = (rows + columns) * row_bytes, shared_bytes = stages * stage_bytes;

  // Sums over [first, last) of the depth for the tile at (row, column).
  template <class A, class B, class Output>
  __device__ static void multiply(const A& a, const B& b, const Output& out, int row, int column, int first, int last,
                                  void* shared) {
#if defined(PH_SIM) || PH_HAS_WGMMA
    using Consumer = Wgmma<Element, A::depth_fast, B::depth_fast, columns>;
    PH_SHARED(typename Consumer::Barriers, barriers, [1]);
    if (threadIdx.x == 0) Consumer::initialize(*barriers, copying_threads);
    __syncthreads();
    const int warpgroup = static_cast<int>(threadIdx.x) / 128, steps = (last - first + depth - 1) / depth;
    if (warpgroup == 0) {
      if constexpr (blocks == 1) {
        ptx::give_registers<136>();
      } else {
        ptx::take_registers<112>();
      }
      copy(a, b, row, column, first, steps, static_cast<char*>(shared), *barriers);
    } else {
      if constexpr (blocks == 1) {
        ptx::take_registers<184>();
      } else {
        ptx::give_registers<64>();
      }
      const int consumer = warpgroup - 1;
      Consumer::multiply(out, consumer, row + consumer * Consumer::warpgroup_rows, column, steps,
                         static_cast<char*>(shared), *barriers);
    }
#else
    (void)a, (void)b, (void)out, (void)row, (void)column, (void)first, (void)last, (void)shared;
    __trap();
#endif
  }

 private:
  static constexpr int copying_threads = 128, lag = stages - 2;  // steps whose copies are under way
  static constexpr int piece = 16 / sizeof(Element), across = row_bytes / 16;

  template <class Operand, int lines>
  using Reader = TileReader<Operand, lines, depth, copying_threads, across>;

  template <class A, class B, class Barriers>
  __device__ static void copy(const A& a, const B& b, int row, int column, int first, int steps, char* shared,
                              Barriers& barriers) {
    Reader<A, rows> a_reader(a, row, first);
    Reader<B, columns> b_reader(b, column, first);
    for (int step = 0; step < steps + lag; ++step) {
      if (step < steps) {
        const int stage = step % stages;
        ptx::wait(&barriers.empty[stage], step / stages % 2 ^ 1);
        char* to = shared + stage * stage_bytes;
        copy_tile(to, a, a_reader);
        copy_tile(to + rows * row_bytes, b, b_reader);
        a_reader.advance(a);
        b_reader.advance(b);
      }
      ptx::commit_copies();
      if (step < lag) continue;
      ptx::wait_copies<lag>();
      ptx::fence_async();
      ptx::arrive(&barriers.full[(step - lag) % stages]);
    }
  }

  // Where vector i of a reader's share lies: 16-byte pieces are swizzled within rows of 128 bytes, which run along the
  // depth, or along 64 lines.
  template <class TheReader, bool depth_fast>
  __device__ __forceinline__ static char* piece_of(char* tile, int i) {
    const int line = TheReader::line(i), place = TheReader::place(i);
    const int at_row = depth_fast ? line : line / depth * depth + place;
    const int at_piece = (depth_fast ? place : line % depth) / piece;
    return tile + at_row * row_bytes + (at_piece ^ at_row % 8) * 16;
  }
  template <class Operand, class TheReader>
  __device__ __forceinline__ static void copy_tile(char* tile, const Operand& operand, const TheReader& reader) {
    static_assert(Operand::vector == piece);
    PH_UNROLL
    for (int i = 0; i < TheReader::count; ++i) {
      const Element* from = reader.address(operand, i);
      ptx::copy_async<16>(piece_of<TheReader, Operand::depth_fast>(tile, i), from, from != nullptr);
    }
  }
};

}  // namespace ph::cuda
