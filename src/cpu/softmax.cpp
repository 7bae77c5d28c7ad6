// Softmax along one axis of x seen as (outer, n, inner). Rows (inner == 1) are taken in blocks: what is exponentiated
// is laid side by side first, so that short rows (ten classes) fill whole vectors too. Otherwise columns are taken in
// strips.
#include "ops/softmax.h"

#include <cmath>

#include "core/scalar.h"
#include "core/thread_pool.h"
#include "cpu/halves.h"
#include "cpu/rows.h"

namespace ph::PH_LEVEL {

namespace {

constexpr int64_t block_elements = 4096;

struct Layout {
  int64_t outer, n, inner;
};

PH_INLINE Layout layout_of(const Shape& shape, int64_t axis) {
  const int at = static_cast<int>(axis < 0 ? axis + shape.rank() : axis);
  return {shape.product(0, at), shape[at], shape.product(at + 1, shape.rank())};
}

template <bool logarithm, class T>
void softmax_long_row(const T* x, T* y, int64_t n) {
  const T most = row_max(x, n), total = exponentiate_row<!logarithm>(x, y, n, most);
  if constexpr (logarithm) {
    const T shift = scalar::log(total);
    for (int64_t i = 0; i < n; ++i) y[i] = (x[i] - most) - shift;
  } else {
    const T scale = 1 / total;
    for (int64_t i = 0; i < n; ++i) y[i] *= scale;
  }
}

template <bool logarithm, class T>
void softmax_block(const T* x, T* y, int64_t rows, int64_t n) {
  if (n >= long_row) {
    for (int64_t r = 0; r < rows; ++r) softmax_long_row<logarithm>(x + r * n, y + r * n, n);
    return;
  }
  for (int64_t r = 0; r < rows; ++r) {
    const T most = row_max(x + r * n, n);
    for (int64_t i = 0; i < n; ++i) y[r * n + i] = x[r * n + i] - most;
  }
  T raised[block_elements];
  for (int64_t i = 0; i < rows * n; ++i) raised[i] = scalar::exp(y[i]);
  for (int64_t r = 0; r < rows; ++r) {
    const T* from = raised + r * n;
    const T total = row_sum<T>(n, [&](int64_t i) { return from[i]; });
    T* row = y + r * n;
    if constexpr (logarithm) {
      const T shift = scalar::log(total);
      for (int64_t i = 0; i < n; ++i) row[i] -= shift;
    } else {
      const T scale = 1 / total;
      for (int64_t i = 0; i < n; ++i) row[i] = from[i] * scale;
    }
  }
}

// Columns begin, ..., begin + width of one (n, inner) plane.
template <bool logarithm, class T>
void softmax_strip(const T* x, T* y, int64_t n, int64_t inner, int64_t width) {
  constexpr int64_t most_width = 64;
  T most[most_width], total[most_width] = {};
  for (int64_t j = 0; j < width; ++j) most[j] = x[j];
  for (int64_t i = 1; i < n; ++i) {
    for (int64_t j = 0; j < width; ++j) most[j] = scalar::maximum(most[j], x[i * inner + j]);
  }
  for (int64_t i = 0; i < n; ++i) {
    for (int64_t j = 0; j < width; ++j) {
      const T shifted = x[i * inner + j] - most[j], raised = scalar::exp(shifted);
      y[i * inner + j] = logarithm ? shifted : raised;
      total[j] += raised;
    }
  }
  for (int64_t j = 0; j < width; ++j) total[j] = logarithm ? scalar::log(total[j]) : 1 / total[j];
  for (int64_t i = 0; i < n; ++i) {
    for (int64_t j = 0; j < width; ++j) {
      T& at = y[i * inner + j];
      at = logarithm ? at - total[j] : at * total[j];
    }
  }
}

// rows(first, count) for blocks of whole rows, or strip(offset, width) for columns.
template <class Rows, class Strip>
PH_INLINE void for_parts(const Layout& p, double ns_per_element, Rows rows, Strip strip) {
  if (p.outer * p.n * p.inner == 0) return;
  if (p.inner == 1) {
    const int64_t per_block = p.n < block_elements ? block_elements / p.n : 1;
    parallel_for((p.outer + per_block - 1) / per_block, ns_per_element * static_cast<double>(per_block * p.n),
                 [&](int64_t block) {
                   const int64_t first = block * per_block;
                   rows(first, p.outer - first < per_block ? p.outer - first : per_block);
                 });
    return;
  }
  constexpr int64_t width = 64;
  const int64_t strips = (p.inner + width - 1) / width;
  parallel_for(p.outer * strips, ns_per_element * static_cast<double>(p.n * width), [&](int64_t chunk) {
    const int64_t begin = chunk % strips * width;
    strip(chunk / strips * p.n * p.inner + begin, p.inner - begin < width ? p.inner - begin : width);
  });
}

template <bool logarithm, class T>
void softmax_typed(const KernelCall& k, const SoftmaxAttrs& a) {
  const Layout p = layout_of(k.in[0].shape, a.axis);
  const T* x = k.in[0].as<T>();
  T* y = k.out[0].as<T>();
  for_parts(
      p, sizeof(T) == 4 ? 1.0 : 8.0,
      [&](int64_t first, int64_t rows) { softmax_block<logarithm>(x + first * p.n, y + first * p.n, rows, p.n); },
      [&](int64_t at, int64_t width) { softmax_strip<logarithm>(x + at, y + at, p.n, p.inner, width); });
}

template <bool logarithm>
void softmax(const KernelCall& k, const SoftmaxAttrs& a) {
  k.in[0].dtype == DType::float32 ? softmax_typed<logarithm, float>(k, a) : softmax_typed<logarithm, double>(k, a);
}

template <class T>
void softmax_grad_typed(const KernelCall& k, const SoftmaxAttrs& a) {
  const Layout p = layout_of(k.in[0].shape, a.axis);
  const T *all_y = k.in[0].as<T>(), *all_dy = k.in[1].as<T>();
  T* all_dx = k.out[0].as<T>();
  for_parts(
      p, 0.3,
      [&](int64_t first, int64_t rows) {
        for (int64_t r = first; r < first + rows; ++r) {
          const T *y = all_y + r * p.n, *dy = all_dy + r * p.n;
          const T total = row_sum<T>(p.n, [&](int64_t i) { return y[i] * dy[i]; });
          for (int64_t i = 0; i < p.n; ++i) all_dx[r * p.n + i] = y[i] * (dy[i] - total);
        }
      },
      [&](int64_t at, int64_t width) {
        T total[64] = {};
        for (int64_t i = 0; i < p.n; ++i) {
          for (int64_t j = 0; j < width; ++j) total[j] += all_y[at + i * p.inner + j] * all_dy[at + i * p.inner + j];
        }
        for (int64_t i = 0; i < p.n; ++i) {
          for (int64_t j = 0; j < width; ++j) {
            const int64_t e = at + i * p.inner + j;
            all_dx[e] = all_y[e] * (all_dy[e] - total[j]);
          }
        }
      });
}

void softmax_grad(const KernelCall& k, const SoftmaxAttrs& a) {
  k.in[0].dtype == DType::float32 ? softmax_grad_typed<float>(k, a) : softmax_grad_typed<double>(k, a);
}

template <auto run>
void in_float(const KernelCall& k, const SoftmaxAttrs& a) {
  const int rank = k.in[0].shape.rank(), lead = static_cast<int>(a.axis < 0 ? a.axis + rank : a.axis);
  const SoftmaxAttrs within{lead > 0};
  run_pieces_in_float(k, lead, k.in.size(), 1.5, [&](const KernelCall& piece, int64_t) { run(piece, within); });
}

}  // namespace

#define PH_SOFTMAX(op, run)                                       \
  PH_KERNELS(op, kernel<run, wide_float<SoftmaxAttrs>>("blocks"), \
             kernel<in_float<run>, half_float<SoftmaxAttrs>>("converted"))
PH_SOFTMAX(softmax, softmax<false>);
PH_SOFTMAX(log_softmax, softmax<true>);
PH_SOFTMAX(softmax_grad, softmax_grad);
#undef PH_SOFTMAX

}  // namespace ph::PH_LEVEL
