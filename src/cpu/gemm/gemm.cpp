#include "cpu/gemm/gemm.h"

#include "core/thread_pool.h"
#include "cpu/gemm/micro.h"
#include "cpu/gemm/pack.h"

namespace ph::PH_LEVEL {

namespace {

struct Range {
  int64_t begin, end;
};

template <class T>
PH_INLINE int64_t panel_count(const Gemm<T>& g) {
  return divide_up(g.n, panel_width<T>);
}

// The panel of packed B for the depth block that starts at l0.
template <class T>
PH_INLINE int64_t panel_offset(const Gemm<T>& g, int64_t l0, int64_t panel) {
  return packed_position<T>(g.n, g.k, l0, panel * panel_width<T>);
}

// Whether copying A pays. Where it lies well, it takes 12 panels to pay for it. It does not where rows are 4 KB apart,
// which fall on the same lines of the L1 cache, nor where it is transposed and wide: a block of 6 rows uses less than
// half of every line it touches.
template <class T>
PH_INLINE bool packs_a(const Gemm<T>& g, int64_t rows, int64_t panels) {
  if (g.k < 16 || rows < row_block) return false;
  const bool lies_well =
      g.a_column == 1 ? g.a_row * static_cast<int64_t>(sizeof(T)) % 4096 != 0 : row_block >= 8 || g.a_column < 256;
  return panels >= (lies_well ? 12 : 4);
}

// The rows of a product in blocks, packed or not: nearly equal ones, rather than full ones and a small rest; but
// slivers of 6 rows are full, being the fastest.
struct RowBlocks {
  int64_t begin, count;
  int64_t size, larger;  // rows of a block; how many, the first ones, have one more
  int64_t end;
  bool packed;

  RowBlocks(Range rows, bool is_packed)
      : begin(rows.begin), count(divide_up(rows.end - rows.begin, row_block)), end(rows.end), packed(is_packed) {
    const bool full = packed && row_block == 6;
    size = full ? row_block : (end - begin) / most(count, 1);
    larger = full ? 0 : (end - begin) % most(count, 1);
  }
  PH_INLINE int64_t first(int64_t block) const { return least(begin + block * size + least(block, larger), end); }
  PH_INLINE int rows(int64_t block) const { return static_cast<int>(first(block + 1) - first(block)); }
  PH_INLINE Range all() const { return {0, count}; }
};

// All of A as slivers: for each depth block, row block after row block. Where the one that begins with row i lies.
template <class T>
PH_INLINE int64_t sliver_offset(const Gemm<T>& g, int64_t l0, int64_t depth, int64_t i) {
  return l0 * g.m + i * depth;
}

template <class T>
void pack_a(const Gemm<T>& g, T* slivers) {
  const RowBlocks blocks({0, g.m}, true);
  const int64_t step = depth_of(g.k), parts = divide_up(g.k, step);
  parallel_for(blocks.count * parts, 0.15 * static_cast<double>(row_block * step), [&](int64_t chunk) {
    const int64_t l0 = chunk / blocks.count * step, depth = least(step, g.k - l0), block = chunk % blocks.count;
    const int64_t i = blocks.first(block);
    pack_rows(g, i, blocks.rows(block), l0, depth, slivers + sliver_offset(g, l0, depth, i));
  });
}

// Rows [i, i + rows) and the panel at column j of C, for one depth block.
template <class T>
PH_INLINE void multiply_tile(const Gemm<T>& g, int64_t l0, int64_t depth, int64_t i, int rows, int64_t j, const T* a,
                             RowLayout lie, const T* b, int64_t b_row) {
  const bool last = l0 + depth >= g.k;
  const int columns = static_cast<int>(least(panel_width<T>, g.n - j));
  // the sum so far is in C
  const T* addend = l0 > 0 ? g.c : g.addend;
  const int64_t addend_row = l0 > 0 ? g.c_row : g.addend_row;
  const Tile<T> tile{depth,
                     a,
                     g.a_row,
                     g.a_column,
                     b,
                     b_row,
                     g.c + i * g.c_row + j,
                     g.c_row,
                     columns,
                     addend ? addend + i * addend_row + j : nullptr,
                     addend_row,
                     last && g.bias ? g.bias + j : nullptr,
                     last && g.activation == Activation::relu};
  choose_micro_kernel<T>(rows, columns, lie)(tile);
}

// Some row blocks and panels of C for one depth block; `packed` holds these panels, `slivers`, unless nullptr, all of
// A.
template <class T>
void multiply_depth(const Gemm<T>& g, const T* packed, const T* slivers, int64_t l0, int64_t depth,
                    const RowBlocks& blocks, Range own, Range panels) {
  constexpr int64_t w = panel_width<T>;
  const auto multiply = [&](int64_t panel, int64_t block, const T* a, RowLayout lie) {
    multiply_tile(g, l0, depth, blocks.first(block), blocks.rows(block), panel * w, a, lie,
                  packed + (panel - panels.begin) * depth * w, w);
  };
  if (slivers) {
    for (int64_t panel = panels.begin; panel < panels.end; ++panel) {
      for (int64_t block = own.begin; block < own.end; ++block) {
        multiply(panel, block, slivers + sliver_offset(g, l0, depth, blocks.first(block)), RowLayout::sliver);
      }
    }
  } else if (blocks.packed) {
    alignas(64) T sliver[row_block * depth_block];
    for (int64_t block = own.begin; block < own.end; ++block) {
      pack_rows(g, blocks.first(block), blocks.rows(block), l0, depth, sliver);
      for (int64_t panel = panels.begin; panel < panels.end; ++panel) multiply(panel, block, sliver, RowLayout::sliver);
    }
  } else {
    const RowLayout lie = g.a_column == 1 ? RowLayout::contiguous : RowLayout::columns;
    for (int64_t panel = panels.begin; panel < panels.end; ++panel) {
      for (int64_t block = own.begin; block < own.end; ++block) {
        multiply(panel, block, g.a + blocks.first(block) * g.a_row + l0 * g.a_column, lie);
      }
    }
  }
}

template <class T>
void multiply_blocks(const Gemm<T>& g, const T* packed, const T* slivers, const RowBlocks& blocks, Range own,
                     Range panels) {
  const int64_t step = depth_of(g.k);
  for (int64_t l0 = 0; l0 < g.k || l0 == 0; l0 += step) {
    const int64_t depth = least(step, g.k - l0);
    multiply_depth(g, packed + panel_offset(g, l0, panels.begin), slivers, l0, depth, blocks, own, panels);
  }
}

// Nanoseconds of a product of these sizes, roughly.
template <class T>
PH_INLINE double product_ns(int64_t m, int64_t n, int64_t k) {
  const int64_t columns = (n + lanes<T> - 1) / lanes<T> * lanes<T>;
  return 5e-3 * static_cast<double>(sizeof(T)) * static_cast<double>(m * columns) * static_cast<double>(k);
}

// One row block: B is used once, so it is read where it lies; only a panel that reaches beyond it is packed.
template <class T>
void multiply_row_block(const Gemm<T>& g, T* packed) {
  constexpr int64_t w = panel_width<T>;
  const int64_t panels = panel_count(g), rest = g.n % w;
  if (rest) pack_panel(g, 0, g.k, g.n - rest, packed);
  const RowLayout lie = g.a_column == 1 ? RowLayout::contiguous : RowLayout::columns;
  parallel_for(panels, product_ns<T>(g.m, w, g.k), [&](int64_t panel) {
    const int64_t j = panel * w;
    const bool whole = j + w <= g.n;
    const T* b = whole ? g.b + j : packed;
    const int64_t b_row = whole ? g.b_row : w, step = depth_of(g.k);
    for (int64_t l0 = 0; l0 < g.k || l0 == 0; l0 += step) {
      const int64_t depth = least(step, g.k - l0);
      multiply_tile(g, l0, depth, 0, static_cast<int>(g.m), j, g.a + l0 * g.a_column, lie, b + l0 * b_row, b_row);
    }
  });
}

// Few rows: each panel of B is packed by the thread that multiplies it, just before.
template <class T>
void multiply_few_rows(const Gemm<T>& g, const T* slivers, T* packed) {
  constexpr int64_t w = panel_width<T>;
  const int64_t panels = panel_count(g), step = depth_of(g.k);
  const RowBlocks blocks({0, g.m}, slivers != nullptr);
  const double ns = product_ns<T>(g.m, w, g.k);
  // panels of a chunk: about 20 microseconds of work, but a few where each chunk brings all of A into the cache anew
  constexpr int64_t large = 256 << 10, few = 4;
  const int64_t a_bytes = g.m * g.k * static_cast<int64_t>(sizeof(T));
  const int64_t together = most(a_bytes > large ? few : 1, static_cast<int64_t>(20000 / (ns + 1)) + 1);
  const int64_t chunks = divide_up(panels, together);
  parallel_for(chunks, ns * static_cast<double>(together), [&](int64_t chunk) {
    const Range own{panels * chunk / chunks, panels * (chunk + 1) / chunks};
    T* to = packed + own.begin * least(g.k, step) * w;
    for (int64_t l0 = 0; l0 < g.k || l0 == 0; l0 += step) {
      const int64_t depth = least(step, g.k - l0);
      pack_panels(g, l0, depth, own.begin * w, own.end - own.begin, to);
      multiply_depth(g, to, slivers, l0, depth, blocks, blocks.all(), own);
    }
  });
}

}  // namespace

template <class T>
void pack_b(const Gemm<T>& g, T* packed) {
  const int64_t panels = panel_count(g), step = depth_of(g.k), blocks = divide_up(g.k, step);
  const double ns = 0.05 * static_cast<double>(panel_width<T> * step);
  parallel_for(panels * blocks, ns, [&](int64_t chunk) {
    const int64_t l0 = chunk / panels * step, panel = chunk % panels, depth = least(step, g.k - l0);
    pack_panel(g, l0, depth, panel * panel_width<T>, packed + panel_offset(g, l0, panel));
  });
}

template <class T>
void multiply_rows(const Gemm<T>& g, const T* packed, int64_t begin, int64_t end) {
  const RowBlocks blocks({begin, end}, packs_a(g, end - begin, panel_count(g)));
  multiply_blocks<T>(g, packed, nullptr, blocks, blocks.all(), {0, panel_count(g)});
}

template <class T>
void gemm(const Gemm<T>& g, T* workspace) {
  if (g.m == 0 || g.n == 0) return;
  if (g.m <= row_block && g.b_column == 1) return multiply_row_block(g, workspace);
  const int64_t panels = panel_count(g);
  T* packed = workspace;
  T* slivers = nullptr;
  if (packs_a(g, g.m, panels)) {
    slivers = workspace + packed_size<T>(g.n, g.k);
    pack_a(g, slivers);
  }
  if (g.m <= 256 && panels >= 4) return multiply_few_rows(g, slivers, packed);
  pack_b(g, packed);
  // pieces of C of about 84 x 256: the rows of A stay in the L2 cache while a panel of B is in L1; narrow results are
  // cut finer, to have pieces for every thread
  const RowBlocks blocks({0, g.m}, slivers != nullptr);
  const int64_t piece_rows = panels >= 4 ? 84 : 28;
  constexpr int64_t piece_panels = 256 / panel_width<T>;
  const int64_t row_pieces = divide_up(blocks.count, piece_rows / row_block);
  const int64_t panel_pieces = divide_up(panels, piece_panels);
  const double ns = product_ns<T>(least(g.m, piece_rows), least(g.n, piece_panels * panel_width<T>), g.k);
  parallel_for(row_pieces * panel_pieces, ns, [&](int64_t piece) {
    const int64_t r = piece / panel_pieces, p = piece % panel_pieces;
    multiply_blocks(g, packed, slivers, blocks, {blocks.count * r / row_pieces, blocks.count * (r + 1) / row_pieces},
                    {panels * p / panel_pieces, panels * (p + 1) / panel_pieces});
  });
}

template void pack_b<float>(const Gemm<float>&, float*);
template void pack_b<double>(const Gemm<double>&, double*);
template void multiply_rows<float>(const Gemm<float>&, const float*, int64_t, int64_t);
template void multiply_rows<double>(const Gemm<double>&, const double*, int64_t, int64_t);
template void gemm<float>(const Gemm<float>&, float*);
template void gemm<double>(const Gemm<double>&, double*);

}  // namespace ph::PH_LEVEL
