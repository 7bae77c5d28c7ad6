#include "cpu/conv/depthwise.h"

#include "core/thread_pool.h"
#include "cpu/conv/passes.h"
#include "cpu/conv/slices.h"
#include "cpu/halves.h"
#include "cpu/simd.h"

namespace ph::PH_LEVEL {

namespace {

constexpr int64_t most_taps = 128, fewest_channels = 4;
constexpr int inner_pixels = 4;  // at a time, by two vectors of channels: enough sums to hide the latency of additions
constexpr int taps_together = 5;

// Pixel i of a line sees from[i * Line::step], where first <= i < last.
struct Tap {
  int64_t from;    // elements from the start of the image
  int64_t weight;  // elements from the start of the kernel
  int64_t first, last;
};

struct Line {
  Tap taps[most_taps];
  int count = 0;
  int64_t pixels, channels, step;
  int64_t inner_first = 0, inner_last;  // pixels that have all taps, if there are any

  Line(int64_t pixels, int64_t channels, int64_t stride)
      : pixels(pixels), channels(channels), step(stride * channels), inner_last(pixels) {}

  // Pixel i sees position i * stride + place of a row of `size` positions that begins at `row`.
  PH_INLINE void add(int64_t row, int64_t size, int64_t stride, int64_t place, int64_t weight) {
    const int64_t first = place < 0 ? divide_up(-place, stride) : 0;
    const int64_t last = place < size ? least(pixels, divide_up(size - place, stride)) : 0;
    if (first >= last) return;
    taps[count++] = {row + place * channels, weight, first, last};
    inner_first = most(inner_first, first);
    inner_last = least(inner_last, last);
  }

  // Taps that reach no pixel are left out, so some pixels may lack even those that are left.
  PH_INLINE void finish() {
    inner_first = least(inner_first, pixels);
    inner_last = most(inner_last, inner_first);
  }
};

// Output row `y` sees these places of an image of x.
Line output_row(const ConvGeometry& g, int64_t y) {
  Line line(g.columns.out, g.channels, g.columns.stride);
  for (int64_t r = 0; r < g.rows.size; ++r) {
    const int64_t in_y = y * g.rows.stride + r * g.rows.dilation - g.rows.before;
    if (in_y < 0 || in_y >= g.rows.in) continue;
    for (int64_t s = 0; s < g.columns.size; ++s) {
      line.add(in_y * g.columns.in * g.channels, g.columns.in, g.columns.stride,
               s * g.columns.dilation - g.columns.before, (r * g.columns.size + s) * g.channels);
    }
  }
  line.finish();
  return line;
}

// Of row `y` of x the pixels first, first + stride, ... are seen by these places of an image of dy.
Line input_pixels(const ConvGeometry& g, int64_t y, int64_t first) {
  Line line(divide_up(g.columns.in - first, g.columns.stride), g.channels, 1);
  for (int64_t r = 0; r < g.rows.size; ++r) {
    const int64_t from_y = y + g.rows.before - r * g.rows.dilation, out_y = from_y / g.rows.stride;
    if (from_y < 0 || from_y % g.rows.stride != 0 || out_y >= g.rows.out) continue;
    for (int64_t s = 0; s < g.columns.size; ++s) {
      const int64_t from_x = first + g.columns.before - s * g.columns.dilation;
      if (from_x % g.columns.stride != 0) continue;
      line.add(out_y * g.columns.out * g.channels, g.columns.out, 1, from_x / g.columns.stride,
               (r * g.columns.size + s) * g.channels);
    }
  }
  line.finish();
  return line;
}

template <bool whole, class T>
PH_INLINE Vector<T> load_channels(const T* from, int live) {
  return whole ? load(from) : load_some(from, live);
}
template <bool whole, class T>
PH_INLINE void store_channels(T* to, Vector<T> value, int live) {
  whole ? store(to, value) : store_some(to, value, live);
}

// f.operator()<vectors, whole>(c, live): so many vectors of channels from c on at a time, what is left one by one; of
// the last, if it is not whole, only the first `live` lanes.
template <class T, int vectors, class F>
PH_INLINE void for_channels(int64_t channels, F f) {
  constexpr int w = lanes<T>;
  int64_t c = 0;
  for (; c + vectors * w <= channels; c += vectors * w) f.template operator()<vectors, true>(c, w);
  for (; c + w <= channels; c += w) f.template operator()<1, true>(c, w);
  if (c < channels) f.template operator()<1, false>(c, static_cast<int>(channels - c));
}

// ---- forward and gradient of the input

template <class T>
struct Sums {
  const T *from, *kernel, *bias;  // bias: or nullptr
  bool relu;
  T* to;
  int64_t to_step;  // from a pixel to the next
};

// Pixels i, i + 1, ... of a line, which have all these taps.
template <class T, int pixels>
void sum_pixels(const Sums<T>& sums, const Line& line, const Tap* taps, int count, int64_t i) {
  using V = Vector<T>;
  constexpr int w = lanes<T>;
  for_channels<T, pixels == 1 ? 4 : 2>(line.channels, [&]<int vectors, bool whole>(int64_t c, int live) {
    V sum[pixels][vectors];
#pragma GCC unroll 4
    for (int p = 0; p < pixels; ++p) {
#pragma GCC unroll 4
      for (int j = 0; j < vectors; ++j) sum[p][j] = V{};
    }
    for (int t = 0; t < count; ++t) {
      const T *from = sums.from + taps[t].from + i * line.step + c, *kernel = sums.kernel + taps[t].weight + c;
      V weight[vectors];
#pragma GCC unroll 4
      for (int j = 0; j < vectors; ++j) weight[j] = load_channels<whole>(kernel + j * w, live);
#pragma GCC unroll 4
      for (int p = 0; p < pixels; ++p) {
#pragma GCC unroll 4
        for (int j = 0; j < vectors; ++j) {
          sum[p][j] += load_channels<whole>(from + p * line.step + j * w, live) * weight[j];
        }
      }
    }
#pragma GCC unroll 4
    for (int j = 0; j < vectors; ++j) {
      const V bias = sums.bias ? load_channels<whole>(sums.bias + c + j * w, live) : V{};
#pragma GCC unroll 4
      for (int p = 0; p < pixels; ++p) {
        V value = sum[p][j] + bias;
        if (sums.relu) value = value < V{} ? V{} : value;  // keeps NaN
        store_channels<whole>(sums.to + (i + p) * sums.to_step + c + j * w, value, live);
      }
    }
  });
}

template <class T>
void sum_line(const Sums<T>& sums, const Line& line) {
  const auto at_border = [&](int64_t i) {
    Tap taps[most_taps];
    int count = 0;
    for (int t = 0; t < line.count; ++t) {
      if (line.taps[t].first <= i && i < line.taps[t].last) taps[count++] = line.taps[t];
    }
    sum_pixels<T, 1>(sums, line, taps, count, i);
  };
  for (int64_t i = 0; i < line.inner_first; ++i) at_border(i);
  if (line.inner_last - line.inner_first < inner_pixels) {
    for (int64_t i = line.inner_first; i < line.inner_last; ++i) sum_pixels<T, 1>(sums, line, line.taps, line.count, i);
  } else {  // the last four overlap those before
    for (int64_t i = line.inner_first; i < line.inner_last; i += inner_pixels) {
      const int64_t pixel = least(i, line.inner_last - inner_pixels);
      sum_pixels<T, inner_pixels>(sums, line, line.taps, line.count, pixel);
    }
  }
  for (int64_t i = line.inner_last; i < line.pixels; ++i) at_border(i);
}

// f(image, y) for each of so many rows of all images, in tasks of about equal work.
template <class F>
PH_INLINE void for_rows(const ConvGeometry& g, int64_t rows, F f) {
  const int64_t units = g.batch * rows, tasks = task_count(units);
  if (units == 0) return;
  const double ns = 0.08 * static_cast<double>(g.batch * g.pixels() * g.channels * g.taps());
  parallel_for(tasks, ns / static_cast<double>(tasks), [&](int64_t task) {
    for (int64_t unit = units * task / tasks; unit < units * (task + 1) / tasks; ++unit) f(unit / rows, unit % rows);
  });
}

template <class T>
void forward(const KernelCall& k, const ConvAttrs& a) {
  const ConvGeometry g = conv_geometry(k.in[0].shape, k.in[1].shape, a);
  const int64_t in_size = g.rows.in * g.columns.in * g.channels, row_size = g.columns.out * g.channels;
  for_rows(g, g.rows.out, [&](int64_t image, int64_t y) {
    const Sums<T> sums{k.in[0].as<T>() + image * in_size,
                       k.in[1].as<T>(),
                       k.in.size() > 2 ? k.in[2].as<T>() : nullptr,
                       a.activation == Activation::relu,
                       k.out[0].as<T>() + (image * g.rows.out + y) * row_size,
                       g.channels};
    sum_line(sums, output_row(g, y));
  });
}

template <class T>
void input_grad(const KernelCall& k, const ConvAttrs& a) {
  const ConvGeometry g = conv_geometry(k.out[0].shape, k.in[1].shape, a);
  const int64_t out_size = g.pixels() * g.channels, row_size = g.columns.in * g.channels;
  for_rows(g, g.rows.in, [&](int64_t image, int64_t y) {
    for (int64_t first = 0; first < least(g.columns.stride, g.columns.in); ++first) {
      T* to = k.out[0].as<T>() + (image * g.rows.in + y) * row_size + first * g.channels;
      const T* dy = k.in[0].as<T>() + image * out_size;
      const Sums<T> sums{dy, k.in[1].as<T>(), nullptr, false, to, g.columns.stride * g.channels};
      sum_line(sums, input_pixels(g, y, first));
    }
  });
}

// ---- gradient of the kernel

template <class T>
struct Products {
  const T *x, *dy;  // an image; a row of output pixels
  T* sums;          // (taps, channels), to be added to
};

// Products of pixels [begin, end) summed for some taps, which have them all.
template <class T, int taps>
void add_products(const Products<T>& products, const Line& line, const Tap* tap, int64_t begin, int64_t end) {
  using V = Vector<T>;
  constexpr int w = lanes<T>;
  for_channels<T, 2>(line.channels, [&]<int vectors, bool whole>(int64_t c, int live) {
    V sum[taps][vectors];
    const T* from[taps];
#pragma GCC unroll 5
    for (int t = 0; t < taps; ++t) {
      from[t] = products.x + tap[t].from + c;
#pragma GCC unroll 2
      for (int j = 0; j < vectors; ++j) sum[t][j] = V{};
    }
    for (int64_t i = begin; i < end; ++i) {
      V dy[vectors];
#pragma GCC unroll 2
      for (int j = 0; j < vectors; ++j) {
        dy[j] = load_channels<whole>(products.dy + i * line.channels + c + j * w, live);
      }
#pragma GCC unroll 5
      for (int t = 0; t < taps; ++t) {
#pragma GCC unroll 2
        for (int j = 0; j < vectors; ++j) {
          sum[t][j] += load_channels<whole>(from[t] + i * line.step + j * w, live) * dy[j];
        }
      }
    }
#pragma GCC unroll 5
    for (int t = 0; t < taps; ++t) {
#pragma GCC unroll 2
      for (int j = 0; j < vectors; ++j) {
        T* to = products.sums + tap[t].weight + c + j * w;
        store_channels<whole>(to, load_channels<whole>(to, live) + sum[t][j], live);
      }
    }
  });
}

// For 1 ... taps_together taps.
template <class T, int taps = taps_together>
PH_INLINE void add_products_of(int wanted, const Products<T>& products, const Line& line, const Tap* tap) {
  if constexpr (taps > 0) {
    wanted == taps ? add_products<T, taps>(products, line, tap, line.inner_first, line.inner_last)
                   : add_products_of<T, taps - 1>(wanted, products, line, tap);
  }
}

template <class T>
void add_line(const Products<T>& products, const Line& line) {
  if (line.inner_first < line.inner_last) {
    for (int t = 0; t < line.count; t += taps_together) {
      add_products_of(static_cast<int>(least(taps_together, line.count - t)), products, line, line.taps + t);
    }
  }
  for (int t = 0; t < line.count; ++t) {
    const Tap& tap = line.taps[t];
    const int64_t before = least(line.inner_first, tap.last), after = most(line.inner_last, tap.first);
    if (tap.first < before) add_products<T, 1>(products, line, &tap, tap.first, before);
    if (after < tap.last) add_products<T, 1>(products, line, &tap, after, tap.last);
  }
}

PH_INLINE int64_t slices_of(const ConvGeometry& g) { return least(g.batch * g.rows.out, most_slices); }

template <class T>
void kernel_grad(const KernelCall& k, const ConvAttrs& a) {
  const ConvGeometry g = conv_geometry(k.in[0].shape, k.out[0].shape, a);
  const int64_t in_size = g.rows.in * g.columns.in * g.channels, row_size = g.columns.out * g.channels;
  const int64_t rows = g.batch * g.rows.out, slices = slices_of(g), size = g.taps() * g.channels;
  T* sums = static_cast<T*>(k.workspace);
  const double ns = 0.08 * static_cast<double>(g.batch * g.pixels() * size);
  parallel_for(slices, ns / static_cast<double>(slices), [&](int64_t slice) {
    T* own = sums + slice * size;
    for (int64_t j = 0; j < size; ++j) own[j] = 0;
    for (int64_t row = rows * slice / slices; row < rows * (slice + 1) / slices; ++row) {
      const T* x = k.in[0].as<T>() + row / g.rows.out * in_size;
      add_line(Products<T>{x, k.in[1].as<T>() + row * row_size, own}, output_row(g, row % g.rows.out));
    }
  });
  add_slices(sums, slices, size);
  copy_run(sums, k.out[0].as<T>(), size);
}

// ---- which convolutions, in which types

const char* accepts(const ConvGeometry& g) {
  if (g.group_channels() != 1 || g.group_filters() != 1) return "wants one filter a channel, and no other channels";
  if (g.channels < fewest_channels) return "wants 4 channels at least";
  if (g.taps() > most_taps) return "wants at most 128 taps";
  return nullptr;
}

size_t kernel_grad_sums(SpecSpan in, const ConvAttrs& a) {
  const ConvGeometry g = kernel_grad_geometry(in, a);
  return compute_size(in[0].dtype) * static_cast<size_t>(slices_of(g) * g.taps() * g.channels);
}

int64_t kernel_grad_result(SpecSpan in, const ConvAttrs& a) {
  return copy_size(in[0].dtype, conv_kernel_shape(in[0].shape, in[1].shape, a).size());
}

// Images one by one, in float32 if they are of halves.
template <void (*of_float)(const KernelCall&, const ConvAttrs&), void (*of_double)(const KernelCall&, const ConvAttrs&)>
void by_images(const KernelCall& k, const ConvAttrs& a) {
  if (is_half(k.in[0].dtype)) {
    run_pieces_in_float(k, 1, 1, 1.0, [&](const KernelCall& images, int64_t) { of_float(images, a); });
  } else {
    k.in[0].dtype == DType::float32 ? of_float(k, a) : of_double(k, a);
  }
}

}  // namespace

const char* depthwise_accepts(SpecSpan in, const ConvAttrs& a) { return accepts(forward_geometry(in, a)); }
const char* depthwise_input_grad_accepts(SpecSpan in, const ConvAttrs& a) {
  return accepts(input_grad_geometry(in, a));
}
const char* depthwise_kernel_grad_accepts(SpecSpan in, const ConvAttrs& a) {
  const ConvGeometry g = kernel_grad_geometry(in, a);
  return g.batch * g.pixels() == 0 ? "wants an output pixel at least" : accepts(g);
}

size_t depthwise_kernel_grad_workspace(SpecSpan in, const ConvAttrs& a) {
  if (is_half(in[0].dtype)) return whole_copies_workspace<kernel_grad_result, kernel_grad_sums>(in, a);
  return kernel_grad_sums(in, a);
}

void depthwise_forward(const KernelCall& call, const ConvAttrs& a) {
  by_images<forward<float>, forward<double>>(call, a);
}
void depthwise_input_grad(const KernelCall& call, const ConvAttrs& a) {
  by_images<input_grad<float>, input_grad<double>>(call, a);
}
void depthwise_kernel_grad(const KernelCall& call, const ConvAttrs& a) {
  if (is_half(call.in[0].dtype)) return run_on_copies<kernel_grad<float>, kernel_grad_sums>(call, a);
  call.in[0].dtype == DType::float32 ? kernel_grad<float>(call, a) : kernel_grad<double>(call, a);
}

}  // namespace ph::PH_LEVEL
