// Positions that sort rows: tiles of a row are sorted in shared memory by a bitonic network (Batcher, 1968), then
// sorted runs are merged pairwise, each element finding its place in the other run by bisection. Order among equal
// values is that of their positions, which makes the order total and every network stable. NaN comes last.
#include "cuda/element.h"
#include "cuda/halves.h"
#include "ops/sort.h"

namespace ph::cuda {

namespace {

constexpr int tile = 1024, threads = tile / 2, merge_threads = 256;
constexpr int32_t beyond = INT32_MAX;  // the position of padding: behind all others

// Whether value a at position i comes before b at j. Padding comes last.
template <class T>
__device__ __forceinline__ bool precedes(T a, int32_t i, T b, int32_t j, bool descending) {
  if (i == beyond || j == beyond) return i < j;
  const bool a_is_nan = a != a, b_is_nan = b != b;
  if (a_is_nan || b_is_nan) return a_is_nan == b_is_nan ? i < j : b_is_nan;
  if (a == b) return i < j;
  return descending ? a > b : a < b;
}

// A block for each tile of each row.
template <class T>
__global__ void __launch_bounds__(threads)
    sort_tiles_kernel(const T* x, int32_t* order, int64_t n, unsigned tiles, bool descending) {
  PH_SHARED(T, keys, [tile]);
  PH_SHARED(int32_t, positions, [tile]);
  const int64_t row = blockIdx.x / tiles, first = int64_t{blockIdx.x % tiles} * tile;
  x += row * n;
  order += row * n;
  for (int i = static_cast<int>(threadIdx.x); i < tile; i += threads) {
    const bool inside = first + i < n;
    keys[i] = inside ? x[first + i] : T(0);
    positions[i] = inside ? static_cast<int32_t>(first + i) : beyond;
  }
  for (int run = 2; run <= tile; run *= 2) {
    for (int distance = run / 2; distance > 0; distance /= 2) {
      __syncthreads();
      const int t = static_cast<int>(threadIdx.x);
      const int low = t / distance * 2 * distance + t % distance, high = low + distance;
      const bool upwards = (low & run) == 0;
      if (precedes(keys[high], positions[high], keys[low], positions[low], descending) == upwards) {
        const T key = keys[low];
        keys[low] = keys[high];
        keys[high] = key;
        const int32_t position = positions[low];
        positions[low] = positions[high];
        positions[high] = position;
      }
    }
  }
  __syncthreads();
  for (int i = static_cast<int>(threadIdx.x); i < tile; i += threads) {
    if (first + i < n) order[first + i] = positions[i];
  }
}

// Merges runs of `width` sorted positions pairwise; a thread for each position.
template <class T>
__global__ void __launch_bounds__(merge_threads)
    merge_runs_kernel(const T* x, const int32_t* from, int32_t* to, int64_t n, int64_t count, int64_t width,
                      bool descending) {
  const int64_t index = int64_t{blockIdx.x} * merge_threads + threadIdx.x;
  if (index >= count) return;
  const int64_t row = index / n, i = index % n;
  x += row * n;
  from += row * n;
  to += row * n;
  const int64_t pair = i / (2 * width) * 2 * width;
  const bool second = i - pair >= width;
  // the other run
  const int64_t begin = second ? pair : pair + width;
  const int64_t end = begin + width < n ? begin + width : n;
  const int32_t position = from[i];
  const T key = x[position];
  int64_t low = begin, high = end < begin ? begin : end;
  while (low < high) {
    const int64_t middle = low + (high - low) / 2;
    if (precedes(x[from[middle]], from[middle], key, position, descending)) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  const int64_t own = second ? i - pair - width : i - pair;
  to[pair + own + (low - begin)] = position;
}

template <class T>
void argsort_typed(const KernelCall& k, const ArgsortAttrs& a) {
  const int64_t count = k.in[0].size();
  if (count == 0) return;
  const int64_t n = k.in[0].shape.back(), tiles = (n + tile - 1) / tile;
  const T* x = k.in[0].as<T>();
  int32_t* order = k.out[0].as<int32_t>();
  int32_t* spare = static_cast<int32_t*>(k.workspace);
  int passes = 0;
  for (int64_t width = tile; width < n; width *= 2) ++passes;
  // the last pass writes into `order`
  int32_t *from = passes % 2 ? spare : order, *to = passes % 2 ? order : spare;
  PH_LAUNCH(sort_tiles_kernel<T>, static_cast<unsigned>(count / n * tiles), threads, 0, device().stream, x, from, n,
            static_cast<unsigned>(tiles), a.descending);
  for (int64_t width = tile; width < n; width *= 2) {
    PH_LAUNCH(merge_runs_kernel<T>, blocks_for(count, merge_threads), merge_threads, 0, device().stream, x, from, to, n,
              count, width, a.descending);
    int32_t* swap = from;
    from = to;
    to = swap;
  }
}

void argsort(const KernelCall& k, const ArgsortAttrs& a) {
  with_stored_type(k.in[0].dtype, [&](auto stored) {
    using S = decltype(stored);
    if constexpr (std::is_same_v<S, bool>) {
      argsort_typed<uint8_t>(k, a);
    } else if constexpr (std::is_arithmetic_v<S>) {
      argsort_typed<S>(k, a);
    }
  });
}

// Merging needs a second list of positions.
size_t spare_bytes(SpecSpan in, const ArgsortAttrs&) {
  return in[0].shape.back() > tile ? static_cast<size_t>(in[0].shape.size()) * sizeof(int32_t) : 0;
}

size_t no_bytes(SpecSpan, const ArgsortAttrs&) { return 0; }  // positions are integers

}  // namespace

PH_KERNELS(argsort, kernel<argsort, not_half<ArgsortAttrs>, spare_bytes>("merge"),
           through_float<argsort, no_bytes, spare_bytes>());

}  // namespace ph::cuda
