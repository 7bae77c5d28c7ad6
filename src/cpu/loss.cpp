// Cross entropies over rows of class scores. Rows are taken in blocks; what is exponentiated is laid side by side
// first, so that short rows (ten classes) fill whole vectors too.
#include "ops/loss.h"

#include <cmath>

#include "core/error.h"
#include "core/scalar.h"
#include "core/thread_pool.h"
#include "cpu/halves.h"
#include "cpu/rows.h"

namespace ph::PH_LEVEL {

namespace {

constexpr int64_t block_elements = 2048;

struct Rows {
  int64_t count, n;
};

PH_INLINE Rows rows_of(const Shape& shape) { return {shape.product(0, shape.rank() - 1), shape.back()}; }

// f(first, count) for blocks of rows.
template <class F>
PH_INLINE void for_blocks(const Rows& rows, double ns_per_element, F f) {
  const int64_t per_block = rows.n < block_elements ? block_elements / rows.n : 1;
  parallel_for((rows.count + per_block - 1) / per_block, ns_per_element * static_cast<double>(per_block * rows.n),
               [&](int64_t block) {
                 const int64_t first = block * per_block;
                 f(first, rows.count - first < per_block ? rows.count - first : per_block);
               });
}

PH_INLINE int64_t label_at(const View& labels, int64_t i) {
  return labels.dtype == DType::int32 ? labels.as<int32_t>()[i] : labels.as<int64_t>()[i];
}

void check_labels(const View& labels, int64_t classes, const char* op) {
  for (int64_t i = 0; i < labels.size(); ++i) {
    const int64_t label = label_at(labels, i);
    if (label < 0 || label >= classes) fail_label(op, label, classes);
  }
}

// most[r] = max of row r, total[r] = sum(exp(x - most)), for the rows of one block.
template <class T>
void exponential_sums(const T* x, int64_t rows, int64_t n, T* most, T* total) {
  if (n >= long_row) {
    for (int64_t r = 0; r < rows; ++r) {
      most[r] = row_max(x + r * n, n);
      total[r] = exponentiate_row<false, T>(x + r * n, nullptr, n, most[r]);
    }
    return;
  }
  T raised[block_elements];
  for (int64_t r = 0; r < rows; ++r) {
    most[r] = row_max(x + r * n, n);
    for (int64_t i = 0; i < n; ++i) raised[r * n + i] = x[r * n + i] - most[r];
  }
  for (int64_t i = 0; i < rows * n; ++i) raised[i] = scalar::exp(raised[i]);
  for (int64_t r = 0; r < rows; ++r) {
    const T* row = raised + r * n;
    total[r] = row_sum<T>(n, [&](int64_t i) { return row[i]; });
  }
}

// y = scale * exp(x - log_sum) by rows; y may be x.
template <class T, class Scale>
void scaled_softmax(const T* x, T* y, const T* log_sum, int64_t rows, int64_t n, Scale scale) {
  if (n >= long_row) {
    for (int64_t r = 0; r < rows; ++r) {
      const T by = scale(r), shift = log_sum[r];
      for (int64_t i = r * n; i < (r + 1) * n; ++i) y[i] = scalar::exp(x[i] - shift) * by;
    }
    return;
  }
  for (int64_t r = 0; r < rows; ++r) {
    for (int64_t i = 0; i < n; ++i) y[r * n + i] = x[r * n + i] - log_sum[r];
  }
  for (int64_t i = 0; i < rows * n; ++i) y[i] = scalar::exp(y[i]);
  for (int64_t r = 0; r < rows; ++r) {
    const T by = scale(r);
    for (int64_t i = 0; i < n; ++i) y[r * n + i] *= by;
  }
}

template <class T>
constexpr double exp_ns = sizeof(T) == 4 ? 1.0 : 8.0;

// loss_of(row, most, log_total) gives a row's loss; log_sum is the sum of the two.
template <class T, class Loss>
PH_INLINE void softmax_losses(const KernelCall& k, Loss loss_of) {
  const Rows rows = rows_of(k.in[0].shape);
  const T* x = k.in[0].as<T>();
  T *loss = k.out[0].as<T>(), *log_sum = k.out[1].as<T>();
  for_blocks(rows, exp_ns<T>, [&](int64_t first, int64_t count) {
    T most[block_elements], total[block_elements];
    exponential_sums(x + first * rows.n, count, rows.n, most, total);
    for (int64_t r = 0; r < count; ++r) total[r] = scalar::log(total[r]);
    for (int64_t r = 0; r < count; ++r) {
      loss[first + r] = loss_of(first + r, most[r], total[r]);
      log_sum[first + r] = most[r] + total[r];
    }
  });
}

template <class T>
void sparse_softmax_typed(const KernelCall& k) {
  const View& labels = k.in[1];
  const T* x = k.in[0].as<T>();
  const int64_t n = k.in[0].shape.back();
  check_labels(labels, n, "sparse_softmax_cross_entropy");
  softmax_losses<T>(
      k, [&](int64_t row, T most, T log_total) { return log_total - (x[row * n + label_at(labels, row)] - most); });
}

template <class T>
void softmax_typed(const KernelCall& k) {
  const T *x = k.in[0].as<T>(), *targets = k.in[1].as<T>();
  const int64_t n = k.in[0].shape.back();
  softmax_losses<T>(k, [&](int64_t row, T most, T log_total) {
    const T *scores = x + row * n, *target = targets + row * n;
    return row_sum<T>(n, [&](int64_t i) {
      // a target of 0 counts for nothing, be its score minus infinity
      return scalar::pick(target[i] == 0, T(0), target[i] * (log_total - (scores[i] - most)));
    });
  });
}

template <class T>
void sparse_softmax_grad_typed(const KernelCall& k) {
  const Rows rows = rows_of(k.in[0].shape);
  const View& labels = k.in[1];
  const T *x = k.in[0].as<T>(), *log_sum = k.in[2].as<T>(), *dloss = k.in[3].as<T>();
  T* dx = k.out[0].as<T>();
  for_blocks(rows, exp_ns<T>, [&](int64_t first, int64_t count) {
    scaled_softmax(x + first * rows.n, dx + first * rows.n, log_sum + first, count, rows.n,
                   [&](int64_t r) { return dloss[first + r]; });
    for (int64_t r = first; r < first + count; ++r) {
      const int64_t label = label_at(labels, r);
      if (label >= 0 && label < rows.n) dx[r * rows.n + label] -= dloss[r];
    }
  });
}

template <class T>
void softmax_grad_typed(const KernelCall& k) {
  const Rows rows = rows_of(k.in[0].shape);
  const T *x = k.in[0].as<T>(), *targets = k.in[1].as<T>(), *log_sum = k.in[2].as<T>(), *dloss = k.in[3].as<T>();
  T* dx = k.out[0].as<T>();
  for_blocks(rows, exp_ns<T>, [&](int64_t first, int64_t count) {
    const T* block_targets = targets + first * rows.n;
    scaled_softmax(x + first * rows.n, dx + first * rows.n, log_sum + first, count, rows.n, [&](int64_t r) {
      return dloss[first + r] * row_sum<T>(rows.n, [&](int64_t i) { return block_targets[r * rows.n + i]; });
    });
    for (int64_t r = first; r < first + count; ++r) {
      for (int64_t i = 0; i < rows.n; ++i) dx[r * rows.n + i] -= dloss[r] * targets[r * rows.n + i];
    }
  });
}

template <class T>
void sparse_typed(const KernelCall& k, const ProbabilityAttrs& a) {
  const Rows rows = rows_of(k.in[0].shape);
  const View& labels = k.in[1];
  const T* p = k.in[0].as<T>();
  T* loss = k.out[0].as<T>();
  const T low = static_cast<T>(a.epsilon), high = static_cast<T>(1 - a.epsilon);
  check_labels(labels, rows.n, "sparse_cross_entropy");
  for_blocks(rows, 0.3, [&](int64_t first, int64_t count) {
    for (int64_t r = first; r < first + count; ++r) {
      const T* row = p + r * rows.n;
      const T share = row[label_at(labels, r)] / row_sum<T>(rows.n, [&](int64_t i) { return row[i]; });
      loss[r] = -scalar::log(share < low ? low : share > high ? high : share);
    }
  });
}

// share = p[label] / sum(p); dp[i] = -dloss / share * (onehot[i] - share) / sum(p), where share is not clipped
template <class T>
void sparse_grad_typed(const KernelCall& k, const ProbabilityAttrs& a) {
  const Rows rows = rows_of(k.in[0].shape);
  const View& labels = k.in[1];
  const T *p = k.in[0].as<T>(), *dloss = k.in[2].as<T>();
  T* dp = k.out[0].as<T>();
  const T low = static_cast<T>(a.epsilon), high = static_cast<T>(1 - a.epsilon);
  for_blocks(rows, 0.3, [&](int64_t first, int64_t count) {
    for (int64_t r = first; r < first + count; ++r) {
      const T* row = p + r * rows.n;
      const int64_t label = label_at(labels, r);
      const bool inside = label >= 0 && label < rows.n;
      const T total = row_sum<T>(rows.n, [&](int64_t i) { return row[i]; });
      const T share = inside ? row[label] / total : T(NAN);
      const bool clipped = share < low || share > high;
      const T others = clipped ? T(0) : dloss[r] / total;
      for (int64_t i = 0; i < rows.n; ++i) dp[r * rows.n + i] = others;
      if (inside && !clipped) dp[r * rows.n + label] = others - dloss[r] / (share * total);
    }
  });
}

#define BY_TYPE(name)                                                   \
  void name(const KernelCall& k, const NoAttrs&) {                      \
    if (k.in[0].dtype == DType::float32) return name##_typed<float>(k); \
    name##_typed<double>(k);                                            \
  }
BY_TYPE(sparse_softmax)
BY_TYPE(sparse_softmax_grad)
BY_TYPE(softmax)
BY_TYPE(softmax_grad)
#undef BY_TYPE

void sparse(const KernelCall& k, const ProbabilityAttrs& a) {
  k.in[0].dtype == DType::float32 ? sparse_typed<float>(k, a) : sparse_typed<double>(k, a);
}
void sparse_grad(const KernelCall& k, const ProbabilityAttrs& a) {
  k.in[0].dtype == DType::float32 ? sparse_grad_typed<float>(k, a) : sparse_grad_typed<double>(k, a);
}

template <auto run, class Attrs>
void in_float(const KernelCall& k, const Attrs& a) {
  const int lead = k.in[0].shape.rank() - 1;
  run_pieces_in_float(k, lead, k.in.size(), 1.5, [&](const KernelCall& piece, int64_t) { run(piece, a); });
}

}  // namespace

#define PH_LOSS(op, run, Attrs, variant) \
  PH_KERNELS(op, kernel<run, wide_float<Attrs>>(variant), kernel<in_float<run, Attrs>, half_float<Attrs>>("converted"))
PH_LOSS(sparse_softmax_cross_entropy, sparse_softmax, NoAttrs, "blocks");
PH_LOSS(sparse_softmax_cross_entropy_grad, sparse_softmax_grad, NoAttrs, "blocks");
PH_LOSS(softmax_cross_entropy, softmax, NoAttrs, "blocks");
PH_LOSS(softmax_cross_entropy_grad, softmax_grad, NoAttrs, "blocks");
PH_LOSS(sparse_cross_entropy, sparse, ProbabilityAttrs, "rows");
PH_LOSS(sparse_cross_entropy_grad, sparse_grad, ProbabilityAttrs, "rows");
#undef PH_LOSS

}  // namespace ph::PH_LEVEL
