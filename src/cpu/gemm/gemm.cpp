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

// Whether A is better copied than read where it lies. Rows 4 KB apart fall on the same lines of the L1 cache; of a
// transposed A, a block of 6 rows uses less than half of every line it touches, which matters once the lines of the
// other blocks are gone from L1.
template <class T>
PH_INLINE bool packs_a(const Gemm<T>& g, Range rows, Range panels) {
  if (panels.end - panels.begin < 4 || g.k < 32) return false;
  if (g.a_column != 1) return row_block < 8 && g.a_column >= 256;
  return g.a_row * static_cast<int64_t>(sizeof(T)) % 4096 == 0 && rows.end - rows.begin >= 8;
}

// Rows and panels of C for one depth block; `packed` holds these panels.
template <class T>
void multiply_depth(const Gemm<T>& g, const T* packed, int64_t l0, int64_t depth, Range rows, Range panels) {
  constexpr int64_t w = panel_width<T>;
  const bool last = l0 + depth >= g.k;
  // nearly equal blocks rather than full ones and a small rest
  const int64_t height = rows.end - rows.begin, blocks = divide_up(height, row_block);
  const auto multiply_tile = [&](int64_t panel, int64_t i, int count, const T* a, int64_t a_row, int64_t a_column) {
    const int64_t j = panel * w;
    const int columns = static_cast<int>(least(w, g.n - j));
    // the sum so far is in C
    const T* addend = l0 > 0 ? g.c : g.addend;
    const int64_t addend_row = l0 > 0 ? g.c_row : g.addend_row;
    const Tile<T> tile{depth,
                       a,
                       a_row,
                       a_column,
                       packed + (panel - panels.begin) * depth * w,
                       g.c + i * g.c_row + j,
                       g.c_row,
                       columns,
                       addend ? addend + i * addend_row + j : nullptr,
                       addend_row,
                       last && g.bias ? g.bias + j : nullptr,
                       last && g.activation == Activation::relu};
    choose_micro_kernel<T>(count, columns, a_column == 1)(tile);
  };
  const auto block_begin = [&](int64_t block) { return rows.begin + height * block / blocks; };
  if (packs_a(g, rows, panels)) {
    alignas(64) T sliver[sliver_size<T>];
    for (int64_t block = 0; block < blocks; ++block) {
      const int64_t i = block_begin(block);
      const int count = static_cast<int>(block_begin(block + 1) - i);
      pack_rows(g, i, count, l0, depth, sliver);
      for (int64_t panel = panels.begin; panel < panels.end; ++panel) {
        multiply_tile(panel, i, count, sliver, 1, count);
      }
    }
    return;
  }
  for (int64_t panel = panels.begin; panel < panels.end; ++panel) {
    for (int64_t block = 0; block < blocks; ++block) {
      const int64_t i = block_begin(block);
      multiply_tile(panel, i, static_cast<int>(block_begin(block + 1) - i), g.a + i * g.a_row + l0 * g.a_column,
                    g.a_row, g.a_column);
    }
  }
}

template <class T>
void multiply_block(const Gemm<T>& g, const T* packed, Range rows, Range panels) {
  for (int64_t l0 = 0; l0 < g.k || l0 == 0; l0 += depth_block) {
    const int64_t depth = least(depth_block, g.k - l0);
    multiply_depth(g, packed + panel_offset(g, l0, panels.begin), l0, depth, rows, panels);
  }
}

// Nanoseconds of a product of these sizes, roughly.
template <class T>
PH_INLINE double product_ns(int64_t m, int64_t n, int64_t k) {
  const int64_t columns = (n + lanes<T> - 1) / lanes<T> * lanes<T>;
  return 5e-3 * static_cast<double>(sizeof(T)) * static_cast<double>(m * columns) * static_cast<double>(k);
}

// Few rows: each panel of B is packed by the thread that multiplies it, just before.
template <class T>
void multiply_few_rows(const Gemm<T>& g, T* packed) {
  constexpr int64_t w = panel_width<T>;
  const int64_t panels = panel_count(g);
  const double ns = product_ns<T>(g.m, w, g.k);
  // panels of a chunk: about 20 microseconds of work, but a few where each chunk brings all of A into the cache anew
  constexpr int64_t large = 256 << 10, few = 4;
  const int64_t a_bytes = g.m * g.k * static_cast<int64_t>(sizeof(T));
  const int64_t together = most(a_bytes > large ? few : 1, static_cast<int64_t>(20000 / (ns + 1)) + 1);
  const int64_t chunks = divide_up(panels, together);
  parallel_for(chunks, ns * static_cast<double>(together), [&](int64_t chunk) {
    const Range own{panels * chunk / chunks, panels * (chunk + 1) / chunks};
    T* to = packed + own.begin * least(g.k, depth_block) * w;
    for (int64_t l0 = 0; l0 < g.k || l0 == 0; l0 += depth_block) {
      const int64_t depth = least(depth_block, g.k - l0);
      pack_panels(g, l0, depth, own.begin * w, own.end - own.begin, to);
      multiply_depth(g, to, l0, depth, {0, g.m}, own);
    }
  });
}

}  // namespace

template <class T>
void pack_b(const Gemm<T>& g, T* packed) {
  const int64_t panels = panel_count(g), blocks = divide_up(g.k, depth_block);
  const double ns = 0.05 * static_cast<double>(panel_width<T> * least(g.k, depth_block));
  parallel_for(panels * blocks, ns, [&](int64_t chunk) {
    const int64_t l0 = chunk / panels * depth_block, panel = chunk % panels, depth = least(depth_block, g.k - l0);
    pack_panel(g, l0, depth, panel * panel_width<T>, packed + panel_offset(g, l0, panel));
  });
}

template <class T>
void multiply_rows(const Gemm<T>& g, const T* packed, int64_t begin, int64_t end) {
  multiply_block(g, packed, {begin, end}, {0, panel_count(g)});
}

template <class T>
void gemm(const Gemm<T>& g, T* packed) {
  if (g.m == 0 || g.n == 0) return;
  const int64_t panels = panel_count(g);
  if (g.m <= 256 && panels >= 4) return multiply_few_rows(g, packed);
  pack_b(g, packed);
  // pieces of C of about 84 x 256: the rows of A stay in the L2 cache while a panel of B is in L1; narrow results are
  // cut finer, to have pieces for every thread
  const int64_t piece_rows = panels >= 4 ? 84 : 28;
  constexpr int64_t piece_panels = 256 / panel_width<T>;
  const int64_t row_pieces = divide_up(g.m, piece_rows);
  const int64_t panel_pieces = divide_up(panels, piece_panels);
  const double ns = product_ns<T>(least(g.m, piece_rows), least(g.n, piece_panels * panel_width<T>), g.k);
  parallel_for(row_pieces * panel_pieces, ns, [&](int64_t piece) {
    const int64_t r = piece / panel_pieces, p = piece % panel_pieces;
    multiply_block(g, packed, {g.m * r / row_pieces, g.m * (r + 1) / row_pieces},
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
