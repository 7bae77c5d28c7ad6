// The three passes on Hopper's tensor cores (gemm/wgmma.h) with operands that the copy engine gathers: the pixels under
// a tap are boxes of images, rows and columns (pixel_box.h), moved by the tap and taken in steps of the stride. What
// leaves the images is zero, so that padding costs nothing. One group; float16 and bfloat16, and float32 rounded to
// TF32 on the way, whose forward pass has the kernel turned round before; the gradient of the kernel of 16-bit floats
// only, as both of its operands' memory runs along the lines. Channels and filters are multiples of 16 bytes.
#pragma once
#include "cuda/conv/conv_pass.h"
#include "cuda/conv/pixel_box.h"
#include "cuda/conv/variants.h"
#include "cuda/gemm/rounded_copy.h"
#include "cuda/gemm/run_wgmma.h"

namespace ph::cuda {

// Forward pass and gradient of x: a tile of the result is a box of pixels by some channels.
template <bool kernel_depth_fast, class Stored>
struct BoxedGather {
  ptx::TensorMap source, kernel;  // (images, rows, columns, channels); (taps, lines, depth), or depth before lines
  ConvPass<Stored> pass;
  PixelBox box;
  int column_tiles;

  template <class Loop>
  struct Tile {
    const BoxedGather& conv;
    const GatherAxis &rows, &columns;
    PixelBox::Pixel corner;
    static constexpr int row = 0;  // the output counts from the corner
    int column, steps;
    int row_tap, column_tap, channel;  // of the next step

    __device__ int bytes() const {
      return conv.box.images * conv.box.rows * conv.box.columns * Loop::row_bytes + Loop::b_bytes;
    }
    __device__ void bring(char* to_a, char* to_b, ptx::Mbarrier* full) {
      const int tap = (rows.tap_first + row_tap * rows.tap_step) * conv.pass.g.kernel_columns + columns.tap_first +
                      column_tap * columns.tap_step;
      ptx::copy_box(
          to_a, conv.source,
          {corner.image, rows.source(corner.row, row_tap), columns.source(corner.column, column_tap), channel}, full);
      Loop::template bring_operand<kernel_depth_fast, Loop::columns>(
          to_b, column, channel, [&](char* box, int line, int place) {
            kernel_depth_fast ? ptx::copy_box(box, conv.kernel, {tap, line, place}, full)
                              : ptx::copy_box(box, conv.kernel, {tap, place, line}, full);
          });
      if ((channel += Loop::depth) < conv.pass.g.source_channels) return;
      channel = 0;
      if (++column_tap < columns.taps) return;
      column_tap = 0;
      ++row_tap;
    }
  };

  struct Output {
    PixelSums<Stored> sums;
    const BoxedGather& conv;
    const GatherAxis &rows, &columns;
    PixelBox::Pixel corner;

    template <int count>
    __device__ void store(int row, int column, const float (&values)[count]) const {
      const PixelBox::Pixel at = conv.box.pixel(corner, row);
      const bool behind = at.image >= corner.image + conv.box.images;
      if (behind || at.image >= conv.pass.g.batch || at.row >= rows.results || at.column >= columns.results) return;
      sums.store(conv.pass.g.place(at.image, rows, at.row, columns, at.column), column, values);
    }
  };

  template <class Loop>
  __device__ Tile<Loop> tile() const {
    const Gather& g = pass.g;
    const GatherAxis &rows = g.rows_of(blockIdx.z), &columns = g.columns_of(blockIdx.z);
    const int tile = static_cast<int>(blockIdx.x);
    const int chunks = (g.source_channels + Loop::depth - 1) / Loop::depth, all = rows.taps * columns.taps * chunks;
    const int most = pass.split.depth / Loop::depth, first = static_cast<int>(blockIdx.y) * most, rest = all - first;
    const int tap = first / chunks, across = columns.taps > 0 ? columns.taps : 1;
    return {*this,
            rows,
            columns,
            box.corner(tile / column_tiles),
            tile % column_tiles * Loop::columns,
            rest < 0      ? 0
            : rest < most ? rest
                          : most,
            tap / across,
            tap % across,
            first % chunks * Loop::depth};
  }
  template <class Tile>
  __device__ Output output(const Tile& tile) const {
    return {pass.sums(0, pass.g.result_channels), *this, tile.rows, tile.columns, tile.corner};
  }
};

// Gradient of the kernel: pixels are the depth. A warpgroup has 64 channels of a tap.
template <class Stored>
struct BoxedKernelGrad {
  static constexpr int side = 64;
  ptx::TensorMap x, dy;  // (images, rows, columns, channels or filters)
  ConvPass<Stored> pass;
  PixelBox box;
  int column_tiles;

  __device__ int chunks() const { return (pass.g.source_channels + side - 1) / side; }

  template <class Loop>
  struct Tile {
    const BoxedKernelGrad& conv;
    int row, column, steps;
    PixelBox::Pixel corner;

    __device__ static constexpr int bytes() { return Loop::stage_bytes; }
    __device__ void bring(char* to_a, char* to_b, ptx::Mbarrier* full) {
      const GatherAxis &rows = conv.pass.g.rows[0], &columns = conv.pass.g.columns[0];
      const int chunks = conv.chunks();
      Loop::template bring_operand<false, Loop::rows>(to_a, row, 0, [&](char* to, int line, int) {
        const int tap = line / side / chunks, channel = line / side % chunks * side;
        const bool is_there = tap < rows.taps * columns.taps;
        ptx::copy_box(to, conv.x,
                      {corner.image, rows.source(corner.row, tap / columns.taps),
                       columns.source(corner.column, tap % columns.taps), is_there ? channel : chunks * side},
                      full);
      });
      Loop::template bring_operand<false, Loop::columns>(to_b, column, 0, [&](char* to, int line, int) {
        ptx::copy_box(to, conv.dy, {corner.image, corner.row, corner.column, line}, full);
      });
      conv.box.advance(corner);
    }
  };

  struct Output {
    PixelSums<Stored> sums;
    int chunks, channels, taps;

    template <int count>
    __device__ void store(int row, int column, const float (&values)[count]) const {
      const int tap = row / side / chunks, channel = row / side % chunks * side + row % side;
      if (tap < taps && channel < channels) sums.store(int64_t{tap} * channels + channel, column, values);
    }
  };

  template <class Loop>
  __device__ Tile<Loop> tile() const {
    const int tile = static_cast<int>(blockIdx.x), all = box.image_boxes * box.row_boxes * box.column_boxes;
    const int most = pass.split.depth / Loop::depth, first = static_cast<int>(blockIdx.y) * most, rest = all - first;
    return {*this, tile / column_tiles * Loop::rows, tile % column_tiles * Loop::columns, rest < most ? rest : most,
            box.corner(first)};
  }
  template <class Tile>
  __device__ Output output(const Tile&) const {
    const Gather& g = pass.g;
    return {pass.sums(0, g.result_channels), chunks(), g.source_channels, g.rows[0].taps * g.columns[0].taps};
  }
};

// How a pass falls into boxes, and what it is as products of them.
struct BoxedPlan {
  PixelBox box;
  ProductSizes sizes;  // the depth is a multiple of Loop::depth
};

template <Pass which, class Stored>
BoxedPlan plan_boxes(const ConvGeometry& g) {
  constexpr int tile_pixels = 128, most_reach = 256, depth = 128 / sizeof(Stored);
  const auto images = static_cast<int>(g.batch);
  if constexpr (which == Pass::kernel_grad) {
    const PixelBox box = dividing_boxes(depth, images, static_cast<int>(g.rows.out), static_cast<int>(g.columns.out));
    return {box, {g.taps() * divide_up(g.channels, 64) * 64, g.filters, box.boxes() * depth, 1}};
  } else {
    const bool turned = which == Pass::input_grad;
    const ProductSizes s = product_sizes(which, g);
    const int64_t channels = turned ? g.filters : g.channels,
                  steps = s.k / most(channels, 1) * divide_up(channels, depth);
    const int64_t rows = turned ? divide_up(g.rows.in, g.rows.stride) : g.rows.out;
    const int64_t columns = turned ? divide_up(g.columns.in, g.columns.stride) : g.columns.out;
    const auto reach = [&](const Window& w) { return static_cast<int>(turned ? most_reach : most_reach / w.stride); };
    const PixelBox box = fewest_boxes(tile_pixels, images, static_cast<int>(rows), static_cast<int>(columns),
                                      reach(g.rows), reach(g.columns));
    return {box, {box.boxes() * tile_pixels, s.n, steps * depth, s.batches}};
  }
}

// The maps of pixels and kernels. A box has 128 bytes of channels.
template <class Stored>
ptx::TensorMap pixel_map(const void* data, int64_t images, int64_t rows, int64_t columns, int64_t channels,
                         const PixelBox& box, int64_t row_step, int64_t column_step) {
  return ptx::tensor_map(static_cast<const Stored*>(data),
                         {{images, rows * columns * channels, box.images},
                          {rows, columns * channels, box.rows, static_cast<int>(row_step)},
                          {columns, channels, box.columns, static_cast<int>(column_step)},
                          {channels, 1, 128 / int{sizeof(Stored)}}},
                         ptx::Swizzle::bytes128, rounding_of<Stored>);
}
template <class Stored>
ptx::TensorMap kernel_map(const void* data, int64_t taps, int64_t lines, int64_t row, int box_lines) {
  return ptx::tensor_map(static_cast<const Stored*>(data),
                         {{taps, lines * row, 1}, {lines, row, box_lines}, {row, 1, 128 / int{sizeof(Stored)}}},
                         ptx::Swizzle::bytes128, rounding_of<Stored>);
}

// Of the workspace: the kernel turned round for TF32's forward pass.
template <Pass which, class Stored>
constexpr bool turns_kernel = which == Pass::forward && sizeof(Stored) == 4;
inline size_t turned_bytes(const ConvGeometry& g) {
  return static_cast<size_t>(divide_up(g.taps() * g.filters * g.channels, 64) * 64) * sizeof(float);
}

template <Pass which, class Stored, class Loop>
void run_boxed(const ConvGeometry& g, const BoxedPlan& plan, const KernelCall& call, Activation activation) {
  const auto launch = [&](auto conv) {
    const auto kernel = wgmma_kernel<Loop, decltype(conv)>;
    check(cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, Loop::shared_bytes),
          "shared memory of a convolution");
    const int64_t tiles = plan.sizes.tiles(Loop::rows, Loop::columns) / plan.sizes.batches;
    const dim3 grid(static_cast<unsigned>(tiles), static_cast<unsigned>(conv.pass.split.parts),
                    static_cast<unsigned>(plan.sizes.batches));
    PH_LAUNCH(kernel, grid, Loop::threads, Loop::shared_bytes, device().stream, conv);
  };
  char* workspace = static_cast<char*>(call.workspace);
  const void* kernel = call.in[1].data;
  if constexpr (turns_kernel<which, Stored>) {
    round_operands({static_cast<const float*>(kernel), reinterpret_cast<float*>(workspace), static_cast<int>(g.filters),
                    static_cast<int>(g.channels), static_cast<int>(g.channels), false, g.taps()},
                   {});
    kernel = workspace;
    workspace += turned_bytes(g);
  }
  const int column_tiles = static_cast<int>(divide_up(plan.sizes.n, Loop::columns));
  run_in_parts<which, Stored>(
      g, split_for<Loop>(plan.sizes), call, workspace, activation, [&](const ConvPass<Stored>& pass) {
        const PixelBox& box = plan.box;
        if constexpr (which == Pass::kernel_grad) {
          launch(BoxedKernelGrad<Stored>{
              pixel_map<Stored>(call.in[0].data, g.batch, g.rows.in, g.columns.in, g.channels, box, g.rows.stride,
                                g.columns.stride),
              pixel_map<Stored>(call.in[1].data, g.batch, g.rows.out, g.columns.out, g.filters, box, 1, 1), pass, box,
              column_tiles});
        } else if constexpr (which == Pass::input_grad) {
          launch(BoxedGather<true, Stored>{
              pixel_map<Stored>(call.in[0].data, g.batch, g.rows.out, g.columns.out, g.filters, box, 1, 1),
              kernel_map<Stored>(kernel, g.taps(), g.channels, g.filters, Loop::columns), pass, box, column_tiles});
        } else {
          constexpr bool depth_fast = turns_kernel<which, Stored>;
          launch(BoxedGather<depth_fast, Stored>{
              pixel_map<Stored>(call.in[0].data, g.batch, g.rows.in, g.columns.in, g.channels, box, g.rows.stride,
                                g.columns.stride),
              depth_fast ? kernel_map<Stored>(kernel, g.taps(), g.filters, g.channels, Loop::columns)
                         : kernel_map<Stored>(kernel, g.taps(), g.channels, g.filters, Loop::depth),
              pass, box, column_tiles});
        }
      });
}

template <Pass which, class Stored, int columns>
using BoxedLoop =
    Wgmma<Stored, which != Pass::kernel_grad, which == Pass::input_grad || turns_kernel<which, Stored>, columns>;

template <Pass which, class Stored, int... columns>
void BoxedVariant<which, Stored, columns...>::run(const KernelCall& call, const ConvAttrs& a) {
  if (call.out[0].size() == 0) return;
  const ConvGeometry g = geometry_of(which, call, a);
  const BoxedPlan plan = plan_boxes<which, Stored>(g);
  with_wgmma_tile<columns...>(plan.sizes, [&]<class Tile>(Tile) {
    run_boxed<which, Stored, BoxedLoop<which, Stored, Tile::columns>>(g, plan, call, a.activation);
  });
}

template <Pass which, class Stored, int... columns>
size_t BoxedVariant<which, Stored, columns...>::workspace(SpecSpan in, const ConvAttrs& a) {
  const ConvGeometry g = geometry_of(which, in, a);
  const BoxedPlan plan = plan_boxes<which, Stored>(g);
  const size_t parts = with_wgmma_tile<columns...>(plan.sizes, [&]<class Tile>(Tile) {
    return parts_bytes<BoxedLoop<which, Stored, Tile::columns>>(plan.sizes, result_size(which, g));
  });
  return parts + (turns_kernel<which, Stored> ? turned_bytes(g) : 0);
}

// Makes the variants of a pass: the one that chooses, and single tiles.
#define PH_BOXED_CONV(pass, Stored)                         \
  template struct BoxedVariant<pass, Stored, 256, 128, 64>; \
  template struct BoxedVariant<pass, Stored, 256>;          \
  template struct BoxedVariant<pass, Stored, 128>;          \
  template struct BoxedVariant<pass, Stored, 64>

}  // namespace ph::cuda
