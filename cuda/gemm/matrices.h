// Products of matrices, many of them at once: c = activation(a b + bias) for every matrix of c, the leading axes of a
// and b being broadcast. One launch: a block for each tile of c, part of the depth and matrix.
#pragma once
#include "cuda/gemm/fitting.h"
#include "cuda/gemm/variants.h"
#include "cuda/strides.h"

namespace ph::cuda {

inline Shape leading_axes(const Shape& matrices) {
  Shape axes;
  for (int i = 0; i < matrices.rank() - 2; ++i) axes.push_back(matrices[i]);
  return axes;
}

// Of the result; the rule has found that the axes broadcast.
inline Shape leading_axes(const Shape& a, const Shape& b) {
  const int ra = a.rank() - 2, rb = b.rank() - 2, rank = ra > rb ? ra : rb;
  Shape axes;
  for (int i = 0; i < rank; ++i) {
    const int64_t of_a = i < rank - ra ? 1 : a[i - rank + ra], of_b = i < rank - rb ? 1 : b[i - rank + rb];
    axes.push_back(of_a == 1 ? of_b : of_a);
  }
  return axes;
}

// Where the matrix of an operand lies that a matrix of the result uses.
inline Strides matrix_strides(const Shape& operand, const Shape& axes) {
  const int rank = operand.rank();
  Strides strides = broadcast_strides(leading_axes(operand), axes);
  for (int d = 0; d < strides.rank; ++d) strides.stride[d] *= operand[rank - 2] * operand[rank - 1];
  return strides;
}

// The tiles of one matrix in the order they are computed: down columns of a few tiles, band after band, so that the
// blocks at work together share the tiles of a and b that they read.
struct TileGrid {
  static constexpr int down = 8;
  int row_tiles, column_tiles;

  template <class Loop>
  static TileGrid of(const ProductSizes& s) {
    return {static_cast<int>(divide_up(s.m, Loop::rows)), static_cast<int>(divide_up(s.n, Loop::columns))};
  }
  __device__ void find(int tile, int& row_tile, int& column_tile) const {
    const int band = tile / (down * column_tiles), first_row = band * down, rest = row_tiles - first_row;
    const int within = tile - first_row * column_tiles, rows = rest < down ? rest : down;
    row_tile = first_row + within % rows, column_tile = within / rows;
  }
};

template <class A, class B, class Output>
struct Product {
  A a;
  B b;
  Output out;
  Places<> a_matrices, b_matrices;
  TileGrid tiles;
  SplitPlan split;
  int64_t first_matrix, matrices;
};

// At once on a processor. Threads that find single elements keep many places and need the registers.
template <class Loop, class A>
constexpr int blocks_of = A::vector > 1 ? Loop::blocks : 1;

template <class Loop, class A, class B, class Output>
__global__ void __launch_bounds__(Loop::threads, blocks_of<Loop, A>)
    product_kernel(const __grid_constant__ Product<A, B, Output> product) {
  PH_DYNAMIC_SHARED(char, shared);
  int row_tile, column_tile;
  product.tiles.find(static_cast<int>(blockIdx.x), row_tile, column_tile);
  const int part = static_cast<int>(blockIdx.y);
  const int64_t matrix = product.first_matrix + blockIdx.z;

  A a = product.a;
  B b = product.b;
  Output out = product.out;
  a.data += product.a_matrices.offset(matrix);
  b.data += product.b_matrices.offset(matrix);
  out.data += (part * product.matrices + matrix) * out.rows * out.columns;
  const int first = part * product.split.depth, end = first + product.split.depth;
  Loop::multiply(a, b, out, row_tile * Loop::rows, column_tile * Loop::columns, first, end < a.places ? end : a.places,
                 shared);
}

// A launch for as many matrices as a grid has room for, until all are done. `product` has the members of Product's end.
template <class Kernel, class ProductType>
void launch_over_matrices(Kernel kernel, ProductType product, int threads, int shared_bytes) {
  constexpr int64_t most_matrices = 65535;
  if (shared_bytes > 48 << 10) {
    check(cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, shared_bytes),
          "shared memory of a matrix product");
  }
  for (; product.first_matrix < product.matrices; product.first_matrix += most_matrices) {
    const dim3 grid(static_cast<unsigned>(product.tiles.row_tiles * product.tiles.column_tiles),
                    static_cast<unsigned>(product.split.parts),
                    static_cast<unsigned>(least(product.matrices - product.first_matrix, most_matrices)));
    PH_LAUNCH(kernel, grid, threads, shared_bytes, device().stream, product);
  }
}

// launch(to) has a kernel store its sums to `to`: to the result, or where the depth is split to `workspace`, from which
// they are added up.
template <class Stored, class Sum, class Launch>
void store_or_add_parts(const MatrixOutput<Stored, Sum>& out, const ProductSizes& s, const SplitPlan& split,
                        void* workspace, Launch launch) {
  if (split.parts == 1) return launch(out);
  Sum* parts = static_cast<Sum*>(workspace);
  launch(MatrixOutput<Sum, Sum>{parts, nullptr, out.rows, out.columns, Activation::none, out.columns % 4 == 0});
  add_parts<Stored, Sum>(parts, split.parts, s.batches * s.m * s.n, out);
}

template <class Stored, class Sum>
MatrixOutput<Stored, Sum> matmul_output(const KernelCall& call, const MatmulAttrs& attrs, const ProductSizes& s) {
  return {call.out[0].as<Stored>(), call.in.size() > 2 ? call.in[2].as<const Stored>() : nullptr,
          static_cast<int>(s.m),    static_cast<int>(s.n),
          attrs.activation,         s.n % 4 == 0 && is_aligned(call.out[0].data)};
}

// By this main loop, whose sums are of type Sum. Parts of the depth are added in `workspace`.
template <class Loop, class Stored, class Sum, bool transpose_a, bool transpose_b, int vector>
void multiply_laid_out(const View& a, const View& b, const MatrixOutput<Stored, Sum>& out, const ProductSizes& s,
                       const SplitPlan& split, void* workspace) {
  using A = MatrixOperand<Stored, !transpose_a, vector>;
  using B = MatrixOperand<Stored, transpose_b, vector>;
  const int m = static_cast<int>(s.m), n = static_cast<int>(s.n), k = static_cast<int>(s.k);
  const Shape axes = leading_axes(a.shape, b.shape);
  store_or_add_parts(out, s, split, workspace, [&]<class Result>(const MatrixOutput<Result, Sum>& to) {
    using Call = Product<A, B, MatrixOutput<Result, Sum>>;
    launch_over_matrices(product_kernel<Loop, A, B, MatrixOutput<Result, Sum>>,
                         Call{{a.as<const Stored>(), m, k, transpose_a ? m : k},
                              {b.as<const Stored>(), n, k, transpose_b ? k : n},
                              to,
                              matrix_strides(a.shape, axes),
                              matrix_strides(b.shape, axes),
                              TileGrid::of<Loop>(s),
                              split,
                              0,
                              s.batches},
                         Loop::threads, Loop::shared_bytes);
  });
}

// Of the workspace.
template <class Loop, class Sum>
size_t parts_bytes(const ProductSizes& s) {
  const SplitPlan split = split_for<Loop>(s);
  return split.parts == 1 ? 0 : static_cast<size_t>(split.parts * s.batches * s.m * s.n) * sizeof(Sum);
}

// Whether rows of a and b can be read `vector` elements at a time.
template <class Stored, int vector>
bool has_vectors(const View& a, const View& b, const ProductSizes& s, const MatmulAttrs& attrs) {
  const int64_t a_row = attrs.transpose_a ? s.m : s.k, b_row = attrs.transpose_b ? s.k : s.n;
  return a_row % vector == 0 && b_row % vector == 0 && is_aligned(a.data) && is_aligned(b.data);
}

// By Loop, 16 bytes of memory at a time, where rows are multiples of that; else by Ragged, element by element. The
// split is Loop's in both cases.
template <class Loop, class Ragged, class Stored, class Sum>
void multiply_matrices(const KernelCall& call, const MatmulAttrs& attrs, const ProductSizes& s) {
  const View &a = call.in[0], &b = call.in[1];
  const auto out = matmul_output<Stored, Sum>(call, attrs, s);
  const SplitPlan split = split_for<Loop>(s);
  constexpr int vector = per_16_bytes<Stored>;
  const bool vectors = has_vectors<Stored, vector>(a, b, s, attrs);
  const auto with = [&]<bool transpose_a, bool transpose_b>() {
    if (vectors) {
      multiply_laid_out<Loop, Stored, Sum, transpose_a, transpose_b, vector>(a, b, out, s, split, call.workspace);
    } else {
      multiply_laid_out<Ragged, Stored, Sum, transpose_a, transpose_b, 1>(a, b, out, s, split, call.workspace);
    }
  };
  if (attrs.transpose_a) {
    return attrs.transpose_b ? with.template operator()<true, true>() : with.template operator()<true, false>();
  }
  attrs.transpose_b ? with.template operator()<false, true>() : with.template operator()<false, false>();
}

}  // namespace ph::cuda
