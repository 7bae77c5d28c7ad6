// The main loop of a product in plain multiply-adds: a block multiplies a tile of `rows` x `columns`, in steps of
// `depth`. Each thread keeps thread_rows x thread_columns sums, in squares of 16 bytes a side; a warp's threads are
// 4 x 8 of them. Tiles lie in shared memory with the depth outermost, so that a thread's elements of one place along
// the depth are read 16 bytes at a time; two of each, so that one is filled while the other is used. Sums are of type
// Sum (float for 16-bit elements), added in the order of the depth.
//
// Operands: gemm/operand.h. Output: gemm/output.h, called with up to four sums. Blocks have `threads` threads; all
// call.
#pragma once
#include "cuda/gemm/operand.h"
#include "cuda/vector.h"

namespace ph::cuda {

// Shared tiles' rows are 16 bytes longer than the lines they hold. Vectors along the depth are spread over 4 rows:
// 16 lines beside 2 vectors, or 4 lines beside 8 single elements, then go to 32 different banks.
template <class Sum>
inline constexpr int ffma_padding = 16 / static_cast<int>(sizeof(Sum));

// Threads side by side along an operand's memory: all of a tile's row, or along the depth 32 bytes.
template <class Operand, int lines, int depth>
inline constexpr int ffma_run = !Operand::depth_fast ? lines / Operand::vector
                                : 32 / static_cast<int>(sizeof(typename Operand::Element)) < depth
                                    ? 32 / static_cast<int>(sizeof(typename Operand::Element)) / Operand::vector
                                    : depth / Operand::vector;

template <class Sum, int rows_, int columns_, int depth_, int thread_rows, int thread_columns>
struct Ffma {
  static constexpr int rows = rows_, columns = columns_, depth = depth_;
  static constexpr int threads = rows * columns / (thread_rows * thread_columns);
  static constexpr int shared_bytes = 0;  // dynamic
  static constexpr int least_part = 256;
  static constexpr int blocks = 65536 / 128 / threads;  // at once on a processor: 128 registers for each thread

  // Sums over [first, last) of the depth for the tile at (row, column).
  template <class A, class B, class Output>
  __device__ static void multiply(const A& a, const B& b, const Output& out, int row, int column, int first, int last,
                                  void*) {
    using ReaderA = TileReader<A, rows, depth, threads, ffma_run<A, rows, depth>>;
    using ReaderB = TileReader<B, columns, depth, threads, ffma_run<B, columns, depth>>;
    PH_SHARED(Sum, a_tile, [2][depth][rows + ffma_padding<Sum>]);
    PH_SHARED(Sum, b_tile, [2][depth][columns + ffma_padding<Sum>]);
    ReaderA a_reader(a, row, first);
    ReaderB b_reader(b, column, first);
    Packed<typename A::Element, A::vector> a_next[ReaderA::count];
    Packed<typename B::Element, B::vector> b_next[ReaderB::count];

    const int lane = static_cast<int>(threadIdx.x) % 32, warp = static_cast<int>(threadIdx.x) / 32;
    const int tile_row = warp / (columns / warp_columns) * warp_rows + lane / 8 * side;
    const int tile_column = warp % (columns / warp_columns) * warp_columns + lane % 8 * side;
    Sum sums[thread_rows][thread_columns] = {};

    const int steps = (last - first + depth - 1) / depth;
    if (steps > 0) {
      fetch(a, a_reader, a_next);
      fetch(b, b_reader, b_next);
      put<ReaderA>(a, a_next, a_tile[0]);
      put<ReaderB>(b, b_next, b_tile[0]);
      __syncthreads();
    }
    for (int step = 0; step < steps; ++step) {
      const int now = step % 2;
      const bool more = step + 1 < steps;
      if (more) {
        a_reader.advance(a);
        b_reader.advance(b);
        fetch(a, a_reader, a_next);
        fetch(b, b_reader, b_next);
      }
      PH_UNROLL
      for (int k = 0; k < depth; ++k) {
        Sum of_a[thread_rows], of_b[thread_columns];
        read<4>(of_a, &a_tile[now][k][tile_row]);
        read<8>(of_b, &b_tile[now][k][tile_column]);
        PH_UNROLL
        for (int i = 0; i < thread_rows; ++i) {
          PH_UNROLL
          for (int j = 0; j < thread_columns; ++j) sums[i][j] += of_a[i] * of_b[j];
        }
      }
      if (more) {
        put<ReaderA>(a, a_next, a_tile[now ^ 1]);
        put<ReaderB>(b, b_next, b_tile[now ^ 1]);
      }
      __syncthreads();
    }
    PH_UNROLL
    for (int i = 0; i < thread_rows; ++i) {
      PH_UNROLL
      for (int j = 0; j < thread_columns; j += side) {
        Sum run[side];
        PH_UNROLL
        for (int e = 0; e < side; ++e) run[e] = sums[i][j + e];
        out.store(row + tile_row + i / side * 4 * side + i % side, column + tile_column + j * 8, run);
      }
    }
  }

 private:
  static constexpr int side = 16 / sizeof(Sum), warp_rows = 4 * thread_rows, warp_columns = 8 * thread_columns;
  static_assert(rows % warp_rows == 0 && columns % warp_columns == 0);
  static_assert(thread_rows % side == 0 && thread_columns % side == 0);

  template <class Operand, class Reader, class Element, int vector, int count>
  __device__ __forceinline__ static void fetch(const Operand& operand, const Reader& reader,
                                               Packed<Element, vector> (&to)[count]) {
    PH_UNROLL
    for (int i = 0; i < count; ++i) {
      const Element* from = reader.address(operand, i);
      to[i] = from ? *reinterpret_cast<const Packed<Element, vector>*>(from) : Packed<Element, vector>{};
    }
  }

  template <class Reader, class Operand, class Element, int vector, int count, int width>
  __device__ __forceinline__ static void put(const Operand&, const Packed<Element, vector> (&from)[count],
                                             Sum (&tile)[depth][width]) {
    PH_UNROLL
    for (int i = 0; i < count; ++i) {
      const int line = Reader::line(i), place = Reader::place(i);
      if constexpr (Operand::depth_fast) {
        PH_UNROLL
        for (int e = 0; e < vector; ++e) tile[place + e][line] = load_as<Sum>(from[i].element[e]);
      } else {
        constexpr int stored = vector < side ? vector : side;
        PH_UNROLL
        for (int e = 0; e < vector; e += stored) {
          Sum converted[stored];
          PH_UNROLL
          for (int o = 0; o < stored; ++o) {
            converted[o] = load_as<Sum>(from[i].element[e + o]);
          }
          store_shared_vector(&tile[place][line + e], converted);
        }
      }
    }
  }

  // Runs of `side` elements, one for each of the `lanes` threads in between.
  template <int lanes, int count>
  __device__ __forceinline__ static void read(Sum (&to)[count], const Sum* from) {
    PH_UNROLL
    for (int i = 0; i < count; i += side) {
      Sum run[side];
      load_vector(run, from + i * lanes);
      PH_UNROLL
      for (int e = 0; e < side; ++e) to[i + e] = run[e];
    }
  }
};

}  // namespace ph::cuda
