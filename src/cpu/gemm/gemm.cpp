#include "cpu/gemm/gemm.h"

#include "core/thread_pool.h"
#include "cpu/gemm/micro.h"

namespace ph::PH_LEVEL {

namespace {

PH_INLINE int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }

// One panel: rows [l0, l0 + depth) and columns [j0, j0 + width) of B.
template <class T>
void pack_panel(const Gemm<T>& g, int64_t l0, int64_t depth, int64_t j0, T* to) {
  constexpr int64_t w = panel_width<T>;
  const int64_t width = least(w, g.n - j0);
  const T* from = g.b + l0 * g.b_row + j0 * g.b_column;
  if (g.b_column == 1) {
    for (int64_t l = 0; l < depth; ++l) {
      for (int64_t j = 0; j < width; ++j) to[l * w + j] = from[l * g.b_row + j];
      for (int64_t j = width; j < w; ++j) to[l * w + j] = 0;
    }
    return;
  }
  // columns of B are contiguous: walk them in squares, so that both sides stay in the cache
  constexpr int64_t square = 16;
  for (int64_t l1 = 0; l1 < depth; l1 += square) {
    const int64_t end = least(l1 + square, depth);
    for (int64_t j = 0; j < width; ++j) {
      for (int64_t l = l1; l < end; ++l) to[l * w + j] = from[j * g.b_column + l];
    }
    for (int64_t l = l1; l < end; ++l) {
      for (int64_t j = width; j < w; ++j) to[l * w + j] = 0;
    }
  }
}

template <class T>
PH_INLINE int64_t panel_count(const Gemm<T>& g) {
  return (g.n + panel_width<T> - 1) / panel_width<T>;
}

// The panel of packed B for the depth block that starts at l0.
template <class T>
PH_INLINE int64_t panel_offset(const Gemm<T>& g, int64_t l0, int64_t depth, int64_t panel) {
  return l0 * panel_count(g) * panel_width<T> + panel * depth * panel_width<T>;
}

template <class T>
void multiply_block(const Gemm<T>& g, const T* packed, int64_t row_begin, int64_t row_end, int64_t panel_begin,
                    int64_t panel_end) {
  constexpr int64_t w = panel_width<T>;
  const bool contiguous = g.a_column == 1;
  // nearly equal blocks rather than full ones and a small rest
  const int64_t rows = row_end - row_begin, blocks = (rows + row_block - 1) / row_block;
  for (int64_t l0 = 0; l0 < g.k || l0 == 0; l0 += depth_block) {
    const int64_t depth = least(depth_block, g.k - l0);
    const bool last = l0 + depth >= g.k;
    for (int64_t panel = panel_begin; panel < panel_end; ++panel) {
      const int64_t j = panel * w;
      const int columns = static_cast<int>(least(w, g.n - j));
      for (int64_t block = 0; block < blocks; ++block) {
        const int64_t i0 = row_begin + rows * block / blocks, i1 = row_begin + rows * (block + 1) / blocks;
        const Tile<T> tile{depth,
                           g.a + i0 * g.a_row + l0 * g.a_column,
                           g.a_row,
                           g.a_column,
                           packed + panel_offset(g, l0, depth, panel),
                           g.c + i0 * g.c_row + j,
                           g.c_row,
                           columns,
                           g.accumulate || l0 > 0,
                           last && g.bias ? g.bias + j : nullptr,
                           last && g.activation == Activation::relu};
        choose_micro_kernel<T>(static_cast<int>(i1 - i0), columns, contiguous)(tile);
      }
    }
  }
}

}  // namespace

template <class T>
void pack_b(const Gemm<T>& g, T* packed) {
  const int64_t panels = panel_count(g), blocks = (g.k + depth_block - 1) / depth_block;
  const double ns = 0.3 * static_cast<double>(panel_width<T> * least(g.k, depth_block));
  parallel_for(panels * blocks, ns, [&](int64_t chunk) {
    const int64_t l0 = chunk / panels * depth_block, panel = chunk % panels, depth = least(depth_block, g.k - l0);
    pack_panel(g, l0, depth, panel * panel_width<T>, packed + panel_offset(g, l0, depth, panel));
  });
}

template <class T>
void multiply_rows(const Gemm<T>& g, const T* packed, int64_t begin, int64_t end) {
  multiply_block(g, packed, begin, end, 0, panel_count(g));
}

template <class T>
void gemm(const Gemm<T>& g, T* packed) {
  if (g.m == 0 || g.n == 0) return;
  pack_b(g, packed);
  // pieces of C of about 84 x 256: the rows of A stay in the L2 cache while a panel of B is in L1
  constexpr int64_t rows = 6 * row_block, panels = 8;
  const int64_t row_pieces = (g.m + rows - 1) / rows, panel_pieces = (panel_count(g) + panels - 1) / panels;
  const double ns = 0.02 * static_cast<double>(g.k) * static_cast<double>(least(g.m, rows)) *
                    static_cast<double>(least(g.n, panels * panel_width<T>));
  parallel_for(row_pieces * panel_pieces, ns, [&](int64_t piece) {
    const int64_t r = piece / panel_pieces, p = piece % panel_pieces;
    multiply_block(g, packed, g.m * r / row_pieces, g.m * (r + 1) / row_pieces, panel_count(g) * p / panel_pieces,
                   panel_count(g) * (p + 1) / panel_pieces);
  });
}

template void pack_b<float>(const Gemm<float>&, float*);
template void pack_b<double>(const Gemm<double>&, double*);
template void multiply_rows<float>(const Gemm<float>&, const float*, int64_t, int64_t);
template void multiply_rows<double>(const Gemm<double>&, const double*, int64_t, int64_t);
template void gemm<float>(const Gemm<float>&, float*);
template void gemm<double>(const Gemm<double>&, double*);

}  // namespace ph::PH_LEVEL
