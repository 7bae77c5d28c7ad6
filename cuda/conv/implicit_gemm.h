// The three passes as products of matrices (operands.h) by any main loop of cuda/gemm: a block for each tile of the
// result, part of the depth, group and class of pixels. Sums are of the main loop's type. Long depths are split and
// added in order (gemm/split.h), with the bias and activation in the addition.
#pragma once
#include "cuda/conv/operands.h"
#include "cuda/conv/passes.h"
#include "cuda/gemm/output.h"
#include "cuda/gemm/split.h"

namespace ph::cuda {

// Rows of a group's channels, `stride` elements apart.
template <class Stored, class Sum>
struct RowsOutput {
  MatrixOutput<Stored, Sum> first;  // the first row, as a matrix
  int rows, stride;

  template <int count>
  __device__ void store(int row, int column, const Sum (&sums)[count]) const {
    if (row < rows) store_at(row, column, sums);
  }
  template <int count>
  __device__ void store_at(int64_t place, int column, const Sum (&sums)[count]) const {
    MatrixOutput<Stored, Sum> to = first;
    to.data += place * stride;
    to.store(0, column, sums);
  }
};

// The same where rows are the pixels of one class of the gradient of x.
template <class Stored, class Sum>
struct ClassOutput {
  RowsOutput<Stored, Sum> pixels;
  const Gather& g;
  const GatherAxis &rows, &columns;

  template <int count>
  __device__ void store(int row, int column, const Sum (&sums)[count]) const {
    if (row >= pixels.rows) return;
    const int results = rows.results * columns.results, image = row / results, pixel = row % results;
    const int y = rows.result_first + pixel / columns.results * rows.result_step;
    const int x = columns.result_first + pixel % columns.results * columns.result_step;
    pixels.store_at((int64_t{image} * g.result_rows + y) * g.result_columns + x, column, sums);
  }
};

// Which tile a block makes: tiles that read the same pixels follow one another.
struct ConvTile {
  int row, column, first, end;  // of the depth: [first, end)

  __device__ ConvTile(int rows, int columns, int columns_of_all, const SplitPlan& split, int depth) {
    const int across = (columns_of_all + columns - 1) / columns, tile = static_cast<int>(blockIdx.x);
    row = tile / across * rows, column = tile % across * columns;
    first = static_cast<int>(blockIdx.y) * split.depth;
    end = first + split.depth < depth ? first + split.depth : depth;
  }
};

// What all passes hand to their kernel. Result: as stored, or Sum for parts of a split depth.
template <class Stored, class Result>
struct ConvPass {
  Gather g;
  const Stored *left, *right, *bias;
  Result* result;
  int groups;
  Activation activation;
  bool aligned;  // see MatrixOutput
  SplitPlan split;
  int64_t size;  // of the result
};

// Forward: left is x, right the kernel as it lies. Turned, for the gradient of x: left is dy.
template <class Loop, class Sum, int vector, bool turned, class Stored, class Result>
__global__ void __launch_bounds__(Loop::threads)
    gather_product_kernel(const __grid_constant__ ConvPass<Stored, Result> pass) {
  PH_DYNAMIC_SHARED(char, shared);
  const Gather& g = pass.g;
  const int group = static_cast<int>(blockIdx.z) % pass.groups;
  const unsigned index = blockIdx.z / static_cast<unsigned>(pass.groups);
  const GatherAxis &rows = g.rows_of(index), &columns = g.columns_of(index);
  const int sources = g.source_channels / pass.groups, results = g.result_channels / pass.groups;
  const int pixels = g.batch * rows.results * columns.results;
  const TapDepth taps(rows, columns, sources);
  const ConvTile tile(Loop::rows, Loop::columns, results, pass.split, taps.size());
  if (tile.row >= pixels) return;  // of a class with fewer pixels than the first

  const GatherOperand<Stored, vector> a{pass.left + group * sources, rows, columns, taps, g.batch, g.source_channels};
  Result* to = pass.result + static_cast<int64_t>(blockIdx.y) * pass.size + group * results;
  const RowsOutput<Result, Sum> out{
      {to, pass.bias ? pass.bias + group * results : nullptr, 1, results, pass.activation, pass.aligned},
      pixels,
      g.result_channels};
  if constexpr (turned) {
    const TurnedKernelOperand<Stored, vector> b{
        pass.right + group * sources, rows, columns, taps, g.kernel_columns, results, g.source_channels};
    if (g.row_classes * g.column_classes > 1) {
      const ClassOutput<Result, Sum> of_class{out, g, rows, columns};
      return Loop::multiply(a, b, of_class, tile.row, tile.column, tile.first, tile.end, shared);
    }
    Loop::multiply(a, b, out, tile.row, tile.column, tile.first, tile.end, shared);
  } else {
    const MatrixOperand<Stored, false, vector> b{pass.right + group * results, results, taps.size(), g.result_channels};
    Loop::multiply(a, b, out, tile.row, tile.column, tile.first, tile.end, shared);
  }
}

// Gradient of the kernel: left is x, right dy; g is the forward pass.
template <class Loop, class Sum, int vector, class Stored, class Result>
__global__ void __launch_bounds__(Loop::threads)
    kernel_grad_product_kernel(const __grid_constant__ ConvPass<Stored, Result> pass) {
  PH_DYNAMIC_SHARED(char, shared);
  const Gather& g = pass.g;
  const GatherAxis &rows = g.rows[0], &columns = g.columns[0];
  const int group = static_cast<int>(blockIdx.z);
  const int channels = g.source_channels / pass.groups, filters = g.result_channels / pass.groups;
  const int pixels = g.batch * rows.results * columns.results;
  const ConvTile tile(Loop::rows, Loop::columns, filters, pass.split, pixels);
  const PatchOperand<Stored, vector> a{
      pass.left + group * channels, rows, columns, channels, g.batch, g.source_channels};
  const MatrixOperand<Stored, false, vector> b{pass.right + group * filters, filters, pixels, g.result_channels};
  Result* to = pass.result + static_cast<int64_t>(blockIdx.y) * pass.size + group * filters;
  const RowsOutput<Result, Sum> out{{to, nullptr, 1, filters, Activation::none, pass.aligned},
                                    rows.taps * columns.taps * channels,
                                    g.result_channels};
  Loop::multiply(a, b, out, tile.row, tile.column, tile.first, tile.end, shared);
}

// A pass as a product: of each of `products` (groups and classes of pixels, the largest of them).
struct ProductSizes {
  int64_t rows, columns, depth, products;

  int64_t tiles(int tile_rows, int tile_columns) const {
    return divide_up(rows, tile_rows) * divide_up(columns, tile_columns) * products;
  }
};

inline ProductSizes product_sizes(Pass pass, const ConvGeometry& g) {
  switch (pass) {
    case Pass::forward:
      return {g.batch * g.pixels(), g.group_filters(), g.depth(), g.groups};
    case Pass::input_grad: {
      const int64_t height = divide_up(g.rows.in, g.rows.stride), width = divide_up(g.columns.in, g.columns.stride);
      int64_t row_taps = 0, column_taps = 0;
      for (int i = 0; i < g.rows.stride; ++i) row_taps = most(row_taps, input_grad_axis(g.rows, i).taps);
      for (int i = 0; i < g.columns.stride; ++i) column_taps = most(column_taps, input_grad_axis(g.columns, i).taps);
      return {g.batch * height * width, g.group_channels(), row_taps * column_taps * g.group_filters(),
              g.groups * g.rows.stride * g.columns.stride};
    }
    default:
      return {g.depth(), g.group_filters(), g.batch * g.pixels(), g.groups};
  }
}

template <class Loop>
SplitPlan plan_split(const ProductSizes& s) {
  return plan_split(s.tiles(Loop::rows, Loop::columns), s.depth);
}

// Room for the parts of a result of `size` elements.
template <class Loop, class Sum>
size_t product_workspace(const ProductSizes& s, int64_t size) {
  const SplitPlan split = plan_split<Loop>(s);
  return split.parts == 1 ? 0 : static_cast<size_t>(split.parts * size) * sizeof(Sum);
}

template <Pass which, class Loop, class Sum, int vector, class Stored, class Result>
void launch_pass(const ConvPass<Stored, Result>& pass, const ProductSizes& s) {
  constexpr auto kernel = [] {
    if constexpr (which == Pass::kernel_grad) {
      return kernel_grad_product_kernel<Loop, Sum, vector, Stored, Result>;
    } else {
      return gather_product_kernel<Loop, Sum, vector, which == Pass::input_grad, Stored, Result>;
    }
  }();
  if constexpr (Loop::shared_bytes > 48 << 10) {
    check(cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, Loop::shared_bytes),
          "shared memory of a convolution");
  }
  const dim3 grid(static_cast<unsigned>(s.tiles(Loop::rows, Loop::columns) / s.products),
                  static_cast<unsigned>(pass.split.parts), static_cast<unsigned>(s.products));
  PH_LAUNCH(kernel, grid, Loop::threads, Loop::shared_bytes, device().stream, pass);
}

// Runs a pass by this main loop. `vector` elements are loaded at once where channels and addresses admit it.
template <Pass which, class Loop, class Sum, int vector, class Stored>
void run_pass(const ConvGeometry& g, const KernelCall& call, Activation activation) {
  const int64_t size = call.out[0].size();
  if (size == 0) return;
  const View* bias = call.in.size() > 2 ? &call.in[2] : nullptr;
  const ProductSizes s = product_sizes(which, g);
  const SplitPlan split = plan_split<Loop>(s);
  const int64_t row = which == Pass::input_grad ? g.channels : g.filters;
  const bool vectors = g.group_channels() % vector == 0 && g.group_filters() % vector == 0 &&
                       is_aligned(call.in[0].data) && is_aligned(call.in[1].data);
  const bool aligned = row / g.groups % 4 == 0 && is_aligned(call.out[0].data);
  const auto launch = [&](auto* result, const Stored* added, Activation applied) {
    using Result = std::remove_pointer_t<decltype(result)>;
    const ConvPass<Stored, Result> pass{which == Pass::input_grad ? input_grad_gather(g) : forward_gather(g),
                                        call.in[0].as<Stored>(),
                                        call.in[1].as<Stored>(),
                                        added,
                                        result,
                                        static_cast<int>(g.groups),
                                        applied,
                                        aligned,
                                        split,
                                        size};
    if (vectors) return launch_pass<which, Loop, Sum, vector>(pass, s);
    if constexpr (vector > 1) launch_pass<which, Loop, Sum, 1>(pass, s);
  };
  Stored* result = call.out[0].as<Stored>();
  const Stored* added = bias ? bias->as<Stored>() : nullptr;
  if (split.parts == 1) return launch(result, added, activation);
  launch(static_cast<Sum*>(call.workspace), nullptr, Activation::none);
  const MatrixOutput<Stored, Sum> out{result,     added,  static_cast<int>(size / row), static_cast<int>(row),
                                      activation, aligned};
  PH_LAUNCH((add_parts_kernel<Stored, Sum>), blocks_for(size, 256), 256, 0, device().stream,
            static_cast<const Sum*>(call.workspace), split.parts, size, out);
}

// The reason why a pass is refused as a product.
inline const char* refuse_product(Pass pass, const ConvGeometry& g) {
  if (const char* reason = pass == Pass::input_grad ? refuse_classes(g) : refuse_geometry(g)) return reason;
  if (product_sizes(pass, g).products > 65535) return "too many groups for a grid";
  return nullptr;
}

}  // namespace ph::cuda
