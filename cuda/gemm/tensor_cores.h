// The main loop of a product on tensor cores, by mma: a block multiplies a tile of `rows` x `columns` in steps of 64
// bytes of depth; each warp takes warp_rows x warp_columns of it. Tiles are copied to shared memory beside the
// computation (cp.async), `stages` - 1 steps ahead, and read as fragments by ldmatrix; 32-bit elements whose memory
// runs along the lines are read one by one. Sums are float32.
//
// How elements are multiplied is Math's part:
//   Halves<T>  float16 and bfloat16 as they are
//   Tf32       float32 rounded to 10 bits of fraction, relative errors up to 2^-11 each
//   Tf32x3     float32 in two parts, the products of the two small ones left out. Tensor cores cut sums off towards
//              zero (cuda/sim/ptx/tensor_core.h), by up to 2^-23 for each instruction, always to the same side; so
//              each 8 of depth are summed from zero, and added to the others in float32. As exact as float32
//              multiply-adds: of the sum over |a b| each 8 of depth lose at most 2^-20, 2^-22 as a rule (Ootomo and
//              Yokota, Recovering single precision accuracy from Tensor Cores, 2022)
//
// Operands: gemm/operand.h, `vector` 16 bytes or one element. Output: gemm/output.h, called with four sums. Blocks have
// `threads` threads and shared_bytes of dynamic shared memory; all threads call.
#pragma once
#include <type_traits>
#include <utility>

#include "core/half.h"
#include "cuda/gemm/operand.h"
#include "cuda/gemm/shared_tile.h"
#include "cuda/gemm/staged_output.h"

namespace ph::cuda {

template <class T>
struct Halves {
  using Element = T;
  static constexpr int threads_at_once = 512, oldest_architecture = std::is_same_v<T, Float16> ? 750 : 800;
  struct A {
    uint32_t bits[4];
    __device__ explicit A(const uint32_t (&from)[4]) : bits{from[0], from[1], from[2], from[3]} {}
  };
  struct B {
    uint32_t bits[2];
    __device__ B(uint32_t first, uint32_t second) : bits{first, second} {}
  };
  __device__ static void multiply(float (&sums)[4], const A& a, const B& b) {
    if constexpr (std::is_same_v<T, Float16>) {
      ptx::mma_float16(sums, a.bits, b.bits);
    } else {
      ptx::mma_bfloat16(sums, a.bits, b.bits);
    }
  }
};

struct Tf32 {
  using Element = float;
  static constexpr int threads_at_once = 512, oldest_architecture = 800;
  __device__ static uint32_t rounded(uint32_t bits) { return ptx::to_tf32(__uint_as_float(bits)); }
  struct A {
    uint32_t bits[4];
    __device__ explicit A(const uint32_t (&from)[4])
        : bits{rounded(from[0]), rounded(from[1]), rounded(from[2]), rounded(from[3])} {}
  };
  struct B {
    uint32_t bits[2];
    __device__ B(uint32_t first, uint32_t second) : bits{rounded(first), rounded(second)} {}
  };
  __device__ static void multiply(float (&sums)[4], const A& a, const B& b) { ptx::mma_tf32(sums, a.bits, b.bits); }
};

struct Tf32x3 {
  using Element = float;
  static constexpr int threads_at_once = 256, oldest_architecture = 800;
  // What tensor cores read is the upper 19 bits. The large part is x rounded to those, finite even where x is not; what
  // is left has at most 12 bits, infinity or NaN, and is read but for its last bit.
  struct Parts {
    uint32_t large, small;
    __device__ explicit Parts(uint32_t bits) {
      constexpr float largest = 0x1.ffcp127f;
      const float x = __uint_as_float(bits), finite = fminf(fmaxf(x, -largest), largest);
      large = (__float_as_uint(finite) + 0x1000u) & ~0x1fffu;
      small = __float_as_uint(x - __uint_as_float(large));
    }
  };
  struct A {
    uint32_t large[4], small[4];
    __device__ explicit A(const uint32_t (&from)[4]) {
      PH_UNROLL
      for (int i = 0; i < 4; ++i) {
        const Parts parts(from[i]);
        large[i] = parts.large, small[i] = parts.small;
      }
    }
  };
  struct B {
    uint32_t large[2], small[2];
    __device__ B(Parts first, Parts second) : large{first.large, second.large}, small{first.small, second.small} {}
    __device__ B(uint32_t first, uint32_t second) : B(Parts(first), Parts(second)) {}
  };
  __device__ static void multiply(float (&sums)[4], const A& a, const B& b) {
    float sum[4] = {};
    ptx::mma_tf32(sum, a.small, b.large);
    ptx::mma_tf32(sum, a.large, b.small);
    ptx::mma_tf32(sum, a.large, b.large);
    PH_UNROLL
    for (int e = 0; e < 4; ++e) sums[e] += sum[e];
  }
};

template <class Math, int rows_, int columns_, int warp_rows, int warp_columns, int stages>
struct TensorCores {
  using Element = typename Math::Element;
  static constexpr int size = sizeof(Element), rows = rows_, columns = columns_, depth = 64 / size;
  template <int lines>  // rows along the lines are padded
  static constexpr int largest_tile = SharedTile<size, lines, depth, false>::elements* size;
  static constexpr int threads = rows / warp_rows * (columns / warp_columns) * 32;
  static constexpr int shared_bytes = stages * (largest_tile<rows> + largest_tile<columns>);
  // At once on a processor; warp tiles of 64 x 64 take most of a thread's registers.
  static constexpr int blocks = (warp_rows * warp_columns > 2048 ? 256 : Math::threads_at_once) / threads;
  static constexpr int least_part = 256;

  // Threads side by side along a whole row of an operand's memory.
  template <class Operand, int lines>
  static constexpr int run = (Operand::depth_fast ? depth : lines) / Operand::vector;

  // Sums over [first, last) of the depth for the tile at (row, column).
  template <class A, class B, class Output>
  __device__ static void multiply(const A& a, const B& b, const Output& out, int row, int column, int first, int last,
                                  void* shared) {
    if (PH_ARCH != 0 && PH_ARCH < Math::oldest_architecture) return;  // never launched there: nothing to compile
    using TileA = SharedTile<size, rows, depth, A::depth_fast>;
    using TileB = SharedTile<size, columns, depth, B::depth_fast>;
    Element* const memory = static_cast<Element*>(shared);
    TileReader<A, rows, depth, threads, run<A, rows>> a_reader(a, row, first);
    TileReader<B, columns, depth, threads, run<B, columns>> b_reader(b, column, first);

    const int steps = (last - first + depth - 1) / depth;
    int begun = 0;
    const auto begin_copies = [&] {
      if (begun < steps) {
        Element* stage = memory + begun % stages * stage_elements<TileA, TileB>;
        copy_tile<TileA>(stage, a, a_reader);
        copy_tile<TileB>(stage + TileA::elements, b, b_reader);
        a_reader.advance(a);
        b_reader.advance(b);
      }
      ++begun;
      ptx::commit_copies();
    };
    PH_UNROLL
    for (int stage = 0; stage < stages - 1; ++stage) begin_copies();

    const int lane = static_cast<int>(threadIdx.x) % 32, warp = static_cast<int>(threadIdx.x) / 32;
    const int tile_row = warp / (columns / warp_columns) * warp_rows;
    const int tile_column = warp % (columns / warp_columns) * warp_columns;
    float sums[down][across][4] = {};
    for (int step = 0; step < steps; ++step) {
      ptx::wait_copies<stages - 2>();
      __syncthreads();  // the stage is there, and nobody reads the one that is filled next
      begin_copies();
      const Element* a_tile = memory + step % stages * stage_elements<TileA, TileB>;
      const Element* b_tile = a_tile + TileA::elements;
      PH_UNROLL
      for (int place = 0; place < depth; place += mma_depth) {
        multiply_warp_tile<TileA, TileB, A::depth_fast, B::depth_fast>(sums, a_tile, b_tile, tile_row, tile_column,
                                                                       place, std::make_index_sequence<down>());
      }
    }
    __syncthreads();  // the stages are free
    using Staged = StagedOutput<rows, columns>;
    static_assert(Staged::bytes <= shared_bytes);
    float* const staged = static_cast<float*>(shared);
    PH_UNROLL
    for (int i = 0; i < down; ++i) {
      PH_UNROLL
      for (int j = 0; j < across; ++j) {
        const float(&all)[4] = sums[i][j];
        const int to_row = tile_row + i * 16 + lane / 4, to_column = tile_column + j * 8 + lane % 4 * 2;
        Staged::put(staged, to_row, to_column, all[0], all[1]);
        Staged::put(staged, to_row + 8, to_column, all[2], all[3]);
      }
    }
    __syncthreads();
    Staged::template store<threads>(staged, out, row, column, static_cast<int>(threadIdx.x));
  }

 private:
  static constexpr int mma_depth = 32 / size, piece = 16 / size, down = warp_rows / 16, across = warp_columns / 8;
  template <class TileA, class TileB>
  static constexpr int stage_elements = TileA::elements + TileB::elements;
  static_assert(warp_rows % 16 == 0 && warp_columns % 16 == 0 && rows % warp_rows == 0 && columns % warp_columns == 0);

  template <class Tile, class Operand, class Reader>
  __device__ __forceinline__ static void copy_tile(Element* tile, const Operand& operand, const Reader& reader) {
    constexpr int bytes = Operand::vector * size;
    static_assert(bytes == 16 || Operand::vector == 1);
    PH_UNROLL
    for (int i = 0; i < Reader::count; ++i) {
      Element* to = tile + Tile::offset(Reader::line(i), Reader::place(i));
      const Element* from = reader.address(operand, i);
      if constexpr (bytes >= 4) {
        ptx::copy_async<bytes>(to, from, from != nullptr);
      } else {
        *to = from ? *from : Element{};
      }
    }
  }

  // sums += the warp's part of a b over one mma's depth.
  template <class TileA, class TileB, bool a_depth_fast, bool b_depth_fast, size_t... is>
  __device__ __forceinline__ static void multiply_warp_tile(float (&sums)[down][across][4], const Element* a_tile,
                                                            const Element* b_tile, int tile_row, int tile_column,
                                                            int place, std::index_sequence<is...>) {
    const typename Math::A of_a[down] = {
        load_a<TileA, a_depth_fast>(a_tile, tile_row + static_cast<int>(is) * 16, place)...};
    PH_UNROLL
    for (int j = 0; j < across; j += 2) {
      uint32_t bits[4];  // of two fragments
      load_b<TileB, b_depth_fast>(bits, b_tile, tile_column + j * 8, place);
      const typename Math::B of_b[2] = {{bits[0], bits[1]}, {bits[2], bits[3]}};
      PH_UNROLL
      for (int i = 0; i < down; ++i) {
        Math::multiply(sums[i][j], of_a[i], of_b[0]);
        Math::multiply(sums[i][j + 1], of_a[i], of_b[1]);
      }
    }
  }

  template <class Tile, bool depth_fast>
  __device__ __forceinline__ static typename Math::A load_a(const Element* tile, int line, int place) {
    const int lane = static_cast<int>(threadIdx.x) % 32;
    uint32_t bits[4];
    if constexpr (depth_fast || size == 2) {
      ptx::ldmatrix<!depth_fast>(bits, tile + Tile::a_row(lane, line, place));
    } else {
      PH_UNROLL
      for (int r = 0; r < 4; ++r) bits[r] = __float_as_uint(tile[Tile::a_element(lane, r, line, place)]);
    }
    return typename Math::A(bits);
  }

  template <class Tile, bool depth_fast>
  __device__ __forceinline__ static void load_b(uint32_t (&bits)[4], const Element* tile, int line, int place) {
    const int lane = static_cast<int>(threadIdx.x) % 32;
    if constexpr (depth_fast || size == 2) {
      ptx::ldmatrix<!depth_fast>(bits, tile + Tile::b_row(lane, line, place));
    } else {
      PH_UNROLL
      for (int r = 0; r < 4; ++r) bits[r] = __float_as_uint(tile[Tile::b_element(lane, r, line, place)]);
    }
  }
};

}  // namespace ph::cuda
