// The three passes as products of matrices (operands.h) by any main loop of cuda/gemm: a block for each tile of the
// result, part of the depth, group and class of pixels. Sums are float32. Long depths are split and added in order
// (gemm/split.h), with the bias and activation in the addition. Included by the files that make variants.
#pragma once
#include "cuda/conv/conv_pass.h"
#include "cuda/conv/operands.h"
#include "cuda/conv/variants.h"

namespace ph::cuda {

// Where sums go: rows are pixels of a class (gather.h), or taps and channels that follow one another.
template <class Stored>
struct ConvOutput {
  PixelSums<Stored> sums;
  int rows;
  const Gather& g;
  const GatherAxis &row_axis, &column_axis;
  bool of_class;  // one of several

  template <int count>
  __device__ void store(int row, int column, const float (&values)[count]) const {
    if (row < rows) sums.store(place(row), column, values);
  }

 private:
  __device__ int64_t place(int row) const {
    if (!of_class) return row;
    const int results = row_axis.results * column_axis.results, pixel = row % results;
    return g.place(row / results, row_axis, pixel / column_axis.results, column_axis, pixel % column_axis.results);
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

// At once on a processor. Threads that find single elements keep many places and need the registers; so do those of
// the gradient of x where the main loop (of multiply-adds) leaves few.
template <class Loop, int vector, bool turned>
constexpr int conv_blocks_of = vector == 1                        ? 1
                               : turned&& Loop::shared_bytes == 0 ? Loop::blocks - 1
                                                                  : Loop::blocks;

// Forward: left is x, right the kernel as it lies. Turned, for the gradient of x: left is dy.
template <class Loop, int vector, bool turned, class Stored>
__global__ void __launch_bounds__(Loop::threads, conv_blocks_of<Loop, vector, turned>)
    gather_product_kernel(const __grid_constant__ ConvPass<Stored> pass) {
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
  const bool of_class = turned && g.row_classes * g.column_classes > 1;
  const ConvOutput<Stored> out{pass.sums(group, results), pixels, g, rows, columns, of_class};
  if constexpr (turned) {
    const TurnedKernelOperand<Stored, vector> b(pass.right + group * sources, rows, columns, taps, g.kernel_columns,
                                                results, g.source_channels);
    Loop::multiply(a, b, out, tile.row, tile.column, tile.first, tile.end, shared);
  } else {
    const MatrixOperand<Stored, false, vector> b{pass.right + group * results, results, taps.size(), g.result_channels};
    Loop::multiply(a, b, out, tile.row, tile.column, tile.first, tile.end, shared);
  }
}

// Gradient of the kernel: left is x, right dy; g is the forward pass.
template <class Loop, int vector, class Stored>
__global__ void __launch_bounds__(Loop::threads, conv_blocks_of<Loop, vector, false>)
    kernel_grad_product_kernel(const __grid_constant__ ConvPass<Stored> pass) {
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
  const ConvOutput<Stored> out{pass.sums(group, filters), rows.taps * columns.taps * channels, g, rows, columns, false};
  Loop::multiply(a, b, out, tile.row, tile.column, tile.first, tile.end, shared);
}

template <Pass which, class Loop, int vector, class Stored>
void launch_pass(const ConvPass<Stored>& pass, const ProductSizes& s) {
  constexpr auto kernel = [] {
    if constexpr (which == Pass::kernel_grad) {
      return kernel_grad_product_kernel<Loop, vector, Stored>;
    } else {
      return gather_product_kernel<Loop, vector, which == Pass::input_grad, Stored>;
    }
  }();
  if constexpr (Loop::shared_bytes > 48 << 10) {
    check(cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, Loop::shared_bytes),
          "shared memory of a convolution");
  }
  const dim3 grid(static_cast<unsigned>(s.tiles(Loop::rows, Loop::columns) / s.batches),
                  static_cast<unsigned>(pass.split.parts), static_cast<unsigned>(s.batches));
  PH_LAUNCH(kernel, grid, Loop::threads, Loop::shared_bytes, device().stream, pass);
}

// By Loop, 16 bytes of memory at a time where channels and addresses admit it, else by Ragged, element by element. The
// split is Loop's in both cases.
template <Pass which, class Loop, class Ragged, class Stored>
void run_pass(const ConvGeometry& g, const ProductSizes& s, const KernelCall& call, Activation activation) {
  constexpr int vector = per_16_bytes<Stored>;
  const bool vectors = g.group_channels() % vector == 0 && g.group_filters() % vector == 0 &&
                       is_aligned(call.in[0].data) && is_aligned(call.in[1].data);
  run_in_parts<which, Stored>(
      g, split_for<Loop>(s), call, call.workspace, activation, [&](const ConvPass<Stored>& pass) {
        vectors ? launch_pass<which, Loop, vector>(pass, s) : launch_pass<which, Ragged, 1>(pass, s);
      });
}

template <Pass pass, class Stored, class... TilesInOrder>
void ProductVariant<pass, Stored, TilesInOrder...>::run(const KernelCall& call, const ConvAttrs& a) {
  if (call.out[0].size() == 0) return;
  const ConvGeometry g = geometry_of(pass, call, a);
  const ProductSizes s = product_sizes(pass, g);
  with_fitting<TilesInOrder...>(s, [&](auto tiles) {
    run_pass<pass, typename decltype(tiles)::Loop, typename decltype(tiles)::Ragged, Stored>(g, s, call, a.activation);
  });
}

template <Pass pass, class Stored, class... TilesInOrder>
size_t ProductVariant<pass, Stored, TilesInOrder...>::workspace(SpecSpan in, const ConvAttrs& a) {
  const ConvGeometry g = geometry_of(pass, in, a);
  const ProductSizes s = product_sizes(pass, g);
  return with_fitting<TilesInOrder...>(
      s, [&](auto tiles) { return parts_bytes<typename decltype(tiles)::Loop>(s, result_size(pass, g)); });
}

// Makes a variant of each pass.
#define PH_CONV_VARIANT(...)                                     \
  template struct ProductVariant<Pass::forward, __VA_ARGS__>;    \
  template struct ProductVariant<Pass::input_grad, __VA_ARGS__>; \
  template struct ProductVariant<Pass::kernel_grad, __VA_ARGS__>

}  // namespace ph::cuda
