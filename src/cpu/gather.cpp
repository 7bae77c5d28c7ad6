// Rows by index. x is seen as (outer, n, row): for each outer position, the rows that indices name. Adding back goes in
// the order of the indices, so that repeated ones give the same bits each time.
#include "ops/gather.h"

#include "core/error.h"
#include "core/thread_pool.h"
#include "cpu/convert.h"

namespace ph::PH_LEVEL {

namespace {

PH_INLINE int64_t index_at(const View& indices, int64_t i) {
  return indices.dtype == DType::int32 ? indices.as<int32_t>()[i] : indices.as<int64_t>()[i];
}

PH_INLINE int64_t checked_index(const View& indices, int64_t i, int64_t n, const char* op) {
  const int64_t index = index_at(indices, i);
  if (index < -n || index >= n) fail_index(op, index, n);
  return index < 0 ? index + n : index;
}

struct Rows {
  int64_t outer, n, row;
};

PH_INLINE Rows rows_of(const Shape& shape, int64_t axis) {
  const int at = static_cast<int>(axis < 0 ? axis + shape.rank() : axis);
  return {shape.product(0, at), shape[at], shape.product(at + 1, shape.rank())};
}

void take(const KernelCall& k, const TakeAttrs& a) {
  const View &x = k.in[0], &indices = k.in[1];
  const Rows r = rows_of(x.shape, a.axis);
  const int64_t bytes = r.row * static_cast<int64_t>(size_of(x.dtype)), count = indices.size();
  for (int64_t i = 0; i < count; ++i) checked_index(indices, i, r.n, "take");
  const int64_t per_chunk = bytes < 16384 ? 16384 / (bytes ? bytes : 1) : 1, total = r.outer * count;
  parallel_for((total + per_chunk - 1) / per_chunk, 0.1 * static_cast<double>(bytes * per_chunk), [&](int64_t chunk) {
    const int64_t end = (chunk + 1) * per_chunk < total ? (chunk + 1) * per_chunk : total;
    for (int64_t at = chunk * per_chunk; at < end; ++at) {
      const int64_t o = at / count, index = checked_index(indices, at % count, r.n, "take");
      __builtin_memcpy(k.out[0].as<char>() + at * bytes, x.as<char>() + (o * r.n + index) * bytes,
                       static_cast<size_t>(bytes));
    }
  });
}

template <class T>
void add_rows(T* y, const T* dy, const Shape& shape, const View& indices, int64_t axis) {
  const Rows r = rows_of(shape, axis);
  const int64_t count = indices.size();
  __builtin_memset(y, 0, static_cast<size_t>(shape.size()) * sizeof(T));
  for (int64_t o = 0; o < r.outer; ++o) {
    for (int64_t i = 0; i < count; ++i) {
      T* to = y + (o * r.n + checked_index(indices, i, r.n, "take_grad")) * r.row;
      const T* from = dy + (o * count + i) * r.row;
      for (int64_t j = 0; j < r.row; ++j) to[j] += from[j];
    }
  }
}

template <class T>
void take_grad_typed(const KernelCall& k, const TakeGradAttrs& a) {
  add_rows(k.out[0].as<T>(), k.in[0].as<T>(), k.out[0].shape, k.in[1], a.axis);
}

void take_grad(const KernelCall& k, const TakeGradAttrs& a) {
  switch (k.in[0].dtype) {
    case DType::float32:
      return take_grad_typed<float>(k, a);
    case DType::float64:
      return take_grad_typed<double>(k, a);
    case DType::int32:
    case DType::uint32:
      return take_grad_typed<uint32_t>(k, a);  // wraps round
    default:
      return take_grad_typed<uint64_t>(k, a);
  }
}

const char* wide_type(SpecSpan in, const TakeGradAttrs&) {
  return size_of(in[0].dtype) >= 4 ? nullptr : "a type that is converted first";
}

// Narrow types are added up in a wide one.
template <class T>
void take_grad_converted_as(const KernelCall& k, const TakeGradAttrs& a) {
  T* y = static_cast<T*>(k.workspace);
  T* dy = y + k.out[0].size();
  load_converted(dy, k.in[0].data, k.in[0].dtype, k.in[0].size());
  add_rows(y, dy, k.out[0].shape, k.in[1], a.axis);
  store_converted(k.out[0].data, y, k.out[0].dtype, k.out[0].size());
}

void take_grad_converted(const KernelCall& k, const TakeGradAttrs& a) {
  is_float(k.in[0].dtype) ? take_grad_converted_as<float>(k, a) : take_grad_converted_as<int64_t>(k, a);
}

size_t converted_bytes(SpecSpan in, const TakeGradAttrs& a) {
  int64_t out = 1;
  for (const int64_t d : a.shape) out *= d;
  return static_cast<size_t>(in[0].shape.size() + out) * 8;
}

void one_hot(const KernelCall& k, const OneHotAttrs& a) {
  const View &indices = k.in[0], &out = k.out[0];
  const int64_t bytes = static_cast<int64_t>(size_of(out.dtype));
  __builtin_memset(out.data, 0, static_cast<size_t>(out.size() * bytes));
  const double one = 1;
  for (int64_t i = 0; i < indices.size(); ++i) {
    const int64_t index = index_at(indices, i);
    if (index < 0 || index >= a.depth) continue;
    store_converted(out.as<char>() + (i * a.depth + index) * bytes, &one, out.dtype, 1);
  }
}

}  // namespace

PH_KERNELS(take, kernel<take>("rows"));
PH_KERNELS(take_grad, kernel<take_grad, wide_type>("rows"),
           kernel<take_grad_converted, nullptr, converted_bytes>("converted"));
PH_KERNELS(one_hot, kernel<one_hot>("plain"));

}  // namespace ph::PH_LEVEL
