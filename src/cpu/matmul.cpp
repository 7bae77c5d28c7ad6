#include "ops/matmul.h"

#include "core/thread_pool.h"

namespace ph::PH_LEVEL {

namespace {

template <class T>
void multiply(const T* a, const T* b, const T* bias, T* c, int64_t m, int64_t n, int64_t k, const MatmulAttrs& attrs) {
  for (int64_t i = 0; i < m; ++i) {
    T* row = c + i * n;
    for (int64_t j = 0; j < n; ++j) row[j] = bias ? bias[j] : 0;
    for (int64_t l = 0; l < k; ++l) {
      const T x = attrs.transpose_a ? a[l * m + i] : a[i * k + l];
      if (attrs.transpose_b) {
        for (int64_t j = 0; j < n; ++j) row[j] += x * b[j * k + l];
      } else {
        for (int64_t j = 0; j < n; ++j) row[j] += x * b[l * n + j];
      }
    }
    if (attrs.activation == Activation::relu) {
      for (int64_t j = 0; j < n; ++j) row[j] = row[j] < 0 ? 0 : row[j];
    }
  }
}

template <class T>
void reference_typed(const KernelCall& call, const MatmulAttrs& attrs) {
  const View &a = call.in[0], &b = call.in[1], &c = call.out[0];
  const int rank = c.shape.rank(), ra = a.shape.rank(), rb = b.shape.rank();
  const int64_t m = c.shape[rank - 2], n = c.shape[rank - 1], k = a.shape[attrs.transpose_a ? ra - 2 : ra - 1];
  const T* bias = call.in.size() > 2 ? call.in[2].as<T>() : nullptr;
  const int64_t batches = c.shape.product(0, rank - 2);
  for (int64_t batch = 0; batch < batches; ++batch) {
    int64_t at_a = 0, at_b = 0, rest = batch, step_a = 1, step_b = 1;
    for (int d = 0; d < rank - 2; ++d) {
      const int64_t size = c.shape[rank - 3 - d], i = rest % size;
      rest /= size;
      const int da = ra - 3 - d, db = rb - 3 - d;
      if (da >= 0 && a.shape[da] != 1) at_a += i * step_a;
      if (db >= 0 && b.shape[db] != 1) at_b += i * step_b;
      if (da >= 0) step_a *= a.shape[da];
      if (db >= 0) step_b *= b.shape[db];
    }
    multiply(a.as<T>() + at_a * m * k, b.as<T>() + at_b * k * n, bias, c.as<T>() + batch * m * n, m, n, k, attrs);
  }
}

void reference(const KernelCall& call, const MatmulAttrs& attrs) {
  switch (call.out[0].dtype) {
    case DType::float64:
      return reference_typed<double>(call, attrs);
    case DType::int32:
      return reference_typed<int32_t>(call, attrs);
    case DType::int64:
      return reference_typed<int64_t>(call, attrs);
    default:
      return reference_typed<float>(call, attrs);
  }
}

}  // namespace

PH_KERNELS(matmul, kernel<reference>("reference"));

}  // namespace ph::PH_LEVEL
