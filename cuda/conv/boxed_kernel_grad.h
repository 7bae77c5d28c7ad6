// Gradient of the kernel as a Product of gemm/wgmma.h: pixels are the depth, boxes of them at a time, and 64 rows of
// the result are channels of one tap. 16-bit floats are read as they lie, pixels' channels side by side; float32, which
// wgmma wants along the depth, has been turned round so that images are side by side, where a tap moves nothing.
#pragma once
#include "cuda/conv/conv_pass.h"
#include "cuda/conv/pixel_box.h"
#include "cuda/gemm/wgmma.h"

namespace ph::cuda {

template <class Stored>
struct BoxedKernelGrad {
  static constexpr int side = 64;
  static constexpr bool images_last = sizeof(Stored) == 4;
  ptx::TensorMap x, dy;  // (images, rows, columns, channels or filters); images last: (rows, columns, channels, images)
  ConvPass<Stored> pass;
  PixelBox box;
  int column_tiles;

  __device__ int chunks() const { return (pass.g.source_channels + side - 1) / side; }

  template <class Loop>
  struct Tile {
    static constexpr int sides = Loop::rows / side;
    const BoxedKernelGrad& conv;
    int row, column, steps;
    PixelBox::Pixel corner;
    // what the taps of x's 64 rows add to the corner, and their channels: divisions would hold up the copies
    int tap_row[sides], tap_column[sides], channel[sides];

    __device__ Tile(const BoxedKernelGrad& conv_, int row_, int column_, int steps_, const PixelBox::Pixel& corner_)
        : conv(conv_), row(row_), column(column_), steps(steps_), corner(corner_) {
      const GatherAxis &rows = conv.pass.g.rows[0], &columns = conv.pass.g.columns[0];
      const int chunks = conv.chunks();
      PH_UNROLL
      for (int i = 0; i < sides; ++i) {
        const int number = row / side + i, tap = number / chunks;
        tap_row[i] = rows.source(0, tap / columns.taps), tap_column[i] = columns.source(0, tap % columns.taps);
        channel[i] = (tap < rows.taps * columns.taps ? number % chunks : chunks) * side;
      }
    }
    __device__ static constexpr int bytes() { return Loop::stage_bytes; }
    __device__ void bring(char* to_a, char* to_b, ptx::Mbarrier* full) {
      const int first_row = corner.row * conv.pass.g.rows[0].stride;
      const int first_column = corner.column * conv.pass.g.columns[0].stride;
      PH_UNROLL
      for (int i = 0; i < sides; ++i) {
        bring_box(to_a + i * Loop::side_bytes, conv.x, first_row + tap_row[i], first_column + tap_column[i], channel[i],
                  full);
      }
      PH_UNROLL
      for (int of_b = 0; of_b < Loop::columns / side; ++of_b) {
        bring_box(to_b + of_b * Loop::side_bytes, conv.dy, corner.row, corner.column, column + of_b * side, full);
      }
      conv.box.advance(corner);
    }

   private:
    // 64 channels of the step's pixels.
    __device__ void bring_box(char* to, const ptx::TensorMap& map, int row, int column, int channel,
                              ptx::Mbarrier* full) const {
      images_last ? ptx::copy_box(to, map, {row, column, channel, corner.image}, full)
                  : ptx::copy_box(to, map, {corner.image, row, column, channel}, full);
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

}  // namespace ph::cuda
