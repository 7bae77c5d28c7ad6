// Moving elements. The result is written in order, each word once; where a word comes from follows from a step of its
// own for each axis (transpose: permuted steps, broadcast: steps of zero, slice: an offset and multiples). Axes that
// lie alike are merged first, then elements are joined to words of up to 16 bytes where all runs allow that.
//   gather       any steps; a warp writes neighbouring words
//   tiles        where the axis that is dense in the source is not the last one of the result: through shared memory
//   place        pad, slice_grad: an element of the source, or the value around it
//   parts        concatenate, split: the blocks of one launch are shared out among the parts
#include "core/integers.h"
#include "cuda/device.h"
#include "cuda/divide.h"
#include "cuda/element.h"
#include "cuda/strides.h"
#include "cuda/words.h"
#include "ops/shape.h"

namespace ph::cuda {

namespace {

constexpr int threads = 256, per_thread = 4, per_block = threads * per_thread;
constexpr int64_t most_blocks = INT32_MAX;

struct Steps {
  int64_t of[Shape::max_rank];
};

Steps dense_steps(const Shape& shape) {
  Steps steps;
  int64_t step = 1;
  for (int d = shape.rank() - 1; d >= 0; --d) {
    steps.of[d] = step;
    step *= shape[d];
  }
  return steps;
}

// The alignment that the steps of all axes but the innermost leave, in bytes.
uint64_t outer_step_bits(const Strides& walk, int64_t element_bytes) {
  uint64_t bits = 0;
  for (int d = 1; d < walk.rank; ++d) bits |= static_cast<uint64_t>(walk.stride[d] * element_bytes);
  return bits;
}

// ---- gather

struct Gather {
  Places<> places;
  int64_t offset;

  __device__ __forceinline__ int64_t source(int64_t index) const { return offset + places.offset(index); }
};

// y[i] = x[source(i)]; a Part smaller than a Word is repeated over it.
template <class Word, class Part>
__global__ void __launch_bounds__(threads)
    gather_kernel(const __grid_constant__ Gather gather, const Part* x, Word* y, int64_t n) {
  const int64_t first = int64_t{blockIdx.x} * per_block + threadIdx.x;
  Part got[per_thread];
  PH_UNROLL
  for (int k = 0; k < per_thread; ++k) {
    const int64_t i = first + k * threads;
    if (i < n) got[k] = x[gather.source(i)];
  }
  PH_UNROLL
  for (int k = 0; k < per_thread; ++k) {
    const int64_t i = first + k * threads;
    if (i < n) y[i] = filled_word<Word>(got[k]);
  }
}

template <class Word, class Part>
void launch_gather(const View& x, const View& y, const Strides& walk, int64_t offset) {
  const Gather gather{walk, offset};
  int64_t n = 1;
  for (int d = 0; d < walk.rank; ++d) n *= walk.size[d];
  PH_LAUNCH((gather_kernel<Word, Part>), blocks_for(n, threads, per_thread), threads, 0, device().stream, gather,
            x.as<Part>(), y.as<Word>(), n);
}

// Joins `words` elements to one, where the innermost axis is dense.
void join_elements(Strides& walk, int64_t& offset, int64_t words) {
  walk.size[0] /= words;
  for (int d = 1; d < walk.rank; ++d) walk.stride[d] /= words;
  offset /= words;
  if (walk.size[0] > 1) return;
  --walk.rank;  // its rows are single words now
  for (int d = 0; d < walk.rank; ++d) {
    walk.size[d] = walk.size[d + 1];
    walk.stride[d] = walk.stride[d + 1];
  }
}

// ---- tiles

// Transposes of (rows, columns): rows are dense in x, columns in y. Every combination of the other axes has its own.
struct Transposes {
  int64_t rows, columns;
  int64_t column_step;  // in x
  int64_t row_step;     // in y
  int log_tall;         // a tile is 2^log_tall rows and 2^(log_tile - log_tall) columns
  Divider row_tiles, column_tiles;
  int others;
  Divider size[Shape::max_rank];
  int64_t x_step[Shape::max_rank], y_step[Shape::max_rank];
};

constexpr int log_tile = 10, least_log_side = 2;
static_assert(1 << log_tile == per_block);

// Words from one row of a tile to the next in shared memory, so that neither the lanes that write nor those that read
// meet in a bank: where a warp takes several rows at once, each has its own banks.
constexpr __host__ __device__ int tile_pitch(int log_tall) {
  const int wide = 1 << (log_tile - log_tall);
  return log_tall <= 5 ? wide + (32 >> log_tall) : wide + 1;
}
constexpr int tile_words = (1 << log_tile) + (1 << (log_tile - least_log_side));

template <class Word>
__global__ void __launch_bounds__(threads)
    transpose_kernel(const __grid_constant__ Transposes t, const Word* x, Word* y) {
  PH_SHARED(Word, tile, [tile_words]);
  const int log_tall = t.log_tall, log_wide = log_tile - log_tall, pitch = tile_pitch(log_tall);
  int64_t rest = blockIdx.x, next = t.row_tiles.divide(rest);
  const int64_t row = (rest - next * t.row_tiles.divisor()) << log_tall;
  rest = next;
  next = t.column_tiles.divide(rest);
  const int64_t column = (rest - next * t.column_tiles.divisor()) << log_wide;
  int64_t from = row + column * t.column_step, to = row * t.row_step + column;
  for (int d = 0; d < t.others; ++d) {
    rest = next;
    next = t.size[d].divide(rest);
    const int64_t at = rest - next * t.size[d].divisor();
    from += at * t.x_step[d];
    to += at * t.y_step[d];
  }
  const int64_t rows = t.rows - row, columns = t.columns - column;  // left from here
  PH_UNROLL
  for (int k = 0; k < per_thread; ++k) {
    const int at = k * threads + static_cast<int>(threadIdx.x);
    const int i = at & ((1 << log_tall) - 1), j = at >> log_tall;
    if (i < rows && j < columns) tile[i * pitch + j] = x[from + i + j * t.column_step];
  }
  __syncthreads();
  PH_UNROLL
  for (int k = 0; k < per_thread; ++k) {
    const int at = k * threads + static_cast<int>(threadIdx.x);
    const int j = at & ((1 << log_wide) - 1), i = at >> log_wide;
    if (i < rows && j < columns) y[to + i * t.row_step + j] = tile[i * pitch + j];
  }
}

int log_at_least(int64_t n) {
  int log = least_log_side;
  while (int64_t{1} << log < n) ++log;
  return log;
}

// Launches it if there is a dense axis of x to tile along and tiles are filled well; says whether it did.
template <class Word>
bool launch_transposes(const View& x, const View& y, const Strides& walk, int64_t offset) {
  int cross = 1;
  while (cross < walk.rank && walk.stride[cross] != 1) ++cross;
  if (walk.rank < 2 || walk.stride[0] == 1 || walk.stride[0] == 0 || cross == walk.rank || offset != 0) return false;
  Transposes t{};
  t.rows = walk.size[cross];
  t.columns = walk.size[0];
  t.column_step = walk.stride[0];
  t.log_tall = t.rows < 32 ? log_at_least(t.rows) : t.columns < 32 ? log_tile - log_at_least(t.columns) : 5;
  const int64_t tall = int64_t{1} << t.log_tall, wide = int64_t{1} << (log_tile - t.log_tall);
  const int64_t row_tiles = divide_up(t.rows, tall), column_tiles = divide_up(t.columns, wide);
  if (t.rows * t.columns * 4 < row_tiles * column_tiles * per_block) return false;
  t.row_tiles = Divider(row_tiles);
  t.column_tiles = Divider(column_tiles);
  int64_t blocks = row_tiles * column_tiles, y_step = 1;
  for (int d = 0; d < walk.rank; ++d) {
    if (d == cross) t.row_step = y_step;
    if (d != cross && d > 0) {
      t.size[t.others] = Divider(walk.size[d]);
      t.x_step[t.others] = walk.stride[d];
      t.y_step[t.others] = y_step;
      ++t.others;
      blocks *= walk.size[d];
    }
    y_step *= walk.size[d];
  }
  if (blocks > most_blocks) return false;
  PH_LAUNCH(transpose_kernel<Word>, static_cast<unsigned>(blocks), threads, 0, device().stream, t, x.as<Word>(),
            y.as<Word>());
  return true;
}

// ---- transpose, broadcast_to, slice

// y in order, its axes `walk` in x from `offset` on.
void copy_from(const View& x, const View& y, Strides walk, int64_t offset) {
  if (y.size() == 0) return;
  const int64_t bytes = static_cast<int64_t>(size_of(x.dtype));
  if (walk.rank > 0 && walk.stride[0] == 0) {  // runs of one element
    const uint64_t run = static_cast<uint64_t>(walk.size[0] * bytes);
    if (word_bytes(run | address_bits(y.data)) == 16) {
      walk.size[0] /= 16 / bytes;
      return with_word_type(x.dtype, [&](auto part) { launch_gather<uint4, decltype(part)>(x, y, walk, offset); });
    }
  }
  int64_t words = 1;
  if (walk.rank > 0 && walk.stride[0] == 1) {
    const uint64_t run = static_cast<uint64_t>(walk.size[0] * bytes), start = static_cast<uint64_t>(offset * bytes);
    words =
        word_bytes(run | start | outer_step_bits(walk, bytes) | address_bits(x.data) | address_bits(y.data)) / bytes;
    join_elements(walk, offset, words);
  }
  with_word(words * bytes, [&](auto word) {
    using Word = decltype(word);
    if constexpr (sizeof(Word) <= 8) {
      if (launch_transposes<Word>(x, y, walk, offset)) return;
    }
    launch_gather<Word, Word>(x, y, walk, offset);
  });
}

void transpose(const KernelCall& k, const TransposeAttrs& a) {
  const Shape& x = k.in[0].shape;
  const Steps steps = dense_steps(x);
  Strides walk;
  for (int i = x.rank() - 1; i >= 0; --i) {
    const int64_t axis = a.axes.size() ? a.axes[i] : x.rank() - 1 - i;
    const int from = static_cast<int>(axis < 0 ? axis + x.rank() : axis);
    walk.add_outer(x[from], steps.of[from]);
  }
  copy_from(k.in[0], k.out[0], walk, 0);
}

void broadcast(const KernelCall& k, const BroadcastAttrs&) {
  copy_from(k.in[0], k.out[0], broadcast_strides(k.in[0].shape, k.out[0].shape), 0);
}

void slice(const KernelCall& k, const SliceAttrs& a) {
  const Steps steps = dense_steps(k.in[0].shape);
  Strides walk;
  int64_t offset = 0;
  for (int i = k.out[0].shape.rank() - 1; i >= 0; --i) {
    walk.add_outer(k.out[0].shape[i], a.strides[i] * steps.of[i]);
    offset += a.begin[i] * steps.of[i];
  }
  copy_from(k.in[0], k.out[0], walk, offset);
}

// ---- place: pad, slice_grad

// One axis of the result: positions begin, begin + every, ... hold `count` elements of the source.
struct PlaceAxis {
  int64_t size, begin, every, count, step;
};

struct Place {
  int rank = 0;
  int64_t offset = 0;  // of the first element in the source
  PlaceAxis axis[Shape::max_rank];
  Divider size[Shape::max_rank], every[Shape::max_rank];

  // Axes come innermost first.
  void add_outer(PlaceAxis a) {
    if (a.every == 0) {  // all go to one place: the last one stays
      offset += (a.count - 1) * a.step;
      a.every = 1;
      a.count = least(a.count, 1);
    }
    if (a.every < 0) {  // walked from its other end
      a.begin += (a.count - 1) * a.every;
      offset += (a.count - 1) * a.step;
      a.every = -a.every;
      a.step = -a.step;
    }
    if (a.size == 1 && a.count == 1) return;
    if (rank > 0 && a.every == 1) {
      PlaceAxis& inner = axis[rank - 1];
      const bool whole = inner.begin == 0 && inner.every == 1 && inner.count == inner.size;
      if (whole && a.step == inner.step * inner.size) {
        a = {a.size * inner.size, a.begin * inner.size, 1, a.count * inner.size, inner.step};
        --rank;
      }
    }
    axis[rank++] = a;
  }

  // Where in the source the element at `index` of the result lies, -1 if it is none of its.
  __device__ __forceinline__ int64_t source(int64_t index) const {
    int64_t at = offset;
    bool within = true;
    PH_UNROLL
    for (int d = 0; d < Shape::max_rank; ++d) {
      if (d == rank) break;
      const PlaceAxis& a = axis[d];
      int64_t next = 0;
      if (d < rank - 1) next = size[d].divide(index);
      int64_t position = index - next * a.size - a.begin;
      within = within && position >= 0;
      if (a.every > 1 && within) {
        const int64_t quotient = every[d].divide(position);
        within = quotient * a.every == position;
        position = quotient;
      }
      within = within && position < a.count;
      at += position * a.step;
      index = next;
    }
    return within ? at : -1;
  }
};

template <class Word>
__global__ void __launch_bounds__(threads)
    place_kernel(const __grid_constant__ Place place, const Word* x, Word* y, Word around, int64_t n) {
  const int64_t first = int64_t{blockIdx.x} * per_block + threadIdx.x;
  Word got[per_thread];
  PH_UNROLL
  for (int k = 0; k < per_thread; ++k) {
    const int64_t i = first + k * threads;
    const int64_t from = i < n ? place.source(i) : -1;
    got[k] = around;
    if (from >= 0) got[k] = x[from];
  }
  PH_UNROLL
  for (int k = 0; k < per_thread; ++k) {
    const int64_t i = first + k * threads;
    if (i < n) y[i] = got[k];
  }
}

void place_in(const View& x, const View& y, Place place, double value) {
  if (y.size() == 0) return;
  const int64_t bytes = static_cast<int64_t>(size_of(x.dtype));
  int64_t words = 1;
  if (place.rank > 0 && place.axis[0].every == 1 && place.axis[0].step == 1) {
    PlaceAxis& inner = place.axis[0];
    uint64_t bits = static_cast<uint64_t>((inner.size | inner.begin | inner.count | place.offset) * bytes);
    for (int d = 1; d < place.rank; ++d) bits |= static_cast<uint64_t>(place.axis[d].step * bytes);
    words = word_bytes(bits | address_bits(x.data) | address_bits(y.data)) / bytes;
    inner = {inner.size / words, inner.begin / words, 1, inner.count / words, 1};
    for (int d = 1; d < place.rank; ++d) place.axis[d].step /= words;
    place.offset /= words;
  }
  for (int d = 0; d < place.rank; ++d) {
    place.size[d] = Divider(place.axis[d].size);
    place.every[d] = Divider(place.axis[d].every);
  }
  const int64_t n = y.size() / words;
  const uint64_t stored = stored_bits(value, y.dtype);
  with_word(words * bytes, [&](auto word) {
    using Word = decltype(word);
    with_word_type(x.dtype, [&](auto part) {
      using Part = decltype(part);
      if constexpr (sizeof(Part) <= sizeof(Word)) {
        const Word around = filled_word<Word>(static_cast<Part>(stored));
        PH_LAUNCH(place_kernel<Word>, blocks_for(n, threads, per_thread), threads, 0, device().stream, place,
                  x.as<Word>(), y.as<Word>(), around, n);
      }
    });
  });
}

void slice_grad(const KernelCall& k, const SliceGradAttrs& a) {
  const Shape &x = k.in[0].shape, &y = k.out[0].shape;
  const Steps steps = dense_steps(x);
  Place place;
  for (int i = y.rank() - 1; i >= 0; --i) {
    place.add_outer({y[i], a.begin[i], a.strides[i], x[i], steps.of[i]});
  }
  place_in(k.in[0], k.out[0], place, 0);
}

void pad(const KernelCall& k, const PadAttrs& a) {
  const Shape &x = k.in[0].shape, &y = k.out[0].shape;
  const Steps steps = dense_steps(x);
  Place place;
  for (int i = y.rank() - 1; i >= 0; --i) place.add_outer({y[i], a.low[i], 1, x[i], steps.of[i]});
  place_in(k.in[0], k.out[0], place, a.value);
}

// ---- concatenate, split

// The whole is (outer, columns), a part its columns from begin on.
struct Part {
  void* data;
  int64_t begin;
  Divider width;
  int64_t first_block;
};

struct Parts {
  static constexpr int most = 64;
  Part part[most];
  int count = 0;
  int64_t outer, columns;
};

template <class Word, bool from_whole>
__global__ void __launch_bounds__(threads) parts_kernel(const __grid_constant__ Parts call, Word* whole) {
  int k = 0;
  for (int step = Parts::most / 2; step > 0; step /= 2) {
    if (k + step < call.count && call.part[k + step].first_block <= blockIdx.x) k += step;
  }
  const Part& part = call.part[k];
  Word* own = static_cast<Word*>(part.data);
  const int64_t n = call.outer * part.width.divisor();
  const int64_t first = (blockIdx.x - part.first_block) * per_block + threadIdx.x;
  const auto place = [&](int64_t index) {
    const int64_t row = part.width.divide(index);
    return row * call.columns + part.begin + index - row * part.width.divisor();
  };
  Word got[per_thread];
  PH_UNROLL
  for (int i = 0; i < per_thread; ++i) {
    const int64_t at = first + i * threads;
    if (at < n) got[i] = from_whole ? whole[place(at)] : own[at];
  }
  PH_UNROLL
  for (int i = 0; i < per_thread; ++i) {
    const int64_t at = first + i * threads;
    if (at < n) (from_whole ? own[at] : whole[place(at)]) = got[i];
  }
}

template <bool from_whole>
void copy_parts(const View& whole, const List<View>& parts, int64_t given_axis) {
  if (whole.size() == 0) return;
  const Shape& shape = whole.shape;
  const int axis = static_cast<int>(given_axis < 0 ? given_axis + shape.rank() : given_axis);
  const int64_t row_bytes = shape.product(axis + 1, shape.rank()) * static_cast<int64_t>(size_of(whole.dtype));
  uint64_t bits = address_bits(whole.data);
  for (const View& part : parts) {
    if (part.size()) bits |= address_bits(part.data) | static_cast<uint64_t>(part.shape[axis] * row_bytes);
  }
  with_word(word_bytes(bits), [&](auto word) {
    using Word = decltype(word);
    constexpr int64_t bytes = sizeof(Word);
    Parts call;
    call.outer = shape.product(0, axis);
    call.columns = shape[axis] * row_bytes / bytes;
    int64_t begin = 0, blocks = 0;
    const auto launch = [&] {
      PH_LAUNCH((parts_kernel<Word, from_whole>), static_cast<unsigned>(blocks), threads, 0, device().stream, call,
                whole.as<Word>());
      call.count = 0;
      blocks = 0;
    };
    for (const View& part : parts) {
      if (part.size() == 0) continue;
      const int64_t width = part.shape[axis] * row_bytes / bytes, needed = divide_up(call.outer * width, per_block);
      if (call.count == Parts::most || (call.count > 0 && blocks + needed > most_blocks)) launch();
      call.part[call.count++] = {part.data, begin, Divider(width), blocks};
      begin += width;
      blocks += needed;
    }
    launch();
  });
}

void concatenate(const KernelCall& k, const ConcatenateAttrs& a) { copy_parts<false>(k.out[0], k.in, a.axis); }

void split(const KernelCall& k, const SplitAttrs& a) { copy_parts<true>(k.in[0], k.out, a.axis); }

}  // namespace

PH_KERNELS(transpose, kernel<transpose>("words"));
PH_KERNELS(broadcast_to, kernel<broadcast>("words"));
PH_KERNELS(slice, kernel<slice>("words"));
PH_KERNELS(slice_grad, kernel<slice_grad>("words"));
PH_KERNELS(pad, kernel<pad>("words"));
PH_KERNELS(concatenate, kernel<concatenate>("words"));
PH_KERNELS(split, kernel<split>("words"));

}  // namespace ph::cuda
