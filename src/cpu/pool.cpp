// Pooling, channels innermost: every loop over channels is a vector loop. Images in parallel; windows of one image in
// order, so overlapping windows add their gradients the same way each time.
#include "ops/pool.h"

#include "core/thread_pool.h"
#include "cpu/halves.h"

namespace ph::PH_LEVEL {

namespace {

// Taps of a window that lie inside: input positions [begin, end).
struct Span {
  int64_t begin, end;
};
PH_INLINE Span inside(const Window& w, int64_t out) {
  const int64_t begin = out * w.stride - w.before, end = begin + w.size;
  return {begin < 0 ? 0 : begin, end > w.in ? w.in : end};
}

// visit(output pixel's index in the image, rows, columns) for each window of an image.
template <class Visit>
PH_INLINE void for_each_window(const PoolGeometry& g, Visit visit) {
  for (int64_t y = 0; y < g.rows.out; ++y) {
    const Span rows = inside(g.rows, y);
    for (int64_t x = 0; x < g.columns.out; ++x) visit(y * g.columns.out + x, rows, inside(g.columns, x));
  }
}

template <class F>
PH_INLINE void for_each_image(const PoolGeometry& g, F f) {
  const double ns = 0.3 * static_cast<double>(g.rows.out * g.columns.out * g.rows.size * g.columns.size * g.channels);
  parallel_for(g.batch, ns, f);
}

template <class T>
void max_typed(const KernelCall& k, const PoolAttrs& a) {
  const PoolGeometry g = pool_geometry(k.in[0].shape, a);
  const int64_t in_size = g.rows.in * g.columns.in * g.channels, out_size = g.rows.out * g.columns.out * g.channels;
  for_each_image(g, [&](int64_t image) {
    const T* x = k.in[0].as<T>() + image * in_size;
    T* y = k.out[0].as<T>() + image * out_size;
    for_each_window(g, [&](int64_t pixel, Span rows, Span columns) {
      T* to = y + pixel * g.channels;
      bool first = true;
      for (int64_t r = rows.begin; r < rows.end; ++r) {
        for (int64_t s = columns.begin; s < columns.end; ++s) {
          const T* from = x + (r * g.columns.in + s) * g.channels;
          if (first) {
            for (int64_t c = 0; c < g.channels; ++c) to[c] = from[c];
          } else {
            for (int64_t c = 0; c < g.channels; ++c) to[c] = from[c] > to[c] || from[c] != from[c] ? from[c] : to[c];
          }
          first = false;
        }
      }
    });
  });
}

void max_forward(const KernelCall& k, const PoolAttrs& a) {
  switch (k.in[0].dtype) {
    case DType::float32:
      return max_typed<float>(k, a);
    case DType::float64:
      return max_typed<double>(k, a);
    case DType::int32:
      return max_typed<int32_t>(k, a);
    default:
      return max_typed<int64_t>(k, a);
  }
}

// Whether no two windows share an element, and whether every element is in one.
PH_INLINE bool is_apart(const PoolGeometry& g) {
  return g.rows.stride >= g.rows.size && g.columns.stride >= g.columns.size;
}
PH_INLINE bool covers_all(const Window& w) { return w.stride <= w.size && w.out * w.stride - w.before >= w.in; }

// To the first element of the window that equals the maximum.
template <class T, bool apart>
void max_grad_windows(const KernelCall& k, const PoolGeometry& g) {
  const int64_t in_size = g.rows.in * g.columns.in * g.channels, out_size = g.rows.out * g.columns.out * g.channels;
  for_each_image(g, [&](int64_t image) {
    const T* x = k.in[0].as<T>() + image * in_size;
    const T* y = k.in[1].as<T>() + image * out_size;
    const T* dy = k.in[2].as<T>() + image * out_size;
    T* dx = k.out[0].as<T>() + image * in_size;
    if (!apart || !covers_all(g.rows) || !covers_all(g.columns)) {
      __builtin_memset(dx, 0, sizeof(T) * static_cast<size_t>(in_size));
    }
    constexpr int64_t strip = 128;
    for_each_window(g, [&](int64_t pixel, Span rows, Span columns) {
      for (int64_t c0 = 0; c0 < g.channels; c0 += strip) {
        const int64_t n = g.channels - c0 < strip ? g.channels - c0 : strip;
        const T* highest = y + pixel * g.channels + c0;
        T left[strip];  // the gradient until it has found its place
        for (int64_t c = 0; c < n; ++c) left[c] = dy[pixel * g.channels + c0 + c];
        for (int64_t r = rows.begin; r < rows.end; ++r) {
          for (int64_t s = columns.begin; s < columns.end; ++s) {
            const int64_t at = (r * g.columns.in + s) * g.channels + c0;
            const T* from = x + at;
            T* to = dx + at;
            for (int64_t c = 0; c < n; ++c) {
              const bool hit = from[c] == highest[c];
              const T found = hit ? left[c] : T(0);
              to[c] = apart ? found : to[c] + found;
              left[c] = hit ? T(0) : left[c];
            }
          }
        }
      }
    });
  });
}

template <class T>
void max_grad_typed(const KernelCall& k, const PoolAttrs& a) {
  const PoolGeometry g = pool_geometry(k.in[0].shape, a);
  is_apart(g) ? max_grad_windows<T, true>(k, g) : max_grad_windows<T, false>(k, g);
}

template <class T>
void average_typed(const KernelCall& k, const PoolAttrs& a) {
  const PoolGeometry g = pool_geometry(k.in[0].shape, a);
  const int64_t in_size = g.rows.in * g.columns.in * g.channels, out_size = g.rows.out * g.columns.out * g.channels;
  for_each_image(g, [&](int64_t image) {
    const T* x = k.in[0].as<T>() + image * in_size;
    T* y = k.out[0].as<T>() + image * out_size;
    for_each_window(g, [&](int64_t pixel, Span rows, Span columns) {
      T* to = y + pixel * g.channels;
      for (int64_t c = 0; c < g.channels; ++c) to[c] = 0;
      for (int64_t r = rows.begin; r < rows.end; ++r) {
        for (int64_t s = columns.begin; s < columns.end; ++s) {
          const T* from = x + (r * g.columns.in + s) * g.channels;
          for (int64_t c = 0; c < g.channels; ++c) to[c] += from[c];
        }
      }
      const T count = static_cast<T>((rows.end - rows.begin) * (columns.end - columns.begin));
      for (int64_t c = 0; c < g.channels; ++c) to[c] /= count;
    });
  });
}

template <class T>
void average_grad_typed(const KernelCall& k, const PoolAttrs& a) {
  const PoolGeometry g = pool_geometry(k.out[0].shape, a);
  const int64_t in_size = g.rows.in * g.columns.in * g.channels, out_size = g.rows.out * g.columns.out * g.channels;
  for_each_image(g, [&](int64_t image) {
    const T* dy = k.in[0].as<T>() + image * out_size;
    T* dx = k.out[0].as<T>() + image * in_size;
    __builtin_memset(dx, 0, sizeof(T) * static_cast<size_t>(in_size));
    for_each_window(g, [&](int64_t pixel, Span rows, Span columns) {
      const T* from = dy + pixel * g.channels;
      const T count = static_cast<T>((rows.end - rows.begin) * (columns.end - columns.begin));
      for (int64_t r = rows.begin; r < rows.end; ++r) {
        for (int64_t s = columns.begin; s < columns.end; ++s) {
          T* to = dx + (r * g.columns.in + s) * g.channels;
          for (int64_t c = 0; c < g.channels; ++c) to[c] += from[c] / count;
        }
      }
    });
  });
}

#define BY_DTYPE(name)                                 \
  void name(const KernelCall& k, const PoolAttrs& a) { \
    if (k.in[0].dtype == DType::float32) {             \
      name##_typed<float>(k, a);                       \
    } else {                                           \
      name##_typed<double>(k, a);                      \
    }                                                  \
  }
BY_DTYPE(max_grad)
BY_DTYPE(average)
BY_DTYPE(average_grad)

const char* full_width(SpecSpan in, const PoolAttrs&) {
  return is_half(in[0].dtype) ? "wants another type than float16 and bfloat16" : nullptr;
}

template <auto run>
void in_float(const KernelCall& k, const PoolAttrs& a) {
  run_pieces_in_float(k, 1, k.in.size(), 1.0, [&](const KernelCall& images, int64_t) { run(images, a); });
}

}  // namespace

#define PH_POOL(op, run) \
  PH_KERNELS(op, kernel<run, full_width>("windows"), kernel<in_float<run>, half_float<PoolAttrs>>("converted"))
PH_POOL(max_pool2d, max_forward);
PH_POOL(max_pool2d_grad, max_grad);
PH_POOL(average_pool2d, average);
PH_POOL(average_pool2d_grad, average_grad);
#undef PH_POOL

}  // namespace ph::PH_LEVEL
