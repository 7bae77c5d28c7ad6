// Elementwise work whose constants belong to a channel: x seen as (outer, channels, inner). With channels last (inner
// == 1) a thread keeps the constants of a few neighbouring channels and walks down the rows; otherwise the channel of
// each vector of elements is found from its place.
//
// An op has
//   vector                              elements treated together
//   Context, prepare(Context&, channel, step)   the constants of channels channel + v * step
//   Item, load(Item&, offset)           what is read for the elements of vector number `offset`; several at a time
//   apply(context, Item&, offset)       the rest
#pragma once
#include "cuda/device.h"
#include "cuda/divide.h"
#include "cuda/lines.h"

namespace ph::cuda {

constexpr int channel_threads = 256;
constexpr int rows_per_thread = 8, vectors_per_thread = 4, loads_at_once = 4;

template <class Op>
__global__ void __launch_bounds__(channel_threads)
    channels_last_kernel(const __grid_constant__ Op op, int64_t rows, int64_t columns, int lanes, unsigned tiles) {
  const int side_by_side = channel_threads / lanes;
  const unsigned block = blockIdx.x / tiles, tile = blockIdx.x - block * tiles;
  const int64_t column = int64_t{tile} * lanes + (static_cast<int>(threadIdx.x) & (lanes - 1));
  if (column >= columns) return;
  typename Op::Context context;
  op.prepare(context, column * Op::vector, 1);
  const int64_t first = int64_t{block} * side_by_side * rows_per_thread + threadIdx.x / lanes;
  for (int i = 0; i < rows_per_thread; i += loads_at_once) {
    typename Op::Item item[loads_at_once] = {};  // g++ does not see that what is not loaded is not used
    PH_UNROLL
    for (int u = 0; u < loads_at_once; ++u) {
      const int64_t row = first + (i + u) * side_by_side;
      if (row < rows) op.load(item[u], row * columns + column);
    }
    PH_UNROLL
    for (int u = 0; u < loads_at_once; ++u) {
      const int64_t row = first + (i + u) * side_by_side;
      if (row < rows) op.apply(context, item[u], row * columns + column);
    }
  }
}

template <class Op>
__global__ void __launch_bounds__(channel_threads)
    channels_outer_kernel(const __grid_constant__ Op op, int64_t vectors, const __grid_constant__ Divider by_run,
                          const __grid_constant__ Divider by_channels) {
  const int64_t first = int64_t{blockIdx.x} * channel_threads * vectors_per_thread + threadIdx.x;
  PH_UNROLL
  for (int i = 0; i < vectors_per_thread; ++i) {
    const int64_t at = first + i * channel_threads;
    if (at >= vectors) return;
    const int64_t run = by_run.divide(at), channel = run - by_channels.divide(run) * by_channels.divisor();
    typename Op::Context context;
    op.prepare(context, channel, 0);
    typename Op::Item item;
    op.load(item, at);
    op.apply(context, item, at);
  }
}

// lines.n is the number of channels; Op::vector divides it (inner == 1) or inner.
template <class Op>
void for_channels(const Op& op, const Lines& lines) {
  const int64_t vectors = lines.count() * lines.n / Op::vector;
  if (vectors == 0) return;
  if (lines.inner > 1) {
    PH_LAUNCH(channels_outer_kernel<Op>, blocks_for(vectors, channel_threads, vectors_per_thread), channel_threads, 0,
              device().stream, op, vectors, Divider(lines.inner / Op::vector), Divider(lines.n));
    return;
  }
  const int64_t columns = lines.n / Op::vector;
  int lanes = 1;
  while (lanes < columns && lanes < 32) lanes *= 2;
  const unsigned tiles = blocks_for(columns, lanes);
  PH_LAUNCH(channels_last_kernel<Op>, tiles * blocks_for(lines.outer, channel_threads / lanes, rows_per_thread),
            channel_threads, 0, device().stream, op, lines.outer, columns, lanes, tiles);
}

}  // namespace ph::cuda
