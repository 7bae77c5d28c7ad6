#include "cpu/gemm/amx.h"

#if PH_LANES == 16

#include "core/scratch.h"
#include "core/thread_pool.h"
#include "cpu/gemm/dot_pairs.h"
#include "cpu/gemm/pack.h"
#include "cpu/gemm/tile_registers.h"

namespace ph::PH_LEVEL {

namespace {

using V = Vector<float>;
constexpr int64_t side = tile_rows;  // of a square of elements

PH_INLINE Words bits_of(V value) { return reinterpret_cast<Words>(value); }

// 16 elements, `count` of which exist, the others zero.
PH_INLINE V load_line(const float* from, int64_t count) { return load_some(from, static_cast<int>(count)); }
PH_INLINE V load_line(const BFloat16* from, int64_t count) {
  float line[side] = {};
  load_half<float, BFloat16>(line, from, count);
  return load(line);
}

// 16 x 16 elements at from[i * row + j * column] (one of the two steps is 1), zeros beyond `rows` and `columns`.
template <class S>
PH_INLINE void copy_square(const S* from, int64_t row, int64_t column, int64_t rows, int64_t columns, float* to) {
  const bool turned = column != 1;
  const int64_t lines = least(turned ? columns : rows, side), length = least(turned ? rows : columns, side);
  alignas(64) float square[tile_size] = {};
  for (int64_t i = 0; i < lines && length > 0; ++i) {
    store(square + i * side, load_line(from + i * (turned ? column : row), length));
  }
  if (turned) return transpose_lines(square, side, side, side, to, side);
  __builtin_memcpy(to, square, sizeof square);
}

// Two squares become a tile of pairs for each part; the parts' tiles lie 2 tiles apart. Returns whether all numbers are
// zero, or finite and not too small.
template <int parts>
PH_INLINE bool pack_pair(const float* first, const float* second, uint32_t* to) {
  constexpr uint32_t leading = 0xffff0000u, magnitude = 0x7fffffffu, infinity = 0x7f800000u, smallest = 27u << 23;
  Words bad{};
  for (int i = 0; i < tile_rows; ++i) {
    V low = load(first + i * side), high = load(second + i * side);
    for (const V& values : {low, high}) {
      const Words size = bits_of(values) & magnitude;
      bad |= reinterpret_cast<Words>(size >= infinity) | reinterpret_cast<Words>(size - 1 < smallest - 1);
    }
#pragma GCC unroll 3
    for (int part = 0; part < parts; ++part) {
      const Words low_bits = bits_of(low) & leading, high_bits = bits_of(high) & leading;
      const Words pairs = (low_bits >> 16) | high_bits;
      __builtin_memcpy(to + part * 2 * tile_size + i * tile_words, &pairs, sizeof pairs);
      low -= reinterpret_cast<V>(low_bits);
      high -= reinterpret_cast<V>(high_bits);
    }
  }
  uint32_t any = 0;
  for (int j = 0; j < tile_words; ++j) any |= bad[j];
  return any == 0;
}

// One operand, packed: for each block of 32 of its lines (rows of A, columns of B), for each block of 32 in depth,
// tiles (parts, 2). A's tile h holds lines 16 h ... as rows of pairs in depth, (l, l + 16); B's the same turned.
template <class S>
struct Operand {
  const S* data;
  int64_t line_step, depth_step;  // one of the two is 1
  int64_t lines, depth;
  bool turned;
  uint32_t* tiles;
  uint32_t* fits;  // for each block of lines, whether its parts are as exact as the numbers

  PH_INLINE int64_t blocks() const { return divide_up(lines, amx_block); }
  PH_INLINE int64_t depth_blocks() const { return divide_up(depth, amx_block); }
};

template <int parts, class S>
PH_INLINE uint32_t* tiles_at(const Operand<S>& o, int64_t block, int64_t depth_block) {
  return o.tiles + (block * o.depth_blocks() + depth_block) * parts * 2 * tile_size;
}

template <int parts, class S>
void pack_block(const Operand<S>& o, int64_t block) {
  bool fits = true;
  alignas(64) float squares[2][tile_size];
  for (int64_t l = 0; l < o.depth; l += amx_block) {
    uint32_t* to = tiles_at<parts>(o, block, l / amx_block);
    for (int half = 0; half < 2; ++half) {
      const int64_t line = block * amx_block + half * side, lines = o.lines - line;
      for (int of_pair = 0; of_pair < 2; ++of_pair) {
        const int64_t at = l + of_pair * side, depth = o.depth - at;
        const S* from = o.data + line * o.line_step + at * o.depth_step;
        float* square = squares[of_pair];
        o.turned ? copy_square(from, o.depth_step, o.line_step, depth, lines, square)
                 : copy_square(from, o.line_step, o.depth_step, lines, depth, square);
      }
      fits &= pack_pair<parts>(squares[0], squares[1], to + half * tile_size);
    }
  }
  o.fits[block] = fits;
}

// A's tiles are registers 4 and 5, B's 6 and 7, C's 0 ... 3.
PH_INLINE void load_a(const uint32_t* a, int part) {
  load_tile<4>(a + part * 2 * tile_size);
  load_tile<5>(a + (part * 2 + 1) * tile_size);
}
PH_INLINE void load_b(const uint32_t* b, int part) {
  load_tile<6>(b + part * 2 * tile_size);
  load_tile<7>(b + (part * 2 + 1) * tile_size);
}
PH_INLINE void multiply_four() {
  multiply_tiles<0, 4, 6>();
  multiply_tiles<1, 4, 7>();
  multiply_tiles<2, 5, 6>();
  multiply_tiles<3, 5, 7>();
}

// How a thread computes blocks of C: by tiles. Products of parts are so ordered that each loads one operand only.
template <int of_number>
struct ByTiles {
  static constexpr int parts = of_number;

  ByTiles() { begin_tiles(); }
  ~ByTiles() { end_tiles(); }
  ByTiles(const ByTiles&) = delete;

  // The block of C at (row_block, column_block), to c (32, 32).
  template <class S>
  PH_INLINE void multiply(const Operand<S>& a, const Operand<S>& b, int64_t row_block, int64_t column_block,
                          float* c) const {
    zero_tile<0>();
    zero_tile<1>();
    zero_tile<2>();
    zero_tile<3>();
    for (int64_t l = 0; l < a.depth_blocks(); ++l) {
      const uint32_t *left = tiles_at<parts>(a, row_block, l), *right = tiles_at<parts>(b, column_block, l);
      load_a(left, 0), load_b(right, parts - 1), multiply_four();
      if constexpr (parts == 3) {
        load_b(right, 1), multiply_four();
        load_a(left, 1), multiply_four();
        load_b(right, 0), multiply_four();
        load_a(left, 2), multiply_four();
        load_a(left, 0), multiply_four();
      } else if constexpr (parts == 2) {
        load_b(right, 0), multiply_four();
        load_a(left, 1), multiply_four();
      }
    }
    store_tile<0>(c, amx_block);
    store_tile<1>(c + side, amx_block);
    store_tile<2>(c + side * amx_block, amx_block);
    store_tile<3>(c + side * amx_block + side, amx_block);
  }
};

// The same by dot products of pairs: 8 rows and 2 vectors of sums at a time.
struct ByDots {
  static constexpr int parts = 1;

  template <class S>
  PH_INLINE void multiply(const Operand<S>& a, const Operand<S>& b, int64_t row_block, int64_t column_block,
                          float* c) const {
    constexpr int rows = 8;
    for (int64_t i = 0; i < amx_block; i += rows) {
      V sums[rows][2] = {};
      for (int64_t l = 0; l < a.depth_blocks(); ++l) {
        const uint32_t *left = tiles_at<parts>(a, row_block, l) + i * tile_words,
                       *right = tiles_at<parts>(b, column_block, l);
        for (int pair = 0; pair < tile_rows; ++pair) {
          const Words b0 = load_pairs(right + pair * tile_words),
                      b1 = load_pairs(right + tile_size + pair * tile_words);
#pragma GCC unroll 8
          for (int r = 0; r < rows; ++r) {
            const Words a_pair = Words{} + left[r * tile_words + pair];
            add_dots(sums[r][0], a_pair, b0);
            add_dots(sums[r][1], a_pair, b1);
          }
        }
      }
#pragma GCC unroll 8
      for (int r = 0; r < rows; ++r) {
        store(c + (i + r) * amx_block, sums[r][0]);
        store(c + (i + r) * amx_block + side, sums[r][1]);
      }
    }
  }
};

// A part of C.
struct Block {
  int64_t row, column, rows, columns;
};

// Bias and activation of a block c, rows amx_block apart, in place.
PH_INLINE void finish_block(const Block& block, const float* bias, Activation activation, float* c) {
  for (int64_t j = 0; j < block.columns; j += side) {
    const V add = bias ? load_line(bias + block.column + j, least(side, block.columns - j)) : V{};
    for (int64_t i = 0; i < block.rows; ++i) {
      V value = load(c + i * amx_block + j) + add;
      if (activation == Activation::relu) value = value < V{} ? V{} : value;  // keeps NaN
      store(c + i * amx_block + j, value);
    }
  }
}

// Packs, then computes all blocks of C: finish(block, c) takes (32, 32) sums; instead(block) is called where parts are
// not exact.
template <class Way, class S, class Finish, class Instead>
PH_INLINE void multiply(Operand<S> a, Operand<S> b, float* workspace, Finish finish, Instead instead) {
  constexpr int parts = Way::parts;
  a.tiles = reinterpret_cast<uint32_t*>(workspace);
  b.tiles = tiles_at<parts>(a, a.blocks(), 0);
  a.fits = tiles_at<parts>(b, b.blocks(), 0);
  b.fits = a.fits + a.blocks();
  parallel_for(a.blocks() + b.blocks(), 1.5 * static_cast<double>(amx_block * a.depth), [&](int64_t block) {
    block < a.blocks() ? pack_block<parts>(a, block) : pack_block<parts>(b, block - a.blocks());
  });
  // pieces of 128 x 128: their tiles stay in the L2 cache
  constexpr int64_t together = 4;
  const int64_t down = divide_up(a.blocks(), together), across = divide_up(b.blocks(), together);
  const double ns = 2.5e-3 * parts * static_cast<double>(128 * 128) * static_cast<double>(a.depth);
  parallel_for(down * across, ns, [&](int64_t piece) {
    const int64_t first_row = piece / across * together, first_column = piece % across * together;
    alignas(64) float c[amx_block * amx_block];
    const Way way{};
    for (int64_t column = first_column; column < least(first_column + together, b.blocks()); ++column) {
      for (int64_t row = first_row; row < least(first_row + together, a.blocks()); ++row) {
        const Block block{row * amx_block, column * amx_block, least(amx_block, a.lines - row * amx_block),
                          least(amx_block, b.lines - column * amx_block)};
        if (parts > 1 && (!a.fits[row] || !b.fits[column])) {
          instead(block);
          continue;
        }
        way.multiply(a, b, row, column, c);
        finish(block, c);
      }
    }
  });
}

template <class Way>
PH_INLINE void multiply_bfloat16(const HalfGemm& g, float* workspace) {
  const auto operand = [&](const HalfMatrix& matrix, int64_t line_step, int64_t depth_step, int64_t lines,
                           bool turned) {
    const auto* data = reinterpret_cast<const BFloat16*>(matrix.data);
    return Operand<BFloat16>{data, line_step, depth_step, lines, g.k, turned, nullptr, nullptr};
  };
  const auto finish = [&](const Block& block, float* c) {
    finish_block(block, g.bias, g.activation, c);
    const HalfMatrix to{g.c.data + block.row * g.c.row + block.column, g.c.dtype, g.c.row, 1};
    narrow_rows(c, amx_block, block.rows, block.columns, to);
  };
  // infinities and the like are as right in one part as they were; tiny numbers count as zero
  multiply<Way>(operand(g.a, g.a.row, g.a.column, g.m, false), operand(g.b, g.b.column, g.b.row, g.n, true), workspace,
                finish, [](const Block&) {});
}

}  // namespace

template <int parts>
void gemm_amx(const Gemm<float>& g, float* workspace) {
  const Operand<float> a{g.a, g.a_row, g.a_column, g.m, g.k, false, nullptr, nullptr};
  const Operand<float> b{g.b, g.b_column, g.b_row, g.n, g.k, true, nullptr, nullptr};
  const auto finish = [&](const Block& block, float* c) {
    finish_block(block, g.bias, g.activation, c);
    for (int64_t i = 0; i < block.rows; ++i) {
      copy_run(c + i * amx_block, g.c + (block.row + i) * g.c_row + block.column, block.columns);
    }
  };
  const auto in_float = [&](const Block& block) {
    Gemm<float> part = g;
    part.m = block.rows, part.n = block.columns;
    part.a += block.row * g.a_row, part.b += block.column * g.b_column;
    part.c += block.row * g.c_row + block.column;
    if (part.bias) part.bias += block.column;
    const auto bytes = sizeof(float) * static_cast<size_t>(packed_size<float>(part.n, part.k));
    auto* packed = static_cast<float*>(thread_scratch(bytes));
    pack_b(part, packed);
    multiply_rows(part, packed, 0, part.m);
  };
  multiply<ByTiles<parts>>(a, b, workspace, finish, in_float);
}

template void gemm_amx<2>(const Gemm<float>&, float*);
template void gemm_amx<3>(const Gemm<float>&, float*);

void gemm_amx_bfloat16(const HalfGemm& g, float* workspace) { multiply_bfloat16<ByTiles<1>>(g, workspace); }
void gemm_dots_bfloat16(const HalfGemm& g, float* workspace) { multiply_bfloat16<ByDots>(g, workspace); }

}  // namespace ph::PH_LEVEL

#endif
