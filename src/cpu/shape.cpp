// Moving elements. Everything is one strided copy: the result is walked in order, each axis with a step of its own in
// the source (transpose: permuted steps, broadcast: steps of zero, slice: an offset and multiples), or the other way
// round. Neighbouring axes that lie alike are merged first, so that most copies are of whole rows.
#include "ops/shape.h"

#include "core/thread_pool.h"
#include "cpu/convert.h"

namespace ph::PH_LEVEL {

namespace {

// A dense array of this shape, each of whose axes is `step` elements apart in another array.
struct Walk {
  int rank = 0;
  int64_t size[Shape::max_rank], step[Shape::max_rank];  // outermost first
  int64_t offset = 0;

  PH_INLINE void add(int64_t n, int64_t s) {
    if (n == 1) return;
    if (rank > 0 && step[rank - 1] == n * s) {  // lies as the axis before goes on
      size[rank - 1] *= n;
      step[rank - 1] = s;
    } else {
      size[rank] = n;
      step[rank] = s;
      ++rank;
    }
  }
  PH_INLINE int64_t count() const {
    int64_t n = 1;
    for (int d = 0; d < rank; ++d) n *= size[d];
    return n;
  }
};

struct Steps {
  int64_t of[Shape::max_rank];
};

PH_INLINE Steps dense_steps(const Shape& shape) {
  Steps steps;
  int64_t step = 1;
  for (int d = shape.rank() - 1; d >= 0; --d) {
    steps.of[d] = step;
    step *= shape[d];
  }
  return steps;
}

// One row: n elements, `step` apart in `far`, next to each other in `near`.
template <class T, bool gather>
PH_INLINE void copy_row(T* near, T* far, int64_t n, int64_t step) {
  for (int64_t i = 0; i < n; ++i) (gather ? near[i] : far[i * step]) = gather ? far[i * step] : near[i];
}

// The axis whose elements lie next to each other in the other array, if rows do not: near is its transpose then.
PH_INLINE int crossing_axis(const Walk& walk) {
  if (walk.rank < 2 || walk.step[walk.rank - 1] == 1) return -1;
  for (int d = walk.rank - 2; d >= 0; --d) {
    if (walk.step[d] == 1) return d;
  }
  return -1;
}

// Gathers in blocks of the axes `cross` and the last one: a block reads 8 cache lines, each whole, and few enough that
// they stay in the cache even where all fall into the same set of it (rows of 2^n bytes).
template <class T>
void gather_blocks(T* near, const T* far, const Walk& walk, int cross) {
  constexpr int64_t tall = 64 / sizeof(T), wide = 8;
  const int inner = walk.rank - 1;
  const int64_t rows = walk.size[cross], columns = walk.size[inner], step = walk.step[inner];
  const int64_t strips = (rows + tall - 1) / tall, others = walk.count() / (rows * columns);
  int64_t near_row = columns;
  for (int d = cross + 1; d < inner; ++d) near_row *= walk.size[d];
  parallel_for(others * strips, 0.5 * static_cast<double>(tall * columns), [&](int64_t chunk) {
    const int64_t begin = chunk % strips * tall, end = begin + tall < rows ? begin + tall : rows;
    int64_t rest = chunk / strips, to = 0, from = walk.offset, near_step = columns;
    for (int d = inner - 1; d >= 0; --d) {
      if (d != cross) {
        to += rest % walk.size[d] * near_step;
        from += rest % walk.size[d] * walk.step[d];
        rest /= walk.size[d];
      }
      near_step *= walk.size[d];
    }
    int64_t c = 0;
    for (; c + wide <= columns; c += wide) {
      for (int64_t r = begin; r < end; ++r) {
        for (int64_t j = 0; j < wide; ++j) near[to + r * near_row + c + j] = far[from + r + (c + j) * step];
      }
    }
    for (; c < columns; ++c) {
      for (int64_t r = begin; r < end; ++r) near[to + r * near_row + c] = far[from + r + c * step];
    }
  });
}

template <class T, bool gather>
void copy_typed(T* near, T* far, const Walk& walk) {
  if (const int cross = crossing_axis(walk); gather && cross >= 0) return gather_blocks(near, far, walk, cross);
  if (walk.rank == 0) {
    (gather ? *near : far[walk.offset]) = gather ? far[walk.offset] : *near;
    return;
  }
  const int inner = walk.rank - 1;
  const int64_t row = walk.size[inner], step = walk.step[inner];
  const int64_t rows = row ? walk.count() / row : 0;
  constexpr int64_t most_per_chunk = 16384;
  const int64_t rows_per_chunk = row < most_per_chunk ? most_per_chunk / row : 1;
  const double ns_per_row = static_cast<double>(row) * (step == 1 ? 0.1 : 1.0);
  parallel_for((rows + rows_per_chunk - 1) / rows_per_chunk, ns_per_row * static_cast<double>(rows_per_chunk),
               [&](int64_t chunk) {
                 const int64_t begin = chunk * rows_per_chunk;
                 const int64_t end = begin + rows_per_chunk < rows ? begin + rows_per_chunk : rows;
                 int64_t at[Shape::max_rank], offset = walk.offset, rest = begin;
                 for (int d = inner - 1; d >= 0; --d) {
                   at[d] = rest % walk.size[d];
                   rest /= walk.size[d];
                   offset += at[d] * walk.step[d];
                 }
                 for (int64_t r = begin; r < end; ++r) {
                   if (step == 1) {
                     copy_row<T, gather>(near + r * row, far + offset, row, 1);
                   } else {
                     copy_row<T, gather>(near + r * row, far + offset, row, step);
                   }
                   for (int d = inner - 1; d >= 0; --d) {
                     offset += walk.step[d];
                     if (++at[d] < walk.size[d]) break;
                     offset -= walk.size[d] * walk.step[d];
                     at[d] = 0;
                   }
                 }
               });
}

template <bool gather>
void copy_strided(void* near, void* far, DType dtype, const Walk& walk) {
  if (walk.count() == 0) return;
  switch (size_of(dtype)) {
    case 1:
      return copy_typed<uint8_t, gather>(static_cast<uint8_t*>(near), static_cast<uint8_t*>(far), walk);
    case 2:
      return copy_typed<uint16_t, gather>(static_cast<uint16_t*>(near), static_cast<uint16_t*>(far), walk);
    case 4:
      return copy_typed<uint32_t, gather>(static_cast<uint32_t*>(near), static_cast<uint32_t*>(far), walk);
    default:
      return copy_typed<uint64_t, gather>(static_cast<uint64_t*>(near), static_cast<uint64_t*>(far), walk);
  }
}

void transpose(const KernelCall& k, const TransposeAttrs& a) {
  const Shape& x = k.in[0].shape;
  const Steps steps = dense_steps(x);
  Walk walk;
  for (int i = 0; i < x.rank(); ++i) {
    const int64_t axis = a.axes.size() ? a.axes[i] : x.rank() - 1 - i;
    const int from = static_cast<int>(axis < 0 ? axis + x.rank() : axis);
    walk.add(x[from], steps.of[from]);
  }
  copy_strided<true>(k.out[0].data, k.in[0].data, k.in[0].dtype, walk);
}

void broadcast(const KernelCall& k, const BroadcastAttrs&) {
  const Shape &x = k.in[0].shape, &y = k.out[0].shape;
  const Steps steps = dense_steps(x);
  Walk walk;
  for (int i = 0; i < y.rank(); ++i) {
    const int from = i - (y.rank() - x.rank());
    walk.add(y[i], from >= 0 && x[from] != 1 ? steps.of[from] : 0);
  }
  copy_strided<true>(k.out[0].data, k.in[0].data, k.in[0].dtype, walk);
}

Walk window(const Shape& whole, const Shape& part, const IntList& begin, const IntList& strides) {
  const Steps steps = dense_steps(whole);
  Walk walk;
  for (int i = 0; i < whole.rank(); ++i) {
    walk.offset += begin[i] * steps.of[i];
    walk.add(part[i], strides.size() ? strides[i] * steps.of[i] : steps.of[i]);
  }
  return walk;
}

void slice(const KernelCall& k, const SliceAttrs& a) {
  copy_strided<true>(k.out[0].data, k.in[0].data, k.in[0].dtype,
                     window(k.in[0].shape, k.out[0].shape, a.begin, a.strides));
}

void slice_grad(const KernelCall& k, const SliceGradAttrs& a) {
  fill_converted(k.out[0].data, 0, k.out[0].dtype, k.out[0].size());
  copy_strided<false>(k.in[0].data, k.out[0].data, k.in[0].dtype,
                      window(k.out[0].shape, k.in[0].shape, a.begin, a.strides));
}

void pad(const KernelCall& k, const PadAttrs& a) {
  fill_converted(k.out[0].data, a.value, k.out[0].dtype, k.out[0].size());
  copy_strided<false>(k.in[0].data, k.out[0].data, k.in[0].dtype,
                      window(k.out[0].shape, k.in[0].shape, a.low, IntList()));
}

// Copies between a whole array and the parts it is made of along an axis.
template <bool from_whole>
void copy_parts(const View& whole, const List<View>& parts, int64_t axis) {
  IntList begin;
  begin.count = whole.shape.rank();
  const int at = static_cast<int>(axis < 0 ? axis + whole.shape.rank() : axis);
  for (const View& part : parts) {
    copy_strided<from_whole>(part.data, whole.data, part.dtype, window(whole.shape, part.shape, begin, IntList()));
    begin.values[at] += part.shape[at];
  }
}

void concatenate(const KernelCall& k, const ConcatenateAttrs& a) { copy_parts<false>(k.out[0], k.in, a.axis); }

void split(const KernelCall& k, const SplitAttrs& a) { copy_parts<true>(k.in[0], k.out, a.axis); }

}  // namespace

PH_KERNELS(transpose, kernel<transpose>("strided"));
PH_KERNELS(broadcast_to, kernel<broadcast>("strided"));
PH_KERNELS(slice, kernel<slice>("strided"));
PH_KERNELS(slice_grad, kernel<slice_grad>("strided"));
PH_KERNELS(pad, kernel<pad>("strided"));
PH_KERNELS(concatenate, kernel<concatenate>("strided"));
PH_KERNELS(split, kernel<split>("strided"));

}  // namespace ph::PH_LEVEL
