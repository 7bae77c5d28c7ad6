// Forward pass and gradient of x as a Product of gemm/wgmma.h: a tile of the result is a box of pixels by some
// channels. What it reads under a tap is that box moved by the tap and taken in steps of the stride.
#pragma once
#include "cuda/conv/conv_pass.h"
#include "cuda/conv/pixel_box.h"
#include "cuda/gemm/wgmma.h"

namespace ph::cuda {

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

}  // namespace ph::cuda
