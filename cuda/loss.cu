// Cross entropies over rows of class scores, in the tensor's own type (float32, float64; float16 and bfloat16 through
// float32). A row is read once and held by a group of threads (cuda/rows.h). A label that does not exist is reported;
// its loss is NaN and its gradient zero.
#include <cmath>

#include "cuda/halves.h"
#include "cuda/rows.h"
#include "ops/loss.h"

namespace ph::cuda {

namespace {

struct Labels {
  const void* data;
  bool wide;

  explicit Labels(const View& view) : data(view.data), wide(view.dtype == DType::int64) {}
  __device__ __forceinline__ int64_t operator[](int64_t row) const {
    return wide ? static_cast<const int64_t*>(data)[row] : static_cast<const int32_t*>(data)[row];
  }
};

// The label of a row, -1 where it is none of n classes or the threads have no row.
template <class Threads>
__device__ __forceinline__ int64_t valid_label(const Threads& threads, const Labels& labels, int64_t row) {
  const int64_t label = threads.active ? labels[row] : -1;
  return label >= 0 && label < threads.n ? label : -1;
}

template <class Threads>
__device__ __forceinline__ void report_label(const Threads& threads, Fault* fault, const char* op, const Labels& labels,
                                             int64_t row) {
  report(fault, Fault::label, op, labels[row], threads.n);
}

template <class T>
struct SparseSoftmax {
  const T* x;
  Labels labels;
  T *loss, *log_sum;
  Fault* fault;
  const char* op;

  template <class Threads>
  __device__ void operator()(const Threads& threads, int64_t row) const {
    const auto scores = threads.load(x, row);
    T most, total;
    exponential_sum(threads, scores, most, total);
    if (threads.lane != 0 || !threads.active) return;
    const int64_t label = valid_label(threads, labels, row);
    const T log_total = scalar::log(total);
    log_sum[row] = most + log_total;
    loss[row] = label < 0 ? static_cast<T>(NAN) : log_total - (x[row * threads.n + label] - most);
    if (label < 0) report_label(threads, fault, op, labels, row);
  }
};

// dx may be x.
template <class T>
struct SparseSoftmaxGrad {
  const T* x;
  Labels labels;
  const T *log_sum, *dloss;
  T* dx;

  template <class Threads>
  __device__ void operator()(const Threads& threads, int64_t row) const {
    if (!threads.active) return;
    const auto scores = threads.load(x, row);
    const int64_t label = valid_label(threads, labels, row);
    const T by = dloss[row], shift = log_sum[row];
    threads.store(dx, row, [&](auto at) {
      if (label < 0) return T(0);
      const T slope = scalar::exp(scores[at] - shift) * by;
      return at.i == label ? slope - by : slope;
    });
  }
};

template <class T>
struct SoftmaxLoss {
  const T *x, *targets;
  T *loss, *log_sum;

  template <class Threads>
  __device__ void operator()(const Threads& threads, int64_t row) const {
    const auto scores = threads.load(x, row), target = threads.load(targets, row);
    T most, total;
    exponential_sum(threads, scores, most, total);
    const T log_total = scalar::log(total);
    T sum = 0;
    threads.each([&](auto at) {
      // a target of 0 counts for nothing, be its score minus infinity
      sum += target[at] == 0 ? T(0) : target[at] * (log_total - (scores[at] - most));
    });
    sum = threads.reduce(sum, AddUp());
    if (threads.lane != 0 || !threads.active) return;
    loss[row] = sum;
    log_sum[row] = most + log_total;
  }
};

// dx may be x.
template <class T>
struct SoftmaxLossGrad {
  const T *x, *targets, *log_sum, *dloss;
  T* dx;

  template <class Threads>
  __device__ void operator()(const Threads& threads, int64_t row) const {
    const auto scores = threads.load(x, row), target = threads.load(targets, row);
    T sum = 0;
    threads.each([&](auto at) { sum += target[at]; });
    sum = threads.reduce(sum, AddUp());
    if (!threads.active) return;
    const T by = dloss[row], shift = log_sum[row], scale = by * sum;
    threads.store(dx, row, [&](auto at) { return scalar::exp(scores[at] - shift) * scale - by * target[at]; });
  }
};

template <class T>
struct Sparse {
  const T* p;
  Labels labels;
  T* loss;
  T low, high;
  Fault* fault;
  const char* op;

  template <class Threads>
  __device__ void operator()(const Threads& threads, int64_t row) const {
    const auto probabilities = threads.load(p, row);
    T total = 0;
    threads.each([&](auto at) { total += probabilities[at]; });
    total = threads.reduce(total, AddUp());
    if (threads.lane != 0 || !threads.active) return;
    const int64_t label = valid_label(threads, labels, row);
    const T share = label < 0 ? static_cast<T>(NAN) : p[row * threads.n + label] / total;
    loss[row] = -scalar::log(share < low ? low : share > high ? high : share);
    if (label < 0) report_label(threads, fault, op, labels, row);
  }
};

// share = p[label] / sum(p); dp[i] = -dloss / share * (onehot[i] - share) / sum(p), where share is not clipped. dp may
// be p.
template <class T>
struct SparseGrad {
  const T* p;
  Labels labels;
  const T* dloss;
  T* dp;
  T low, high;

  template <class Threads>
  __device__ void operator()(const Threads& threads, int64_t row) const {
    const auto probabilities = threads.load(p, row);
    const int64_t label = valid_label(threads, labels, row);
    T total = 0, share = 0;
    threads.each([&](auto at) { total += probabilities[at]; });
    total = threads.reduce(total, AddUp());
    if (label >= 0) share = p[row * threads.n + label] / total;
    threads.wait();  // before that place is overwritten
    if (!threads.active) return;
    const bool flat = label < 0 || share < low || share > high;
    const T others = flat ? T(0) : dloss[row] / total, own = flat ? T(0) : others - dloss[row] / (share * total);
    threads.store(dp, row, [&](auto at) { return at.i == label ? own : others; });
  }
};

bool all_aligned(const KernelCall& k) {
  return is_aligned(k.in[0].data) && is_aligned(k.in[1].data) && is_aligned(k.out[0].data);
}

// make(T()) gives the op for a dtype.
template <class Make>
void for_classes(const KernelCall& k, Make make) {
  const Shape& shape = k.in[0].shape;
  const int64_t count = shape.product(0, shape.rank() - 1), n = shape.back();
  // labels and losses are read and written one by one
  const bool aligned = all_aligned(k);
  if (k.in[0].dtype == DType::float32) return for_rows<float>(make(float()), count, n, aligned);
  for_rows<double>(make(double()), count, n, aligned);
}

void sparse_softmax(const KernelCall& k, const NoAttrs&) {
  for_classes(k, [&](auto type) {
    using T = decltype(type);
    return SparseSoftmax<T>{k.in[0].as<T>(),  Labels(k.in[1]), k.out[0].as<T>(),
                            k.out[1].as<T>(), device().fault,  "sparse_softmax_cross_entropy"};
  });
}

void sparse_softmax_grad(const KernelCall& k, const NoAttrs&) {
  for_classes(k, [&](auto type) {
    using T = decltype(type);
    return SparseSoftmaxGrad<T>{k.in[0].as<T>(), Labels(k.in[1]), k.in[2].as<T>(), k.in[3].as<T>(), k.out[0].as<T>()};
  });
}

void softmax_loss(const KernelCall& k, const NoAttrs&) {
  for_classes(k, [&](auto type) {
    using T = decltype(type);
    return SoftmaxLoss<T>{k.in[0].as<T>(), k.in[1].as<T>(), k.out[0].as<T>(), k.out[1].as<T>()};
  });
}

void softmax_loss_grad(const KernelCall& k, const NoAttrs&) {
  for_classes(k, [&](auto type) {
    using T = decltype(type);
    return SoftmaxLossGrad<T>{k.in[0].as<T>(), k.in[1].as<T>(), k.in[2].as<T>(), k.in[3].as<T>(), k.out[0].as<T>()};
  });
}

void sparse(const KernelCall& k, const ProbabilityAttrs& a) {
  for_classes(k, [&](auto type) {
    using T = decltype(type);
    return Sparse<T>{k.in[0].as<T>(),
                     Labels(k.in[1]),
                     k.out[0].as<T>(),
                     static_cast<T>(a.epsilon),
                     static_cast<T>(1 - a.epsilon),
                     device().fault,
                     "sparse_cross_entropy"};
  });
}

void sparse_grad(const KernelCall& k, const ProbabilityAttrs& a) {
  for_classes(k, [&](auto type) {
    using T = decltype(type);
    return SparseGrad<T>{k.in[0].as<T>(),  Labels(k.in[1]),           k.in[2].as<T>(),
                         k.out[0].as<T>(), static_cast<T>(a.epsilon), static_cast<T>(1 - a.epsilon)};
  });
}

// Of one value a class, or two values a row.
template <class Attrs>
size_t result_bytes(SpecSpan in, const Attrs&) {
  const Shape& x = in[0].shape;
  return copy_bytes(in[0].dtype, x.size()) + 2 * copy_bytes(in[0].dtype, x.product(0, x.rank() - 1));
}

}  // namespace

#define PH_LOSS(op, run, Attrs) \
  PH_KERNELS(op, kernel<run, wide_float<Attrs>>("rows"), through_float<run, result_bytes<Attrs>>())
PH_LOSS(sparse_softmax_cross_entropy, sparse_softmax, NoAttrs);
PH_LOSS(sparse_softmax_cross_entropy_grad, sparse_softmax_grad, NoAttrs);
PH_LOSS(softmax_cross_entropy, softmax_loss, NoAttrs);
PH_LOSS(softmax_cross_entropy_grad, softmax_loss_grad, NoAttrs);
PH_LOSS(sparse_cross_entropy, sparse, ProbabilityAttrs);
PH_LOSS(sparse_cross_entropy_grad, sparse_grad, ProbabilityAttrs);
#undef PH_LOSS

}  // namespace ph::cuda
