// The three passes on Hopper's tensor cores with operands that the copy engine gathers (boxed_gather.h,
// boxed_kernel_grad.h): what lies in the padding is outside the tensor and comes as zeros. One group; float16 and
// bfloat16, and float32 rounded to TF32 on the way, some operands of which are turned round before. Channels and
// filters are multiples of 16 bytes.
#pragma once
#include "cuda/conv/boxed_gather.h"
#include "cuda/conv/boxed_kernel_grad.h"
#include "cuda/conv/variants.h"
#include "cuda/gemm/operand_copy.h"
#include "cuda/gemm/run_wgmma.h"

namespace ph::cuda {

// How a pass falls into boxes, and what it is as products of them.
struct BoxedPlan {
  PixelBox box;
  ProductSizes sizes;  // the depth is a multiple of Loop::depth
};

template <Pass which, class Stored>
BoxedPlan plan_boxes(const ConvGeometry& g, int row_bytes) {
  constexpr int tile_pixels = 128, most_reach = 256;
  const int depth = row_bytes / int{sizeof(Stored)}, images = static_cast<int>(g.batch);
  if constexpr (which == Pass::kernel_grad) {
    const int rows = static_cast<int>(g.rows.out), columns = static_cast<int>(g.columns.out);
    const PixelBox box = BoxedKernelGrad<Stored>::images_last ? covered_by({depth, 1, 1}, images, rows, columns)
                                                              : dividing_boxes(depth, images, rows, columns);
    return {box, {g.taps() * divide_up(g.channels, 64) * 64, g.filters, box.boxes() * depth, 1}};
  } else {
    const bool turned = which == Pass::input_grad;
    const ProductSizes s = product_sizes(which, g);
    const int64_t channels = turned ? g.filters : g.channels, steps = s.k / channels * divide_up(channels, depth);
    const int64_t rows = turned ? divide_up(g.rows.in, g.rows.stride) : g.rows.out;
    const int64_t columns = turned ? divide_up(g.columns.in, g.columns.stride) : g.columns.out;
    const auto reach = [&](const Window& w) { return static_cast<int>(turned ? most_reach : most_reach / w.stride); };
    const PixelBox box = fewest_boxes(tile_pixels, images, static_cast<int>(rows), static_cast<int>(columns),
                                      reach(g.rows), reach(g.columns));
    return {box, {box.boxes() * tile_pixels, s.n, steps * depth, s.batches}};
  }
}

// What is turned round of float32: the kernel of the forward pass, both operands of the kernel's gradient.
struct TurnedOperands {
  OperandCopy left, right;

  template <Pass which, class Stored>
  static TurnedOperands of(const ConvGeometry& g) {
    const auto size = [](int64_t n) { return static_cast<int>(n); };
    if constexpr (sizeof(Stored) == 4 && which == Pass::forward) {
      return {{}, {g.taps(), size(g.filters), size(g.channels), size(g.channels)}};
    } else if constexpr (sizeof(Stored) == 4 && which == Pass::kernel_grad) {
      const int images = size(g.batch), row = size(divide_up(images, 4) * 4);
      return {{1, size(g.rows.in * g.columns.in * g.channels), images, row},
              {1, size(g.pixels() * g.filters), images, row}};
    }
    return {};
  }
  size_t bytes() const { return left.bytes() + right.bytes(); }
};

template <Pass which, class Stored, class Tile>
struct BoxedPass {
  static constexpr bool turns_kernel = which == Pass::forward && sizeof(Stored) == 4;
  static constexpr bool images_last = which == Pass::kernel_grad && BoxedKernelGrad<Stored>::images_last;
  using Loop = Wgmma<Stored, which != Pass::kernel_grad || images_last,
                     which == Pass::input_grad || turns_kernel || images_last, Tile>;

  // (images, rows, columns, channels), every step-th row and column, or the same with images last.
  static ptx::TensorMap pixels(const void* data, const ConvGeometry& g, const PixelBox& box, bool is_output) {
    const int64_t rows = is_output ? g.rows.out : g.rows.in, columns = is_output ? g.columns.out : g.columns.in;
    const int64_t channels = is_output ? g.filters : g.channels;
    const int row_step = is_output ? 1 : static_cast<int>(g.rows.stride);
    const int column_step = is_output ? 1 : static_cast<int>(g.columns.stride);
    if constexpr (images_last) {
      const int64_t images = divide_up(g.batch, 4) * 4;
      return map(data, {{rows, columns * channels * images, 1},
                        {columns, channels * images, 1},
                        {channels, images, BoxedKernelGrad<Stored>::side},
                        {g.batch, 1, Loop::depth}});
    } else {
      constexpr int box_channels = which == Pass::kernel_grad ? BoxedKernelGrad<Stored>::side : Loop::depth;
      return map(data, {{g.batch, rows * columns * channels, box.images},
                        {rows, columns * channels, box.rows, row_step},
                        {columns, channels, box.columns, column_step},
                        {channels, 1, box_channels}});
    }
  }
  // (taps, lines, depth), or where memory runs along the lines (taps, depth, lines).
  static ptx::TensorMap kernel(const void* data, const ConvGeometry& g) {
    if constexpr (turns_kernel) {
      return map(data, {{g.taps(), g.filters * g.channels, 1},
                        {g.filters, g.channels, Loop::columns},
                        {g.channels, 1, Loop::depth}});
    } else {
      constexpr bool turned = which == Pass::input_grad;
      constexpr int lines = turned ? Loop::columns : Loop::depth, across = turned ? Loop::depth : 64;
      return map(data, {{g.taps(), g.channels * g.filters, 1}, {g.channels, g.filters, lines}, {g.filters, 1, across}});
    }
  }

  static void run(const ConvGeometry& g, const KernelCall& call, Activation activation) {
    const BoxedPlan plan = plan_boxes<which, Stored>(g, Tile::row_bytes);
    const TurnedOperands turned = TurnedOperands::of<which, Stored>(g);
    char* const workspace = static_cast<char*>(call.workspace);
    const OperandCopy left_copy = turned.left.between(call.in[0].data, workspace);
    const OperandCopy right_copy = turned.right.between(call.in[1].data, workspace + left_copy.bytes());
    copy_operands(left_copy, right_copy);
    const void *left = left_copy.result(), *right = right_copy.result();
    const int column_tiles = static_cast<int>(divide_up(plan.sizes.n, Loop::columns));
    run_in_parts<which, Stored>(
        g, split_for<Loop>(plan.sizes), call, workspace + turned.bytes(), activation,
        [&](const ConvPass<Stored>& pass) {
          const PixelBox& box = plan.box;
          if constexpr (which == Pass::kernel_grad) {
            launch(plan, BoxedKernelGrad<Stored>{pixels(left, g, box, false), pixels(right, g, box, true), pass, box,
                                                 column_tiles});
          } else {
            launch(
                plan, BoxedGather < which == Pass::input_grad || turns_kernel,
                Stored > {pixels(left, g, box, which == Pass::input_grad), kernel(right, g), pass, box, column_tiles});
          }
        });
  }

  static size_t workspace(const ConvGeometry& g) {
    return TurnedOperands::of<which, Stored>(g).bytes() +
           parts_bytes<Loop>(plan_boxes<which, Stored>(g, Tile::row_bytes).sizes, result_size(which, g));
  }

 private:
  template <int rank>
  static ptx::TensorMap map(const void* data, const ptx::TensorAxis (&axes)[rank]) {
    const bool is_narrow = axes[rank - 1].box * sizeof(Stored) < 128;
    return ptx::tensor_map(static_cast<const Stored*>(data), axes,
                           is_narrow ? static_cast<ptx::Swizzle>(Loop::row_bytes) : ptx::Swizzle::bytes128,
                           rounding_of<Stored>);
  }
  template <class Product>
  static void launch(const BoxedPlan& plan, const Product& product) {
    const auto kernel = wgmma_kernel<Loop, Product>;
    check(cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, Loop::shared_bytes),
          "shared memory of a convolution");
    const int64_t tiles = plan.sizes.tiles(Loop::rows, Loop::columns) / plan.sizes.batches;
    const dim3 grid(static_cast<unsigned>(tiles), static_cast<unsigned>(product.pass.split.parts),
                    static_cast<unsigned>(plan.sizes.batches));
    PH_LAUNCH(kernel, grid, Loop::threads, Loop::shared_bytes, device().stream, product);
  }
};

// Whether tiles suit a pass: of channels that fill half a row of 128 bytes or less those with narrow rows; else those
// that are not half empty and, but for the kernel's gradient, whose depth is split, fill a device.
template <Pass which, class Stored, class Tile>
bool suits(const ConvGeometry& g) {
  constexpr int64_t enough_blocks = 96;
  const int64_t channels = which == Pass::input_grad ? g.filters : g.channels;
  if (Tile::row_bytes < 128) return channels * int64_t{sizeof(Stored)} <= Tile::row_bytes;
  const ProductSizes s = plan_boxes<which, Stored>(g, Tile::row_bytes).sizes;
  return s.n > Tile::columns / 2 && (which == Pass::kernel_grad || s.tiles(Tile::rows, Tile::columns) >= enough_blocks);
}
// body(pass) with the first tiles that suit, else the last.
template <Pass which, class Stored, class Tile, class... Others, class Body>
auto with_boxed_tile(const ConvGeometry& g, Body&& body) {
  if constexpr (sizeof...(Others) > 0) {
    if (!suits<which, Stored, Tile>(g)) return with_boxed_tile<which, Stored, Others...>(g, body);
  }
  return body(BoxedPass<which, Stored, Tile>());
}

template <Pass which, class Stored, class... TilesInOrder>
void BoxedVariant<which, Stored, TilesInOrder...>::run(const KernelCall& call, const ConvAttrs& a) {
  const ConvGeometry g = geometry_of(which, call, a);
  with_boxed_tile<which, Stored, TilesInOrder...>(g, [&](auto pass) { pass.run(g, call, a.activation); });
}

template <Pass which, class Stored, class... TilesInOrder>
size_t BoxedVariant<which, Stored, TilesInOrder...>::workspace(SpecSpan in, const ConvAttrs& a) {
  const ConvGeometry g = geometry_of(which, in, a);
  return with_boxed_tile<which, Stored, TilesInOrder...>(g, [&](auto pass) { return pass.workspace(g); });
}

// Makes the variants of a pass: the one that chooses, and single tiles.
#define PH_BOXED_TILES(pass, Stored)                    \
  template struct BoxedVariant<pass, Stored, Boxed256>; \
  template struct BoxedVariant<pass, Stored, Boxed128>; \
  template struct BoxedVariant<pass, Stored, Boxed64>
#define PH_BOXED_GATHER(pass, Stored)                                                                    \
  template struct BoxedVariant<pass, Stored, BoxedNarrow32, BoxedNarrow64, Boxed256, Boxed128, Boxed64>; \
  template struct BoxedVariant<pass, Stored, BoxedNarrow32>;                                             \
  template struct BoxedVariant<pass, Stored, BoxedNarrow64>;                                             \
  PH_BOXED_TILES(pass, Stored)
#define PH_BOXED_KERNEL_GRAD(Stored)                                                    \
  template struct BoxedVariant<Pass::kernel_grad, Stored, Boxed256, Boxed128, Boxed64>; \
  PH_BOXED_TILES(Pass::kernel_grad, Stored)

}  // namespace ph::cuda
