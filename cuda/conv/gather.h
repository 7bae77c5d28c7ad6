// Forward pass and gradient of the input as one thing: every result gathers products of source pixels and taps, at
// places that are linear in its own place. The gradient of the input with stride s falls into s * s classes of pixels,
// by the remainders of their rows and columns; within a class the gaps between what the taps read are whole pixels, so
// that no product with a zero in between is made.
#pragma once
#include "core/integers.h"
#include "cuda/gpu.h"
#include "ops/conv.h"

namespace ph::cuda {

// Result i reads by tap j the source at i * stride + j * step + offset, which may lie in the padding. It is the place
// result_first + i * result_step of the result, and the tap is the kernel's tap_first + j * tap_step.
struct GatherAxis {
  int results, result_first, result_step;
  int taps, tap_first, tap_step;
  int stride, step, offset;
  int sources;  // places the source has

  __device__ __forceinline__ int source(int i, int j) const { return i * stride + j * step + offset; }
  __device__ __forceinline__ bool inside(int source) const {
    return static_cast<unsigned>(source) < static_cast<unsigned>(sources);
  }
};

struct Gather {
  static constexpr int most_classes = 8;  // of an axis
  int batch, source_channels, result_channels;
  int result_rows, result_columns;  // of the whole result
  int kernel_columns;
  int row_classes, column_classes;
  GatherAxis rows[most_classes], columns[most_classes];

  // Of class `index` of row_classes * column_classes.
  __device__ __forceinline__ const GatherAxis& rows_of(unsigned index) const {
    return rows[index / static_cast<unsigned>(column_classes)];
  }
  __device__ __forceinline__ const GatherAxis& columns_of(unsigned index) const {
    return columns[index % static_cast<unsigned>(column_classes)];
  }
  // The number of a pixel of the result.
  __device__ __forceinline__ int64_t place(int image, const GatherAxis& of_rows, int row, const GatherAxis& of_columns,
                                           int column) const {
    const int y = of_rows.result_first + row * of_rows.result_step;
    const int x = of_columns.result_first + column * of_columns.result_step;
    return (int64_t{image} * result_rows + y) * result_columns + x;
  }
  int classes() const { return row_classes * column_classes; }

  // Of the largest class.
  int64_t most_rows() const { return rows[0].results; }
  int64_t most_columns() const { return columns[0].results; }
};

inline GatherAxis forward_axis(const Window& w) {
  return {static_cast<int>(w.out),
          0,
          1,
          static_cast<int>(w.size),
          0,
          1,
          static_cast<int>(w.stride),
          static_cast<int>(w.dilation),
          static_cast<int>(-w.before),
          static_cast<int>(w.in)};
}

// Input places y with y % stride == remainder. Tap r reads output (y + before - r * dilation) / stride where that is
// whole, which it is for every stride / gcd(stride, dilation)-th tap. Taps are counted from the last one, so that steps
// are positive.
inline GatherAxis input_grad_axis(const Window& w, int remainder) {
  int64_t common = w.stride;
  for (int64_t rest = w.dilation; rest != 0;) {
    const int64_t next = common % rest;
    common = rest;
    rest = next;
  }
  const int64_t tap_step = w.stride / common;
  int64_t first = 0;
  while (first < tap_step && (remainder + w.before - first * w.dilation) % w.stride != 0) ++first;
  const int64_t taps = first < tap_step && first < w.size ? divide_up(w.size - first, tap_step) : 0;
  const int64_t last = first + (taps - 1) * tap_step;
  GatherAxis axis{};
  axis.results = static_cast<int>(divide_up(most(w.in - remainder, 0), w.stride));
  axis.result_first = remainder, axis.result_step = static_cast<int>(w.stride);
  axis.stride = 1, axis.sources = static_cast<int>(w.out);
  if (taps == 0) return axis;
  axis.taps = static_cast<int>(taps), axis.tap_first = static_cast<int>(last);
  axis.tap_step = static_cast<int>(-tap_step);
  axis.step = static_cast<int>(w.dilation / common);
  axis.offset = static_cast<int>((remainder + w.before - last * w.dilation) / w.stride);
  return axis;
}

inline Gather forward_gather(const ConvGeometry& g) {
  Gather gather{};
  gather.batch = static_cast<int>(g.batch);
  gather.source_channels = static_cast<int>(g.channels), gather.result_channels = static_cast<int>(g.filters);
  gather.result_rows = static_cast<int>(g.rows.out), gather.result_columns = static_cast<int>(g.columns.out);
  gather.kernel_columns = static_cast<int>(g.columns.size);
  gather.row_classes = gather.column_classes = 1;
  gather.rows[0] = forward_axis(g.rows), gather.columns[0] = forward_axis(g.columns);
  return gather;
}

inline Gather input_grad_gather(const ConvGeometry& g) {
  Gather gather{};
  gather.batch = static_cast<int>(g.batch);
  gather.source_channels = static_cast<int>(g.filters), gather.result_channels = static_cast<int>(g.channels);
  gather.result_rows = static_cast<int>(g.rows.in), gather.result_columns = static_cast<int>(g.columns.in);
  gather.kernel_columns = static_cast<int>(g.columns.size);
  gather.row_classes = static_cast<int>(g.rows.stride), gather.column_classes = static_cast<int>(g.columns.stride);
  for (int i = 0; i < gather.row_classes; ++i) gather.rows[i] = input_grad_axis(g.rows, i);
  for (int i = 0; i < gather.column_classes; ++i) gather.columns[i] = input_grad_axis(g.columns, i);
  return gather;
}

// The reason why a geometry is refused by kernels that reckon places in 32 bits.
inline const char* refuse_geometry(const ConvGeometry& g) {
  constexpr int64_t large = int64_t{1} << 29;
  bool fits = g.depth() <= large && g.channels <= large && g.filters <= large;
  int64_t in = g.batch, out = g.batch;
  for (const Window* w : {&g.rows, &g.columns}) {
    fits = fits && w->in <= large && w->out <= large && w->size <= large && w->stride <= large &&
           w->dilation <= large && w->before <= large && w->size * w->dilation <= large && w->out * w->stride <= large;
    in = fits ? in * w->in : in, out = fits ? out * w->out : out;
    fits = fits && in <= large && out <= large;
  }
  return fits ? nullptr : "too large for 32-bit places";
}
// The same for input_grad_gather().
inline const char* refuse_classes(const ConvGeometry& g) {
  const bool few = g.rows.stride <= Gather::most_classes && g.columns.stride <= Gather::most_classes;
  return few ? refuse_geometry(g) : "strides beyond 8";
}

}  // namespace ph::cuda
