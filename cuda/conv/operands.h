// What convolutions multiply, as operands of the main loops in cuda/gemm: no patch is ever written to memory.
//   forward              pixels x (taps, channels)        times  (taps, channels) x filters, a matrix as it lies
//   gradient of x        pixels x (taps, filters)         times  (taps, filters) x channels
//   gradient of kernel   (taps, channels) x pixels        times  pixels x filters, a matrix as it lies
// Lines and places along the depth hold rows and columns apart, so that the padding is told from the image by two
// comparisons.
#pragma once
#include "cuda/conv/gather.h"
#include "cuda/gemm/operand.h"

namespace ph::cuda {

// A place along a depth of (taps, channels).
struct TapPlace {
  int row, column, channel;  // row and column: numbers of the tap in a GatherAxis
};

struct TapDepth {
  int row_taps, column_taps, channels;

  // Divides by no zero where there is nothing to multiply.
  __device__ TapDepth(const GatherAxis& rows, const GatherAxis& columns, int channels_)
      : row_taps(columns.taps > 0 && channels_ > 0 ? rows.taps : 0),
        column_taps(columns.taps > 0 ? columns.taps : 1),
        channels(channels_ > 0 ? channels_ : 1) {}

  __device__ int size() const { return row_taps * column_taps * channels; }
  __device__ TapPlace place(int k) const {
    const int tap = k / channels;
    return {tap / column_taps, tap % column_taps, k % channels};
  }
  __device__ void advance(TapPlace& at, int by) const {
    at.channel += by;
    while (at.channel >= channels) {
      at.channel -= channels;
      if (++at.column == column_taps) {
        at.column = 0;
        ++at.row;
      }
    }
  }
  __device__ bool has(const TapPlace& at) const { return at.row < row_taps; }
};

// What a class of results gathers: a line for each result, (image, row, column).
template <class Stored, int vector_>
struct GatherOperand {
  using Element = Stored;
  static constexpr bool depth_fast = true;
  static constexpr int vector = vector_;
  struct Line {
    const Stored* image;  // nullptr outside
    int row, column;      // where tap 0 reads
  };
  using Depth = TapPlace;

  const Stored* data;  // of the group's first channel
  const GatherAxis &rows, &columns;
  TapDepth taps;
  int batch, stride;  // stride: channels of a pixel, of all groups

  __device__ Line line(int i) const {
    const int results = rows.results * columns.results, image = i / results, pixel = i % results;
    if (image >= batch) return {nullptr, 0, 0};
    return {data + int64_t{image} * rows.sources * columns.sources * stride, rows.source(pixel / columns.results, 0),
            columns.source(pixel % columns.results, 0)};
  }
  __device__ Depth depth(int k) const { return taps.place(k); }
  __device__ void advance(Depth& at, int, int by) const { taps.advance(at, by); }
  __device__ const Stored* address(const Line& line, const Depth& at) const {
    const int row = line.row + at.row * rows.step, column = line.column + at.column * columns.step;
    if (!line.image || !taps.has(at) || !rows.inside(row) || !columns.inside(column)) return nullptr;
    return line.image + int64_t{row * columns.sources + column} * stride + at.channel;
  }
};

// The kernel turned round: a line for each of a group's channels, the depth is (taps of a class, filters of a group).
template <class Stored, int vector_>
struct TurnedKernelOperand {
  using Element = Stored;
  static constexpr bool depth_fast = true;
  static constexpr int vector = vector_;
  using Line = const Stored*;
  using Depth = TapPlace;

  const Stored* data;  // of the class's first tap and the group's first filter
  TapDepth taps;
  int row_step, column_step;  // from a tap of the class to the next, in elements
  int lines, stride;          // lines: channels of a group; stride: filters of all groups

  __device__ TurnedKernelOperand(const Stored* kernel, const GatherAxis& rows, const GatherAxis& columns,
                                 const TapDepth& taps_, int kernel_columns, int lines_, int stride_)
      : data(kernel + int64_t{rows.tap_first * kernel_columns + columns.tap_first} * lines_ * stride_),
        taps(taps_),
        row_step(rows.tap_step * kernel_columns * lines_ * stride_),
        column_step(columns.tap_step * lines_ * stride_),
        lines(lines_),
        stride(stride_) {}

  __device__ Line line(int i) const { return i < lines ? data + int64_t{i} * stride : nullptr; }
  __device__ Depth depth(int k) const { return taps.place(k); }
  __device__ void advance(Depth& at, int, int by) const { taps.advance(at, by); }
  __device__ const Stored* address(Line line, const Depth& at) const {
    if (!line || !taps.has(at)) return nullptr;
    return line + int64_t{at.row} * row_step + int64_t{at.column} * column_step + at.channel;
  }
};

// Patches on their side: a line for each (tap, channel of a group), the depth is (image, row, column) of the output.
template <class Stored, int vector_>
struct PatchOperand {
  using Element = Stored;
  static constexpr bool depth_fast = false;
  static constexpr int vector = vector_;
  struct Line {
    const Stored* channel;  // of the first pixel; nullptr outside
    int row, column;        // where output pixel 0 reads
  };
  struct Depth {
    int image, row, column;  // of the output
  };

  const Stored* data;  // of the group's first channel
  const GatherAxis &rows, &columns;
  int channels, batch, stride;  // channels of a group; stride: of all groups

  __device__ Line line(int i) const {
    const int tap = i / channels, row = tap / columns.taps, column = tap % columns.taps;
    if (row >= rows.taps) return {nullptr, 0, 0};
    return {data + i % channels, rows.source(0, row), columns.source(0, column)};
  }
  __device__ Depth depth(int k) const {
    if (rows.results == 0 || columns.results == 0) return {batch, 0, 0};
    const int line = k / columns.results;
    return {line / rows.results, line % rows.results, k % columns.results};
  }
  __device__ void advance(Depth& at, int, int by) const {
    at.column += by;
    while (at.column >= columns.results) {
      at.column -= columns.results;
      if (++at.row == rows.results) {
        at.row = 0;
        ++at.image;
      }
    }
  }
  __device__ const Stored* address(const Line& line, const Depth& at) const {
    const int row = line.row + at.row * rows.stride, column = line.column + at.column * columns.stride;
    if (!line.channel || at.image >= batch || !rows.inside(row) || !columns.inside(column)) return nullptr;
    return line.channel + int64_t{(at.image * rows.sources + row) * columns.sources + column} * stride;
  }
};

}  // namespace ph::cuda
