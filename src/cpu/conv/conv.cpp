// Convolution as matrix products over patches. A patch is what one output pixel sees, (taps, group channels) in a row;
// the kernel as it lies is the other matrix, (taps * group channels, filters). Patches are made for a block of pixels
// at a time and used while they are in the cache.
//   forward:          y = patches * kernel                       blocks of pixels in parallel
//   gradient of x:    patches' gradient = dy * kernel^T, added back to where patches came from; images in parallel
//   kernel gradient:  patches^T * dy, in slices of the images whose number the shape decides, added in order
// Kinds of convolution that have a better way have files of their own: few channels, 3 x 3 kernels, depthwise.
// float16 and bfloat16 (S) are brought to float32 (T) when kernels are packed and patches made; results are added up in
// float32 and rounded once.
#include "ops/conv.h"

#include "core/scratch.h"
#include "core/thread_pool.h"
#include "cpu/conv/depthwise.h"
#include "cpu/conv/first_layer.h"
#include "cpu/conv/passes.h"
#include "cpu/conv/slices.h"
#include "cpu/conv/winograd.h"
#include "cpu/gemm/gemm.h"
#include "cpu/gemm/halves.h"

namespace ph::PH_LEVEL {

namespace {

constexpr int64_t block_pixels = 6 * row_block;  // pixels whose patches are made at a time

// Scratch memory of a task.
template <class T>
PH_INLINE T* scratch(int64_t elements) {
  return static_cast<T*>(thread_scratch(sizeof(T) * static_cast<size_t>(elements)));
}

// A 1 x 1 kernel without strides or padding sees each pixel as it lies.
PH_INLINE bool is_pointwise(const ConvGeometry& g) {
  return g.taps() == 1 && g.rows.stride == 1 && g.columns.stride == 1 && g.rows.before == 0 && g.columns.before == 0 &&
         g.rows.out == g.rows.in && g.columns.out == g.columns.in && g.groups == 1;
}

template <class T, class S>
constexpr bool is_converted = !std::is_same_v<T, S>;

template <class T>
PH_INLINE T value_of(T stored) {
  return stored;
}
PH_INLINE float value_of(Float16 stored) { return to_float(stored); }
PH_INLINE float value_of(BFloat16 stored) { return to_float(stored); }

template <class S>
PH_INLINE HalfMatrix half_matrix(const S* data, int64_t row, int64_t column) {
  const DType dtype = std::is_same_v<S, Float16> ? DType::float16 : DType::bfloat16;
  return {reinterpret_cast<uint16_t*>(const_cast<S*>(data)), dtype, row, column};
}

// Packs the matrix `b` for a product, which says its size and how it lies.
template <class T, class S>
PH_INLINE void pack(Gemm<T> product, const S* b, T* packed) {
  if constexpr (is_converted<T, S>) {
    pack_halves(product.n, product.k, half_matrix(b, product.b_row, product.b_column), packed);
  } else {
    product.b = b;
    pack_b(product, packed);
  }
}

// Rows of a matrix as a product's A: where they lie, or brought to T in `to`.
template <class T, class S>
PH_INLINE void rows_as_a(const S* rows, int64_t row, int64_t count, int64_t columns, T* to, Gemm<T>& product) {
  if constexpr (is_converted<T, S>) {
    widen_rows(half_matrix(rows, row, 1), count, columns, to, columns);
    product.a = to, product.a_row = columns;
  } else {
    product.a = rows, product.a_row = row;
  }
}

struct Pixel {
  int64_t image, y, x;
};
PH_INLINE Pixel pixel_at(const ConvGeometry& g, int64_t index) {
  return {index / g.pixels(), index % g.pixels() / g.columns.out, index % g.columns.out};
}

// As copy_run of one type.
template <class S>
requires(sizeof(S) == 2) PH_INLINE void copy_run(const S* from, float* to, int64_t n) {
  load_half<float, S>(to, from, n);
}

// The patches of pixels [begin, begin + count), for one group.
template <class T, class S>
void make_patches(const S* image_data, const ConvGeometry& g, int64_t group, int64_t begin, int64_t count, T* patches) {
  const int64_t channels = g.group_channels(), row_size = channels * g.columns.size;
  const bool dense = g.columns.dilation == 1 && g.groups == 1;
  Pixel p = pixel_at(g, begin);
  for (int64_t i = 0; i < count; ++i) {
    const S* image = image_data + p.image * g.rows.in * g.columns.in * g.channels + group * channels;
    const int64_t left = p.x * g.columns.stride - g.columns.before;
    for (int64_t r = 0; r < g.rows.size; ++r) {
      T* to = patches + (i * g.rows.size + r) * row_size;
      const int64_t y = p.y * g.rows.stride + r * g.rows.dilation - g.rows.before;
      if (y < 0 || y >= g.rows.in) {
        __builtin_memset(to, 0, sizeof(T) * static_cast<size_t>(row_size));
        continue;
      }
      const S* row = image + y * g.columns.in * g.channels;
      if (dense && left >= 0 && left + g.columns.size <= g.columns.in) {
        copy_run(row + left * g.channels, to, row_size);
        continue;
      }
      for (int64_t s = 0; s < g.columns.size; ++s) {
        const int64_t x = left + s * g.columns.dilation;
        const bool inside = x >= 0 && x < g.columns.in;
        for (int64_t c = 0; c < channels; ++c) to[s * channels + c] = inside ? value_of(row[x * g.channels + c]) : T(0);
      }
    }
    if (++p.x == g.columns.out) {
      p.x = 0;
      if (++p.y == g.rows.out) {
        p.y = 0;
        ++p.image;
      }
    }
  }
}

// The reverse: adds patch gradients of pixels of one image to where the patches came from.
template <class T>
void add_patches(const T* patches, const ConvGeometry& g, int64_t group, int64_t begin, int64_t count, T* image) {
  const int64_t channels = g.group_channels(), row_size = channels * g.columns.size;
  const bool dense = g.columns.dilation == 1 && g.groups == 1;
  for (int64_t i = 0; i < count; ++i) {
    const int64_t out_y = (begin + i) / g.columns.out, out_x = (begin + i) % g.columns.out;
    const int64_t left = out_x * g.columns.stride - g.columns.before;
    for (int64_t r = 0; r < g.rows.size; ++r) {
      const int64_t y = out_y * g.rows.stride + r * g.rows.dilation - g.rows.before;
      if (y < 0 || y >= g.rows.in) continue;
      const T* from = patches + (i * g.rows.size + r) * row_size;
      T* row = image + y * g.columns.in * g.channels + group * channels;
      if (dense && left >= 0 && left + g.columns.size <= g.columns.in) {
        T* to = row + left * g.channels;
        for (int64_t j = 0; j < row_size; ++j) to[j] += from[j];
        continue;
      }
      for (int64_t s = 0; s < g.columns.size; ++s) {
        const int64_t x = left + s * g.columns.dilation;
        if (x < 0 || x >= g.columns.in) continue;
        for (int64_t c = 0; c < channels; ++c) row[x * g.channels + c] += from[s * channels + c];
      }
    }
  }
}

PH_INLINE double product_ns(const ConvGeometry& g, int64_t pixels) {
  return 0.03 * static_cast<double>(pixels * g.depth()) * static_cast<double>(g.group_filters());
}

// ---- forward

template <class T, class S>
void forward_typed(const KernelCall& k, const ConvAttrs& a) {
  const ConvGeometry g = conv_geometry(k.in[0].shape, k.in[1].shape, a);
  T* packed = static_cast<T*>(k.workspace);
  const T* bias = k.in.size() > 2 ? k.in[2].as<T>() : nullptr;
  if constexpr (is_converted<T, S>) {
    T* wide = packed + packed_size<T>(g.group_filters(), g.depth());
    if (bias) load_converted(wide, k.in[2].data, k.in[2].dtype, g.filters);
    bias = bias ? wide : nullptr;
  }
  const int64_t pixels = g.batch * g.pixels(), blocks = divide_up(pixels, block_pixels), tasks = task_count(blocks);
  for (int64_t group = 0; group < g.groups; ++group) {
    Gemm<T> product{};
    product.n = g.group_filters(), product.k = g.depth();
    product.b_row = g.filters, product.b_column = 1;
    product.a_row = g.depth(), product.a_column = 1;
    product.bias = bias ? bias + group * g.group_filters() : nullptr;
    product.activation = a.activation;
    pack(product, k.in[1].as<S>() + group * g.group_filters(), packed);
    parallel_for(tasks, product_ns(g, pixels) / static_cast<double>(tasks), [&](int64_t task) {
      const int64_t results_size = is_converted<T, S> ? block_pixels * g.group_filters() : 0;
      T* patches = scratch<T>(block_pixels * g.depth() + results_size);
      T* results = patches + block_pixels * g.depth();
      for (int64_t block = blocks * task / tasks; block < blocks * (task + 1) / tasks; ++block) {
        const int64_t begin = block * block_pixels, count = least(block_pixels, pixels - begin);
        S* y = k.out[0].as<S>() + begin * g.filters + group * g.group_filters();
        Gemm<T> part = product;
        part.m = count;
        if (is_pointwise(g)) {
          rows_as_a(k.in[0].as<S>() + begin * g.channels, g.channels, count, g.channels, patches, part);
        } else {
          make_patches(k.in[0].as<S>(), g, group, begin, count, patches);
          part.a = patches;
        }
        if constexpr (is_converted<T, S>) {
          part.c = results, part.c_row = g.group_filters();
          multiply_rows(part, packed, 0, count);
          narrow_rows(results, part.c_row, count, part.c_row, half_matrix(y, g.filters, 1));
        } else {
          part.c = y, part.c_row = g.filters;
          multiply_rows(part, packed, 0, count);
        }
      }
    });
  }
}

size_t forward_workspace(SpecSpan in, const ConvAttrs& a) {
  const ConvGeometry g = forward_geometry(in, a);
  const int64_t packed =
      packed_size<float>(g.group_filters(), g.depth()) + packed_size<double>(g.group_filters(), g.depth());
  const int64_t bias = is_half(in[0].dtype) ? g.filters : 0;
  return compute_size(in[0].dtype) * static_cast<size_t>(packed + bias);
}

// ---- gradient of the input

// The convolution of one group alone.
PH_INLINE ConvGeometry group_geometry(ConvGeometry g) {
  g.channels = g.group_channels(), g.filters = g.group_filters(), g.groups = 1;
  return g;
}

template <class T, class S>
void input_grad_typed(const KernelCall& k, const ConvAttrs& a) {
  const ConvGeometry g = conv_geometry(k.out[0].shape, k.in[1].shape, a);
  // where gradients are added up: dx itself, or a float32 image of one group's channels
  const ConvGeometry sums = is_converted<T, S> ? group_geometry(g) : g;
  T* packed = static_cast<T*>(k.workspace);
  const int64_t image_pixels = g.rows.in * g.columns.in, tasks = task_count(g.batch);
  for (int64_t group = 0; group < g.groups; ++group) {
    Gemm<T> product{};
    product.n = g.depth(), product.k = g.group_filters();
    product.b_row = 1, product.b_column = g.filters;
    product.a_column = 1;
    product.c_row = g.depth();
    pack(product, k.in[1].as<S>() + group * g.group_filters(), packed);
    parallel_for(tasks, product_ns(g, g.batch * g.pixels()) / static_cast<double>(tasks), [&](int64_t task) {
      const int64_t sums_size = image_pixels * sums.channels, rows_size = block_pixels * g.group_filters();
      T* patches = scratch<T>(block_pixels * g.depth() + (is_converted<T, S> ? sums_size + rows_size : 0));
      T *own_sums = patches + block_pixels * g.depth(), *rows = own_sums + sums_size;
      for (int64_t image = g.batch * task / tasks; image < g.batch * (task + 1) / tasks; ++image) {
        S* dx = k.out[0].as<S>() + image * image_pixels * g.channels;
        T* to;
        if constexpr (is_converted<T, S>) {
          to = own_sums;
        } else {
          to = dx;
        }
        if (is_converted<T, S> || group == 0) __builtin_memset(to, 0, sizeof(T) * static_cast<size_t>(sums_size));
        for (int64_t begin = 0; begin < g.pixels(); begin += block_pixels) {
          const S* dy = k.in[0].as<S>() + (image * g.pixels() + begin) * g.filters + group * g.group_filters();
          Gemm<T> part = product;
          part.m = least(block_pixels, g.pixels() - begin);
          rows_as_a(dy, g.filters, part.m, g.group_filters(), rows, part);
          part.c = is_pointwise(g) ? to + begin * g.channels : patches;
          multiply_rows(part, packed, 0, part.m);
          if (!is_pointwise(g)) add_patches(patches, sums, is_converted<T, S> ? 0 : group, begin, part.m, to);
        }
        if constexpr (is_converted<T, S>) {
          S* channels = dx + group * sums.channels;
          narrow_rows(own_sums, sums.channels, image_pixels, sums.channels, half_matrix(channels, g.channels, 1));
        }
      }
    });
  }
}

size_t input_grad_workspace(SpecSpan in, const ConvAttrs& a) {
  const ConvGeometry g = input_grad_geometry(in, a);
  const int64_t packed =
      packed_size<float>(g.depth(), g.group_filters()) + packed_size<double>(g.depth(), g.group_filters());
  return compute_size(in[0].dtype) * static_cast<size_t>(packed);
}

// ---- gradient of the kernel

constexpr int64_t slice_pixels = 128;

template <class T, class S>
void kernel_grad_typed(const KernelCall& k, const ConvAttrs& a) {
  const ConvGeometry g = conv_geometry(k.in[0].shape, k.out[0].shape, a);
  const int64_t pixels = g.batch * g.pixels(), blocks = divide_up(pixels, slice_pixels);
  const int64_t slices = least(blocks, most_slices), filters = g.group_filters();
  T* sums = static_cast<T*>(k.workspace);  // a kernel gradient for each slice
  S* dk = k.out[0].as<S>();
  if (pixels == 0) {
    __builtin_memset(dk, 0, sizeof(S) * static_cast<size_t>(k.out[0].size()));
    return;
  }
  for (int64_t group = 0; group < g.groups; ++group) {
    parallel_for(slices, product_ns(g, pixels) / static_cast<double>(slices), [&](int64_t slice) {
      T* patches = scratch<T>(slice_pixels * g.depth() + packed_size<T>(filters, slice_pixels));
      T* packed = patches + slice_pixels * g.depth();
      T* own = sums + slice * g.depth() * filters;
      for (int64_t block = blocks * slice / slices; block < blocks * (slice + 1) / slices; ++block) {
        const int64_t begin = block * slice_pixels, count = least(slice_pixels, pixels - begin);
        Gemm<T> product{};
        product.m = g.depth(), product.n = filters, product.k = count;
        if (is_pointwise(g)) {
          rows_as_a(k.in[0].as<S>() + begin * g.channels, g.channels, count, g.channels, patches, product);
        } else {
          make_patches(k.in[0].as<S>(), g, group, begin, count, patches);
          product.a = patches;
        }
        product.a_row = 1, product.a_column = g.depth();
        product.b_row = g.filters, product.b_column = 1;
        product.c = own, product.c_row = filters;
        if (block > blocks * slice / slices) product.addend = own, product.addend_row = filters;
        pack(product, k.in[1].as<S>() + begin * g.filters + group * filters, packed);
        multiply_rows(product, packed, 0, product.m);
      }
    });
    add_slices(sums, slices, g.depth() * filters);
    for (int64_t l = 0; l < g.depth(); ++l) {
      store_converted(dk + l * g.filters + group * filters, sums + l * filters, k.out[0].dtype, filters);
    }
  }
}

size_t kernel_grad_workspace(SpecSpan in, const ConvAttrs& a) {
  const ConvGeometry g = kernel_grad_geometry(in, a);
  const int64_t slices = least(divide_up(g.batch * g.pixels(), slice_pixels), most_slices);
  return compute_size(in[0].dtype) * static_cast<size_t>(slices * g.depth() * g.group_filters());
}

#define BY_DTYPE(name)                                 \
  void name(const KernelCall& k, const ConvAttrs& a) { \
    switch (k.in[0].dtype) {                           \
      case DType::float16:                             \
        return name##_typed<float, Float16>(k, a);     \
      case DType::bfloat16:                            \
        return name##_typed<float, BFloat16>(k, a);    \
      case DType::float32:                             \
        return name##_typed<float, float>(k, a);       \
      default:                                         \
        return name##_typed<double, double>(k, a);     \
    }                                                  \
  }
BY_DTYPE(forward)
BY_DTYPE(input_grad)
BY_DTYPE(kernel_grad)

template <int m>
constexpr Kernel winograd(const char* name) {
  return kernel<winograd_forward<m>, winograd_accepts<m>, winograd_workspace<m>>(name);
}
template <int m>
constexpr Kernel winograd_of_input(const char* name) {
  return kernel<winograd_input_grad<m>, winograd_input_grad_accepts<m>, winograd_input_grad_workspace<m>>(name);
}
template <int m>
constexpr Kernel winograd_of_kernel(const char* name) {
  return kernel<winograd_kernel_grad<m>, winograd_kernel_grad_accepts<m>, winograd_kernel_grad_workspace<m>>(name);
}

}  // namespace

PH_KERNELS(conv2d, kernel<first_layer_forward, first_layer_accepts, first_layer_workspace>("first_layer"),
           kernel<depthwise_forward, depthwise_accepts>("depthwise"), winograd<4>("winograd4"),
           winograd<2>("winograd2"), kernel<forward, nullptr, forward_workspace>("patches"));
PH_KERNELS(conv2d_input_grad, kernel<depthwise_input_grad, depthwise_input_grad_accepts>("depthwise"),
           winograd_of_input<4>("winograd4"), winograd_of_input<2>("winograd2"),
           kernel<input_grad, nullptr, input_grad_workspace>("patches"));
PH_KERNELS(
    conv2d_kernel_grad,
    kernel<first_layer_kernel_grad, first_layer_kernel_grad_accepts, first_layer_kernel_grad_workspace>("first_layer"),
    kernel<depthwise_kernel_grad, depthwise_kernel_grad_accepts, depthwise_kernel_grad_workspace>("depthwise"),
    winograd_of_kernel<4>("winograd4"), winograd_of_kernel<2>("winograd2"),
    kernel<kernel_grad, nullptr, kernel_grad_workspace>("patches"));

}  // namespace ph::PH_LEVEL
