// Convolution as matrix products over patches. A patch is what one output pixel sees, (taps, group channels) in a row;
// the kernel as it lies is the other matrix, (taps * group channels, filters). Patches are made for a block of pixels
// at a time and used while they are in the cache.
//   forward:          y = patches * kernel                       blocks of pixels in parallel
//   gradient of x:    patches' gradient = dy * kernel^T, added back to where patches came from; images in parallel
//   kernel gradient:  patches^T * dy, in slices of the images whose number the shape decides, added in order
// Depthwise convolutions (one channel a group) go straight over the channels.
#include "ops/conv.h"

#include "core/scratch.h"
#include "core/thread_pool.h"
#include "cpu/conv/winograd.h"
#include "cpu/gemm/gemm.h"

namespace ph::PH_LEVEL {

namespace {

constexpr int64_t block_pixels = 6 * row_block;  // pixels whose patches are made at a time
constexpr int64_t most_tasks = 32;

// Tasks of about equal work.
PH_INLINE int64_t task_count(int64_t units) { return least(units, most_tasks); }

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

struct Pixel {
  int64_t image, y, x;
};
PH_INLINE Pixel pixel_at(const ConvGeometry& g, int64_t index) {
  return {index / g.pixels(), index % g.pixels() / g.columns.out, index % g.columns.out};
}

// Copies n elements in vectors, the last of which overlaps the one before; short runs one by one.
template <class T>
PH_INLINE void copy_run(const T* from, T* to, int64_t n) {
  constexpr int64_t w = 16 / static_cast<int64_t>(sizeof(T));
  typedef T Piece __attribute__((vector_size(16), aligned(sizeof(T)), may_alias));
  if (n >= lanes<T>) {
    for (int64_t j = 0; j + lanes<T> <= n; j += lanes<T>) store(to + j, load(from + j));
    store(to + n - lanes<T>, load(from + n - lanes<T>));
  } else if (n >= w) {
    for (int64_t j = 0; j + w <= n; j += w)
      *reinterpret_cast<Piece*>(to + j) = *reinterpret_cast<const Piece*>(from + j);
    *reinterpret_cast<Piece*>(to + n - w) = *reinterpret_cast<const Piece*>(from + n - w);
  } else {
    for (int64_t j = 0; j < n; ++j) to[j] = from[j];
  }
}

// The patches of pixels [begin, begin + count), for one group.
template <class T>
void make_patches(const T* image_data, const ConvGeometry& g, int64_t group, int64_t begin, int64_t count, T* patches) {
  const int64_t channels = g.group_channels(), row_size = channels * g.columns.size;
  const bool dense = g.columns.dilation == 1 && g.groups == 1;
  Pixel p = pixel_at(g, begin);
  for (int64_t i = 0; i < count; ++i) {
    const T* image = image_data + p.image * g.rows.in * g.columns.in * g.channels + group * channels;
    const int64_t left = p.x * g.columns.stride - g.columns.before;
    for (int64_t r = 0; r < g.rows.size; ++r) {
      T* to = patches + (i * g.rows.size + r) * row_size;
      const int64_t y = p.y * g.rows.stride + r * g.rows.dilation - g.rows.before;
      if (y < 0 || y >= g.rows.in) {
        __builtin_memset(to, 0, sizeof(T) * static_cast<size_t>(row_size));
        continue;
      }
      const T* row = image + y * g.columns.in * g.channels;
      if (dense && left >= 0 && left + g.columns.size <= g.columns.in) {
        copy_run(row + left * g.channels, to, row_size);
        continue;
      }
      for (int64_t s = 0; s < g.columns.size; ++s) {
        const int64_t x = left + s * g.columns.dilation;
        const bool inside = x >= 0 && x < g.columns.in;
        for (int64_t c = 0; c < channels; ++c) to[s * channels + c] = inside ? row[x * g.channels + c] : T(0);
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

template <class T>
void forward_typed(const KernelCall& k, const ConvAttrs& a) {
  const ConvGeometry g = conv_geometry(k.in[0].shape, k.in[1].shape, a);
  const T* bias = k.in.size() > 2 ? k.in[2].as<T>() : nullptr;
  T* packed = static_cast<T*>(k.workspace);
  const int64_t pixels = g.batch * g.pixels(), blocks = divide_up(pixels, block_pixels), tasks = task_count(blocks);
  for (int64_t group = 0; group < g.groups; ++group) {
    Gemm<T> product{};
    product.n = g.group_filters(), product.k = g.depth();
    product.b = k.in[1].as<T>() + group * g.group_filters(), product.b_row = g.filters, product.b_column = 1;
    product.c_row = g.filters;
    product.a_row = g.depth(), product.a_column = 1;
    product.bias = bias ? bias + group * g.group_filters() : nullptr;
    product.activation = a.activation;
    pack_b(product, packed);
    parallel_for(tasks, product_ns(g, pixels) / static_cast<double>(tasks), [&](int64_t task) {
      T* patches = scratch<T>(block_pixels * g.depth());
      for (int64_t block = blocks * task / tasks; block < blocks * (task + 1) / tasks; ++block) {
        const int64_t begin = block * block_pixels, count = least(block_pixels, pixels - begin);
        Gemm<T> part = product;
        part.m = count;
        part.c = k.out[0].as<T>() + begin * g.filters + group * g.group_filters();
        if (is_pointwise(g)) {
          part.a = k.in[0].as<T>() + begin * g.channels;
        } else {
          make_patches(k.in[0].as<T>(), g, group, begin, count, patches);
          part.a = patches;
        }
        multiply_rows(part, packed, 0, count);
      }
    });
  }
}

size_t forward_workspace(SpecSpan in, const ConvAttrs& a) {
  const ConvGeometry g = conv_geometry(in[0].shape, in[1].shape, a);
  const int64_t packed =
      packed_size<float>(g.group_filters(), g.depth()) + packed_size<double>(g.group_filters(), g.depth());
  return size_of(in[0].dtype) * static_cast<size_t>(packed);
}

// ---- gradient of the input

template <class T>
void input_grad_typed(const KernelCall& k, const ConvAttrs& a) {
  const ConvGeometry g = conv_geometry(k.out[0].shape, k.in[1].shape, a);
  T* packed = static_cast<T*>(k.workspace);
  const int64_t image_size = g.rows.in * g.columns.in * g.channels, tasks = task_count(g.batch);
  T* dx = k.out[0].as<T>();
  for (int64_t group = 0; group < g.groups; ++group) {
    Gemm<T> product{};
    product.n = g.depth(), product.k = g.group_filters();
    product.b = k.in[1].as<T>() + group * g.group_filters(), product.b_row = 1, product.b_column = g.filters;
    product.a_row = g.filters, product.a_column = 1;
    product.c_row = g.depth();
    pack_b(product, packed);
    parallel_for(tasks, product_ns(g, g.batch * g.pixels()) / static_cast<double>(tasks), [&](int64_t task) {
      T* patches = scratch<T>(block_pixels * g.depth());
      for (int64_t image = g.batch * task / tasks; image < g.batch * (task + 1) / tasks; ++image) {
        T* to = dx + image * image_size;
        if (group == 0) __builtin_memset(to, 0, sizeof(T) * static_cast<size_t>(image_size));
        for (int64_t begin = 0; begin < g.pixels(); begin += block_pixels) {
          Gemm<T> part = product;
          part.m = least(block_pixels, g.pixels() - begin);
          part.a = k.in[0].as<T>() + (image * g.pixels() + begin) * g.filters + group * g.group_filters();
          part.c = is_pointwise(g) ? to + begin * g.channels : patches;
          multiply_rows(part, packed, 0, part.m);
          if (!is_pointwise(g)) add_patches(patches, g, group, begin, part.m, to);
        }
      }
    });
  }
}

size_t input_grad_workspace(SpecSpan in, const ConvAttrs& a) {
  const ConvGeometry g = conv_geometry(conv_input_shape(in[0].shape, in[1].shape, a), in[1].shape, a);
  const int64_t packed =
      packed_size<float>(g.depth(), g.group_filters()) + packed_size<double>(g.depth(), g.group_filters());
  return size_of(in[0].dtype) * static_cast<size_t>(packed);
}

// ---- gradient of the kernel

constexpr int64_t most_slices = 8, slice_pixels = 128;

template <class T>
void kernel_grad_typed(const KernelCall& k, const ConvAttrs& a) {
  const ConvGeometry g = conv_geometry(k.in[0].shape, k.out[0].shape, a);
  const int64_t pixels = g.batch * g.pixels(), blocks = divide_up(pixels, slice_pixels);
  const int64_t slices = least(blocks, most_slices), filters = g.group_filters();
  T* sums = static_cast<T*>(k.workspace);  // a kernel gradient for each slice
  T* dk = k.out[0].as<T>();
  if (pixels == 0) {
    __builtin_memset(dk, 0, sizeof(T) * static_cast<size_t>(k.out[0].size()));
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
          product.a = k.in[0].as<T>() + begin * g.channels;
        } else {
          make_patches(k.in[0].as<T>(), g, group, begin, count, patches);
          product.a = patches;
        }
        product.a_row = 1, product.a_column = g.depth();
        product.b = k.in[1].as<T>() + begin * g.filters + group * filters, product.b_row = g.filters,
        product.b_column = 1;
        product.c = own, product.c_row = filters;
        product.accumulate = block > blocks * slice / slices;
        pack_b(product, packed);
        multiply_rows(product, packed, 0, product.m);
      }
    });
    for (int64_t l = 0; l < g.depth(); ++l) {
      T* to = dk + l * g.filters + group * filters;
      for (int64_t slice = 0; slice < slices; ++slice) {
        const T* sum = sums + (slice * g.depth() + l) * filters;
        for (int64_t j = 0; j < filters; ++j) to[j] = slice ? to[j] + sum[j] : sum[j];
      }
    }
  }
}

size_t kernel_grad_workspace(SpecSpan in, const ConvAttrs& a) {
  const ConvGeometry g = conv_geometry(in[0].shape, conv_kernel_shape(in[0].shape, in[1].shape, a), a);
  const int64_t slices = least(divide_up(g.batch * g.pixels(), slice_pixels), most_slices);
  return size_of(in[0].dtype) * static_cast<size_t>(slices * g.depth() * g.group_filters());
}

#define BY_DTYPE(name)                                 \
  void name(const KernelCall& k, const ConvAttrs& a) { \
    if (k.in[0].dtype == DType::float32) {             \
      name##_typed<float>(k, a);                       \
    } else {                                           \
      name##_typed<double>(k, a);                      \
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

PH_KERNELS(conv2d, winograd<4>("winograd4"), winograd<2>("winograd2"),
           kernel<forward, nullptr, forward_workspace>("patches"));
PH_KERNELS(conv2d_input_grad, winograd_of_input<4>("winograd4"), winograd_of_input<2>("winograd2"),
           kernel<input_grad, nullptr, input_grad_workspace>("patches"));
PH_KERNELS(conv2d_kernel_grad, winograd_of_kernel<4>("winograd4"), winograd_of_kernel<2>("winograd2"),
           kernel<kernel_grad, nullptr, kernel_grad_workspace>("patches"));

}  // namespace ph::PH_LEVEL
