// Split-K: where a product has few tiles and a long depth (the gradients of weights), blocks share the depth. Each part
// writes its sums to a workspace; a second kernel adds them in the order of the parts. How often a product is split
// hangs on its shape only, so that results are the same on every device.
#pragma once
#include "core/integers.h"
#include "cuda/device.h"
#include "cuda/gemm/output.h"

namespace ph::cuda {

struct SplitPlan {
  int parts;
  int depth;  // of each part; the last one's may be less
};

// `tiles` are the blocks without a split, of which a processor runs `at_once`; a part is not less deep than
// `least_depth`. There is a block for each processor; where parts stay deep, so that writing and adding their sums
// costs little beside them, as many as run at once; and where those parts are very deep, whole waves of blocks.
inline SplitPlan plan_split(int64_t tiles, int64_t depth, int64_t least_depth, int64_t at_once) {
  constexpr int64_t processors = 128, step = 64, most_parts = 256, most_times = 4;
  const int64_t room = processors * at_once, very_deep = most(2048, 4 * least_depth);
  tiles = most(tiles, 1);
  int64_t parts = least(processors / tiles, depth / least_depth);
  const int64_t deep = most(least_depth, parts > 1 ? 512 : 1024);
  parts = most(most(parts, least(room / tiles, depth / deep)), 1);
  if (parts == 1) {
    int64_t waves = divide_up(tiles, room);
    for (int64_t more = 2; more <= most_times && depth / more >= very_deep; ++more) {
      const int64_t of_more = divide_up(tiles * more, room);
      if (10 * of_more * parts < 9 * waves * more) parts = more, waves = of_more;
    }
  }
  parts = least(parts, most_parts);
  if (parts == 1) return {1, static_cast<int>(depth)};
  const int64_t of_each = divide_up(depth, parts * step) * step;
  return {static_cast<int>(divide_up(depth, of_each)), static_cast<int>(of_each)};
}

constexpr int adding_threads = 256;

// c[i] = activation(sum of parts[p][i] + bias) over c's `count` elements. Of an element, thread t of `sharing` adds
// parts t, t + sharing, ...; their sums are added in the order of the threads.
template <int sharing, class Stored, class Sum>
__global__ void __launch_bounds__(adding_threads)
    add_parts_kernel(const Sum* sums, int parts, int64_t count, const MatrixOutput<Stored, Sum> out) {
  constexpr int elements = adding_threads / sharing;
  const int element = static_cast<int>(threadIdx.x) % elements, first = static_cast<int>(threadIdx.x) / elements;
  const int64_t i = int64_t{blockIdx.x} * elements + element;
  Sum sum = 0;
  if (i < count) {
    sum = sums[first * count + i];
    for (int part = first + sharing; part < parts; part += sharing) sum += sums[part * count + i];
  }
  if constexpr (sharing > 1) {
    PH_SHARED(Sum, shared, [adding_threads]);
    shared[threadIdx.x] = sum;
    __syncthreads();
    if (first > 0) return;
    for (int t = 1; t < sharing; ++t) sum += shared[t * elements + element];
  }
  if (i < count) out.data[i] = store_as<Stored>(out.finished(sum, static_cast<int>(i % out.columns)));
}

template <class Stored, class Sum>
void add_parts(const Sum* sums, int parts, int64_t count, const MatrixOutput<Stored, Sum>& out) {
  constexpr int many_parts = 16, sharing = 8;
  const auto launch = [&]<int threads>() {
    PH_LAUNCH((add_parts_kernel<threads, Stored, Sum>), blocks_for(count, adding_threads / threads), adding_threads, 0,
              device().stream, sums, parts, count, out);
  };
  parts < many_parts ? launch.template operator()<1>() : launch.template operator()<sharing>();
}

}  // namespace ph::cuda
