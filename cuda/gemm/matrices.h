// Products of matrices, many of them at once: c = activation(a b + bias) for every matrix of c, the leading axes of a
// and b being broadcast. One launch: a block for each tile of c, part of the depth and matrix.
#pragma once
#include "cuda/gemm/operand.h"
#include "cuda/gemm/output.h"
#include "cuda/gemm/split.h"
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

template <class A, class B, class Output>
struct Product {
  A a;
  B b;
  Output out;
  Strides a_matrices, b_matrices;
  int row_tiles, column_tiles;
  SplitPlan split;
  int64_t first_matrix, matrices;
};

// Tiles in the order they are computed: down columns of this many, so that the blocks at work together share the tiles
// of a and b that they read.
constexpr int tiles_down = 8;

// At once on a processor. Threads that find single elements keep many places and need the registers.
template <class Loop, class A>
constexpr int blocks_of = A::vector > 1 ? Loop::blocks : 1;

template <class Loop, class A, class B, class Output>
__global__ void __launch_bounds__(Loop::threads, blocks_of<Loop, A>)
    product_kernel(const __grid_constant__ Product<A, B, Output> product) {
  PH_DYNAMIC_SHARED(char, shared);
  const int tile = static_cast<int>(blockIdx.x), part = static_cast<int>(blockIdx.y);
  const int band = tile / (tiles_down * product.column_tiles), first_row = band * tiles_down;
  const int rest = product.row_tiles - first_row, down = rest < tiles_down ? rest : tiles_down;
  const int within = tile - first_row * product.column_tiles;
  const int64_t matrix = product.first_matrix + blockIdx.z;

  A a = product.a;
  B b = product.b;
  Output out = product.out;
  a.data += product.a_matrices.offset(matrix);
  b.data += product.b_matrices.offset(matrix);
  out.data += (part * product.matrices + matrix) * out.rows * out.columns;
  const int first = part * product.split.depth, end = first + product.split.depth;
  Loop::multiply(a, b, out, (first_row + within % down) * Loop::rows, within / down * Loop::columns, first,
                 end < a.places ? end : a.places, shared);
}

template <class Loop, class A, class B, class Output>
void launch_product(Product<A, B, Output> product) {
  const auto kernel = product_kernel<Loop, A, B, Output>;
  constexpr int64_t most_matrices = 65535;  // of a grid
  if constexpr (Loop::shared_bytes > 48 << 10) {
    check(cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, Loop::shared_bytes),
          "shared memory of a matrix product");
  }
  for (; product.first_matrix < product.matrices; product.first_matrix += most_matrices) {
    const dim3 grid(static_cast<unsigned>(product.row_tiles * product.column_tiles),
                    static_cast<unsigned>(product.split.parts),
                    static_cast<unsigned>(least(product.matrices - product.first_matrix, most_matrices)));
    PH_LAUNCH(kernel, grid, Loop::threads, Loop::shared_bytes, device().stream, product);
  }
}

// By this main loop, whose sums are of type Sum. Parts of the depth are added in `workspace`.
template <class Loop, class Stored, class Sum, bool transpose_a, bool transpose_b, int vector>
void multiply_laid_out(const View& a, const View& b, const MatrixOutput<Stored, Sum>& out, const MatmulSizes& s,
                       const SplitPlan& split, void* workspace) {
  using A = MatrixOperand<Stored, !transpose_a, vector>;
  using B = MatrixOperand<Stored, transpose_b, vector>;
  const int m = static_cast<int>(s.m), n = static_cast<int>(s.n), k = static_cast<int>(s.k);
  const Shape axes = leading_axes(a.shape, b.shape);
  const auto launch = [&]<class Result>(const MatrixOutput<Result, Sum>& to) {
    launch_product<Loop>(Product<A, B, MatrixOutput<Result, Sum>>{
        {a.as<const Stored>(), m, k, transpose_a ? m : k},
        {b.as<const Stored>(), n, k, transpose_b ? k : n},
        to,
        matrix_strides(a.shape, axes),
        matrix_strides(b.shape, axes),
        static_cast<int>(divide_up(m, Loop::rows)),
        static_cast<int>(divide_up(n, Loop::columns)),
        split,
        0,
        s.batches,
    });
  };
  if (split.parts == 1) return launch(out);
  Sum* parts = static_cast<Sum*>(workspace);
  launch(MatrixOutput<Sum, Sum>{parts, nullptr, m, n, Activation::none, n % 4 == 0});
  const int64_t count = s.batches * s.m * s.n;
  PH_LAUNCH((add_parts_kernel<Stored, Sum>), blocks_for(count, 256), 256, 0, device().stream,
            static_cast<const Sum*>(parts), split.parts, count, out);
}

template <class Loop>
SplitPlan split_for(const MatmulSizes& s) {
  return plan_split(s.tiles(Loop::rows, Loop::columns), s.k);
}

// Whether rows of a and b can be read `vector` elements at a time.
template <class Stored, int vector>
bool has_vectors(const View& a, const View& b, const MatmulSizes& s, const MatmulAttrs& attrs) {
  const int64_t a_row = attrs.transpose_a ? s.m : s.k, b_row = attrs.transpose_b ? s.k : s.n;
  return a_row % vector == 0 && b_row % vector == 0 && is_aligned(a.data) && is_aligned(b.data);
}

// By Loop, 16 bytes of memory at a time, where rows are multiples of that; else by Ragged, element by element. The
// split is Loop's in both cases.
template <class Loop, class Ragged, class Stored, class Sum>
void multiply_matrices(const KernelCall& call, const MatmulAttrs& attrs, const MatmulSizes& s) {
  const View &a = call.in[0], &b = call.in[1], &c = call.out[0];
  const Stored* bias = call.in.size() > 2 ? call.in[2].as<const Stored>() : nullptr;
  const MatrixOutput<Stored, Sum> out{c.as<Stored>(),        bias,
                                      static_cast<int>(s.m), static_cast<int>(s.n),
                                      attrs.activation,      s.n % 4 == 0 && is_aligned(c.data)};
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
