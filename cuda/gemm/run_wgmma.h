// How a product on Hopper's tensor cores chooses its tiles and is launched.
#pragma once
#include "cuda/gemm/wgmma.h"

namespace ph::cuda {

// body(tile) with the first tiles that are not half empty and fill a device without a split of the depth, else the
// last.
template <int columns, int... others, class Body>
auto with_wgmma_tile(const ProductSizes& s, Body&& body) {
  using Tile = WgmmaTile<columns>;
  if constexpr (sizeof...(others) > 0) {
    constexpr int64_t enough_blocks = 96;
    if (s.n <= columns / 2 || s.tiles(Tile::rows, Tile::columns) < enough_blocks) {
      return with_wgmma_tile<others...>(s, body);
    }
  }
  return body(Tile());
}

template <class Stored>
constexpr ptx::Rounding rounding_of = std::is_same_v<Stored, float> ? ptx::Rounding::tf32 : ptx::Rounding::none;

// An operand as rows of memory, those of all matrices one below another.
struct WgmmaOperand {
  const void* data;
  int64_t rows, columns, row;  // row: elements from one to the next
  Strides matrices;            // in rows

  template <class Stored>
  ptx::TensorMap map(int box_rows, int box_columns) const {
    return ptx::tensor_map(static_cast<const Stored*>(data), {{rows, row, box_rows}, {columns, 1, box_columns}},
                           ptx::Swizzle::bytes128, rounding_of<Stored>);
  }
};

inline Strides in_rows(Strides matrices, int64_t columns) {
  for (int d = 0; d < matrices.rank; ++d) matrices.stride[d] /= columns;
  return matrices;
}

template <class Loop, class Stored, bool a_depth_fast, bool b_depth_fast, class Result>
void multiply_by_wgmma(const WgmmaOperand& a, const WgmmaOperand& b, const MatrixOutput<Result, float>& result,
                       const ProductSizes& s, void* workspace) {
  const SplitPlan split = split_for<Loop>(s);
  store_or_add_parts(result, s, split, workspace, [&]<class Part>(const MatrixOutput<Part, float>& to) {
    using Product = MatrixProduct<a_depth_fast, b_depth_fast, MatrixOutput<Part, float>>;
    launch_over_matrices(wgmma_kernel<Loop, Product>,
                         Product{a.map<Stored>(a_depth_fast ? Loop::rows : 64, Loop::depth),
                                 b.map<Stored>(b_depth_fast ? Loop::columns : 64, Loop::depth), to, a.matrices,
                                 b.matrices, static_cast<int>(s.k), TileGrid::of<Loop>(s), split, 0, s.batches},
                         Loop::threads, Loop::shared_bytes);
  });
}

}  // namespace ph::cuda
