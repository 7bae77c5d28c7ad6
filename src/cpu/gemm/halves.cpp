#include "cpu/gemm/halves.h"

#include "core/scratch.h"
#include "core/thread_pool.h"
#include "cpu/gemm/pack.h"

namespace ph::PH_LEVEL {

namespace {

PH_INLINE uint16_t* element(const HalfMatrix& matrix, int64_t i, int64_t j) {
  return matrix.data + i * matrix.row + j * matrix.column;
}

PH_INLINE HalfMatrix part(const HalfMatrix& matrix, int64_t i, int64_t j) {
  return {element(matrix, i, j), matrix.dtype, matrix.row, matrix.column};
}

// A block (rows, columns) to float32, dense, in the order in which it lies.
PH_INLINE void widen_block(const HalfMatrix& from, int64_t rows, int64_t columns, float* to) {
  if (from.column == 1) return widen_rows(from, rows, columns, to, columns);
  widen_rows({from.data, from.dtype, from.column, 1}, columns, rows, to, rows);
}

}  // namespace

void widen_rows(const HalfMatrix& from, int64_t rows, int64_t columns, float* to, int64_t to_row) {
  for (int64_t i = 0; i < rows; ++i) load_converted(to + i * to_row, from.data + i * from.row, from.dtype, columns);
}

void narrow_rows(const float* from, int64_t from_row, int64_t rows, int64_t columns, const HalfMatrix& to) {
  for (int64_t i = 0; i < rows; ++i) store_converted(to.data + i * to.row, from + i * from_row, to.dtype, columns);
}

void pack_halves(int64_t n, int64_t k, const HalfMatrix& b, float* packed) {
  constexpr int64_t w = panel_width<float>;
  const int64_t panels = divide_up(n, w), blocks = divide_up(k, depth_of(k));
  parallel_for(panels * blocks, 0.1 * static_cast<double>(w * least(k, depth_block)), [&](int64_t chunk) {
    const int64_t l0 = chunk / panels * depth_of(k), j0 = chunk % panels * w;
    const int64_t depth = least(depth_of(k), k - l0), width = least(w, n - j0);
    alignas(64) float lines[depth_block * w];
    widen_block(part(b, l0, j0), depth, width, lines);
    Gemm<float> panel{};
    panel.n = width, panel.k = depth;
    panel.b = lines;
    panel.b_row = b.column == 1 ? width : 1, panel.b_column = b.column == 1 ? 1 : depth;
    pack_panel(panel, 0, depth, 0, packed + packed_position<float>(n, k, l0, j0));
  });
}

void gemm_halves(const HalfGemm& g, float* packed) {
  if (g.m == 0 || g.n == 0) return;
  pack_halves(g.n, g.k, g.b, packed);
  // pieces of C as gemm's: a block of A is in the L2 cache while it meets the panels of B
  constexpr int64_t piece_rows = 84, piece_columns = 256;
  const int64_t down = divide_up(g.m, piece_rows), across = divide_up(g.n, piece_columns);
  const double ns = 0.03 * static_cast<double>(least(g.m, piece_rows) * least(g.n, piece_columns) * (g.k + 10));
  parallel_for(down * across, ns, [&](int64_t piece) {
    const int64_t i0 = g.m * (piece / across) / down, rows = g.m * (piece / across + 1) / down - i0;
    const int64_t j0 = piece % across * piece_columns, columns = least(piece_columns, g.n - j0);
    float* c = static_cast<float*>(
        thread_scratch(sizeof(float) * static_cast<size_t>(rows * (columns + least(g.k, depth_block)))));
    float* a = c + rows * columns;
    for (int64_t l0 = 0; l0 < g.k || l0 == 0; l0 += depth_of(g.k)) {
      const int64_t depth = least(depth_of(g.k), g.k - l0);
      const bool last = l0 + depth >= g.k;
      widen_block(part(g.a, i0, l0), rows, depth, a);
      Gemm<float> product{};
      product.m = rows, product.n = columns, product.k = depth;
      product.a = a;
      product.a_row = g.a.column == 1 ? depth : 1, product.a_column = g.a.column == 1 ? 1 : rows;
      product.c = c, product.c_row = columns;
      if (l0 > 0) product.addend = c, product.addend_row = columns;
      product.bias = last && g.bias ? g.bias + j0 : nullptr;
      product.activation = last ? g.activation : Activation::none;
      multiply_rows(product, packed + packed_position<float>(g.n, g.k, l0, j0), 0, rows);
    }
    narrow_rows(c, columns, rows, columns, part(g.c, i0, j0));
  });
}

}  // namespace ph::PH_LEVEL
