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

// `tiles` are the blocks without a split; a part is not less deep than `least_depth`.
inline SplitPlan plan_split(int64_t tiles, int64_t depth, int64_t least_depth) {
  constexpr int64_t wanted_blocks = 128, step = 64, most_parts = 64;
  int64_t parts = wanted_blocks / (tiles > 0 ? tiles : 1);
  if (parts > depth / least_depth) parts = depth / least_depth;
  if (parts > most_parts) parts = most_parts;
  if (parts < 2) return {1, static_cast<int>(depth)};
  const int64_t of_each = divide_up(depth, parts * step) * step;
  return {static_cast<int>(divide_up(depth, of_each)), static_cast<int>(of_each)};
}

// c[i] = activation(sum of parts[p][i] + bias) over c's `count` elements.
template <class Stored, class Sum>
__global__ void __launch_bounds__(256)
    add_parts_kernel(const Sum* sums, int parts, int64_t count, const MatrixOutput<Stored, Sum> out) {
  const int64_t i = int64_t{blockIdx.x} * 256 + threadIdx.x;
  if (i >= count) return;
  Sum sum = sums[i];
  for (int part = 1; part < parts; ++part) sum += sums[part * count + i];
  out.data[i] = store_as<Stored>(out.finished(sum, static_cast<int>(i % out.columns)));
}

}  // namespace ph::cuda
