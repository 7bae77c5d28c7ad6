// The three passes for any geometry and float type, one thread to a result: what other variants are checked against,
// and what runs where they refuse.
// x (batch, height, width, channels), kernel (height, width, group channels, filters), y (batch, rows, columns,
// filters); 16-bit floats are summed up in float32. Sums run over taps row by row, then over channels, filters or
// pixels.
#pragma once
#include "cuda/device.h"
#include "cuda/element.h"
#include "ops/conv.h"

namespace ph::cuda {

namespace reference {

constexpr int threads = 128;

// Where tap (r, s) of output pixel (p, q) reads; false: in the padding.
__device__ __forceinline__ bool input_position(const ConvGeometry& g, int64_t p, int64_t q, int64_t r, int64_t s,
                                               int64_t& y, int64_t& x) {
  y = p * g.rows.stride + r * g.rows.dilation - g.rows.before;
  x = q * g.columns.stride + s * g.columns.dilation - g.columns.before;
  return y >= 0 && y < g.rows.in && x >= 0 && x < g.columns.in;
}

// The output position along an axis that reads input position `at` by tap `tap`; false: none does.
__device__ __forceinline__ bool output_position(const Window& w, int64_t at, int64_t tap, int64_t& out) {
  const int64_t shifted = at + w.before - tap * w.dilation;
  if (shifted < 0 || shifted % w.stride != 0) return false;
  out = shifted / w.stride;
  return out < w.out;
}

template <class S>
__global__ void __launch_bounds__(threads) forward_kernel(const __grid_constant__ ConvGeometry g, const S* x,
                                                          const S* kernel, const S* bias, bool relu, S* y) {
  using T = Compute<S>;
  const int64_t at = int64_t{blockIdx.x} * threads + threadIdx.x;
  if (at >= g.batch * g.pixels() * g.filters) return;
  const int64_t f = at % g.filters, pixel = at / g.filters;
  const int64_t q = pixel % g.columns.out, p = pixel / g.columns.out % g.rows.out, image = pixel / g.pixels();
  const int64_t channels = g.group_channels(), first = f / g.group_filters() * channels;
  T sum = 0;
  for (int64_t r = 0; r < g.rows.size; ++r) {
    for (int64_t s = 0; s < g.columns.size; ++s) {
      int64_t in_y, in_x;
      if (!input_position(g, p, q, r, s, in_y, in_x)) continue;
      const S* from = x + ((image * g.rows.in + in_y) * g.columns.in + in_x) * g.channels + first;
      const S* by = kernel + (r * g.columns.size + s) * channels * g.filters + f;
      for (int64_t c = 0; c < channels; ++c) sum += load_as<T>(from[c]) * load_as<T>(by[c * g.filters]);
    }
  }
  if (bias) sum += load_as<T>(bias[f]);
  y[at] = store_as<S>(relu && sum < 0 ? T(0) : sum);
}

template <class S>
__global__ void __launch_bounds__(threads)
    input_grad_kernel(const __grid_constant__ ConvGeometry g, const S* dy, const S* kernel, S* dx) {
  using T = Compute<S>;
  const int64_t at = int64_t{blockIdx.x} * threads + threadIdx.x;
  if (at >= g.batch * g.rows.in * g.columns.in * g.channels) return;
  const int64_t c = at % g.channels, pixel = at / g.channels;
  const int64_t in_x = pixel % g.columns.in, in_y = pixel / g.columns.in % g.rows.in;
  const int64_t image = pixel / (g.rows.in * g.columns.in);
  const int64_t channels = g.group_channels(), filters = g.group_filters(), first = c / channels * filters;
  T sum = 0;
  for (int64_t r = 0; r < g.rows.size; ++r) {
    int64_t p, q;
    if (!output_position(g.rows, in_y, r, p)) continue;
    for (int64_t s = 0; s < g.columns.size; ++s) {
      if (!output_position(g.columns, in_x, s, q)) continue;
      const S* from = dy + ((image * g.rows.out + p) * g.columns.out + q) * g.filters + first;
      const S* by = kernel + ((r * g.columns.size + s) * channels + c % channels) * g.filters + first;
      for (int64_t f = 0; f < filters; ++f) sum += load_as<T>(from[f]) * load_as<T>(by[f]);
    }
  }
  dx[at] = store_as<S>(sum);
}

// A block has a warp's width of results and as many slices of the pixels as it has warps, added in order.
constexpr int slices = 8, results = 32;

template <class S>
__global__ void __launch_bounds__(slices* results)
    kernel_grad_kernel(const __grid_constant__ ConvGeometry g, const S* x, const S* dy, S* dk) {
  using T = Compute<S>;
  PH_SHARED(T, sums, [slices][results]);
  const int64_t at = int64_t{blockIdx.x} * results + threadIdx.x, size = g.depth() * g.filters;
  T sum = 0;
  if (at < size) {
    const int64_t f = at % g.filters, row = at / g.filters, tap = row / g.group_channels();
    const int64_t c = f / g.group_filters() * g.group_channels() + row % g.group_channels();
    const int64_t r = tap / g.columns.size, s = tap % g.columns.size;
    for (int64_t line = threadIdx.y; line < g.batch * g.rows.out; line += slices) {
      const int64_t p = line % g.rows.out, image = line / g.rows.out;
      for (int64_t q = 0; q < g.columns.out; ++q) {
        int64_t in_y, in_x;
        if (!input_position(g, p, q, r, s, in_y, in_x)) continue;
        sum += load_as<T>(x[((image * g.rows.in + in_y) * g.columns.in + in_x) * g.channels + c]) *
               load_as<T>(dy[(line * g.columns.out + q) * g.filters + f]);
      }
    }
  }
  sums[threadIdx.y][threadIdx.x] = sum;
  __syncthreads();
  if (threadIdx.y != 0 || at >= size) return;
  for (int slice = 1; slice < slices; ++slice) sum += sums[slice][threadIdx.x];
  dk[at] = store_as<S>(sum);
}

}  // namespace reference

namespace {

void forward_reference(const KernelCall& k, const ConvAttrs& a) {
  const ConvGeometry g = conv_geometry(k.in[0].shape, k.in[1].shape, a);
  if (k.out[0].size() == 0) return;
  with_float_type(k.in[0].dtype, [&](auto stored) {
    using S = decltype(stored);
    PH_LAUNCH(reference::forward_kernel<S>, blocks_for(k.out[0].size(), reference::threads), reference::threads, 0,
              device().stream, g, k.in[0].as<S>(), k.in[1].as<S>(), k.in.size() > 2 ? k.in[2].as<S>() : nullptr,
              a.activation == Activation::relu, k.out[0].as<S>());
  });
}

void input_grad_reference(const KernelCall& k, const ConvAttrs& a) {
  const ConvGeometry g = conv_geometry(k.out[0].shape, k.in[1].shape, a);
  if (k.out[0].size() == 0) return;
  with_float_type(k.in[0].dtype, [&](auto stored) {
    using S = decltype(stored);
    PH_LAUNCH(reference::input_grad_kernel<S>, blocks_for(k.out[0].size(), reference::threads), reference::threads, 0,
              device().stream, g, k.in[0].as<S>(), k.in[1].as<S>(), k.out[0].as<S>());
  });
}

void kernel_grad_reference(const KernelCall& k, const ConvAttrs& a) {
  const ConvGeometry g = conv_geometry(k.in[0].shape, k.out[0].shape, a);
  if (k.out[0].size() == 0) return;
  with_float_type(k.in[0].dtype, [&](auto stored) {
    using S = decltype(stored);
    PH_LAUNCH(reference::kernel_grad_kernel<S>, blocks_for(k.out[0].size(), reference::results),
              dim3(reference::results, reference::slices), 0, device().stream, g, k.in[0].as<S>(), k.in[1].as<S>(),
              k.out[0].as<S>());
  });
}

}  // namespace

}  // namespace ph::cuda
