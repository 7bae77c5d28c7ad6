// Stable merge sort of positions, bottom up, row by row.
#include "ops/sort.h"

#include "core/thread_pool.h"
#include "cpu/halves.h"

namespace ph::PH_LEVEL {

namespace {

// Whether b must come before a: only strictly better values overtake. NaN is worse than anything.
template <class T>
PH_INLINE bool overtakes(T b, T a, bool descending) {
  if (b != b) return false;
  if (a != a) return true;
  return descending ? b > a : b < a;
}

template <class T>
void argsort_row(const T* x, int32_t* order, int32_t* spare, int64_t n, bool descending) {
  for (int64_t i = 0; i < n; ++i) order[i] = static_cast<int32_t>(i);
  int32_t *from = order, *to = spare;
  for (int64_t width = 1; width < n; width *= 2) {
    for (int64_t begin = 0; begin < n; begin += 2 * width) {
      const int64_t middle = begin + width < n ? begin + width : n, end = begin + 2 * width < n ? begin + 2 * width : n;
      int64_t a = begin, b = middle;
      for (int64_t i = begin; i < end; ++i) {
        const bool second = b < end && (a >= middle || overtakes(x[from[b]], x[from[a]], descending));
        to[i] = second ? from[b++] : from[a++];
      }
    }
    int32_t* swap = from;
    from = to;
    to = swap;
  }
  if (from != order) __builtin_memcpy(order, from, static_cast<size_t>(n) * sizeof(int32_t));
}

template <class T>
void argsort_typed(const KernelCall& k, const ArgsortAttrs& a) {
  const int64_t n = k.in[0].shape.back(), rows = n ? k.in[0].size() / n : 0;
  int32_t* spare = static_cast<int32_t*>(k.workspace);
  parallel_for(rows, 20.0 * static_cast<double>(n), [&](int64_t r) {
    argsort_row(k.in[0].as<T>() + r * n, k.out[0].as<int32_t>() + r * n, spare + r * n, n, a.descending);
  });
}

void argsort(const KernelCall& k, const ArgsortAttrs& a) {
  switch (k.in[0].dtype) {
    case DType::float32:
      return argsort_typed<float>(k, a);
    case DType::float64:
      return argsort_typed<double>(k, a);
    case DType::int32:
      return argsort_typed<int32_t>(k, a);
    case DType::int64:
      return argsort_typed<int64_t>(k, a);
    case DType::int8:
      return argsort_typed<int8_t>(k, a);
    case DType::int16:
      return argsort_typed<int16_t>(k, a);
    case DType::bool_:
    case DType::uint8:
      return argsort_typed<uint8_t>(k, a);
    case DType::uint16:
      return argsort_typed<uint16_t>(k, a);
    case DType::uint32:
      return argsort_typed<uint32_t>(k, a);
    default:
      return argsort_typed<uint64_t>(k, a);
  }
}

size_t spare_bytes(SpecSpan in, const ArgsortAttrs&) {
  return static_cast<size_t>(in[0].shape.size()) * sizeof(int32_t);
}

const char* ordered_as_stored(SpecSpan in, const ArgsortAttrs&) {
  return is_half(in[0].dtype) ? "half floats are not ordered by their bits" : nullptr;
}

void argsort_in_float(const KernelCall& k, const ArgsortAttrs& a) {
  const int64_t n = k.in[0].shape.back();
  run_pieces_in_float(k, k.in[0].shape.rank() - 1, 1, 20.0, [&](KernelCall piece, int64_t begin) {
    piece.workspace = static_cast<int32_t*>(k.workspace) + begin * n;
    argsort_typed<float>(piece, a);
  });
}

}  // namespace

PH_KERNELS(argsort, kernel<argsort, ordered_as_stored, spare_bytes>("merge"),
           kernel<argsort_in_float, nullptr, spare_bytes>("converted"));

}  // namespace ph::PH_LEVEL
