// Running sums and products along an axis of x seen as (outer, n, inner). Where there are enough lines side by side, a
// thread walks each; else a block takes a line in chunks: threads run along their own elements, a scan across the block
// (Blelloch, "Prefix sums and their applications", 1990) gives each what came before, and the last carries over to the
// next chunk. The order of additions depends on the shape alone.
#pragma once
#include "cuda/block.h"
#include "cuda/device.h"
#include "cuda/lines.h"

namespace ph::cuda {

constexpr int scan_threads = 256, per_scan_thread = 4;

template <class T, class Join>
__global__ void __launch_bounds__(walk_threads)
    walk_kernel(const T* x, T* y, const Lines lines, bool reverse, const Join join) {
  const int64_t line = int64_t{blockIdx.x} * walk_threads + threadIdx.x;
  if (line >= lines.count()) return;
  const int64_t step = reverse ? -lines.inner : lines.inner;
  int64_t at = lines.start(line) + (reverse ? (lines.n - 1) * lines.inner : 0);
  T total = join.identity();
  for (int64_t i = 0; i < lines.n; ++i, at += step) {
    total = join.join(total, x[at]);
    y[at] = total;
  }
}

// What the threads before this one hold, joined; `all` is what all hold. Ends with a barrier.
template <class T, class Join>
__device__ __forceinline__ T scan_block(T own, const Join& join, T& all) {
  constexpr int warps = scan_threads / 32;
  PH_SHARED(T, of_warps, [warps]);
  const int lane = static_cast<int>(threadIdx.x) % 32, warp = static_cast<int>(threadIdx.x) / 32;
  T up_to = own;
  for (int distance = 1; distance < 32; distance *= 2) {
    const T before = __shfl_up_sync(all_lanes, up_to, distance);
    if (lane >= distance) up_to = join.join(before, up_to);
  }
  if (lane == 31) of_warps[warp] = up_to;
  T before = __shfl_up_sync(all_lanes, up_to, 1);
  if (lane == 0) before = join.identity();
  __syncthreads();
  T of_warps_before = join.identity();
  all = join.identity();
  for (int w = 0; w < warps; ++w) {
    if (w == warp) of_warps_before = all;
    all = join.join(all, of_warps[w]);
  }
  __syncthreads();
  return join.join(of_warps_before, before);
}

template <class T, class Join>
__global__ void __launch_bounds__(scan_threads)
    scan_kernel(const T* x, T* y, const Lines lines, bool reverse, const Join join) {
  constexpr int chunk = scan_threads * per_scan_thread;
  PH_SHARED(T, tile, [chunk + chunk / 32]);  // a gap after each 32, so that threads meet different banks
  const int64_t start = lines.start(blockIdx.x);
  const auto place = [&](int64_t i) { return start + (reverse ? lines.n - 1 - i : i) * lines.inner; };
  const auto padded = [](int i) { return i + i / 32; };
  T carried = join.identity();
  for (int64_t first = 0; first < lines.n; first += chunk) {
    const int count = static_cast<int>(lines.n - first < chunk ? lines.n - first : chunk);
    for (int i = static_cast<int>(threadIdx.x); i < chunk; i += scan_threads) {
      tile[padded(i)] = i < count ? x[place(first + i)] : join.identity();
    }
    __syncthreads();
    T own[per_scan_thread], total = join.identity();
    for (int i = 0; i < per_scan_thread; ++i) {
      total = join.join(total, tile[padded(static_cast<int>(threadIdx.x) * per_scan_thread + i)]);
      own[i] = total;
    }
    T all;
    const T before = join.join(carried, scan_block(total, join, all));
    for (int i = 0; i < per_scan_thread; ++i) {
      tile[padded(static_cast<int>(threadIdx.x) * per_scan_thread + i)] = join.join(before, own[i]);
    }
    carried = join.join(carried, all);
    __syncthreads();
    for (int i = static_cast<int>(threadIdx.x); i < count; i += scan_threads) y[place(first + i)] = tile[padded(i)];
    __syncthreads();
  }
}

template <class T, class Join>
void run_along(const T* x, T* y, const Lines& lines, bool reverse, Join join) {
  if (lines.count() == 0 || lines.n == 0) return;
  // neighbours in memory belong to different lines, and there are enough of them
  const bool walk = lines.n <= 64 || (lines.inner >= 32 && lines.count() >= 8192);
  if (walk) {
    PH_LAUNCH((walk_kernel<T, Join>), blocks_for(lines.count(), walk_threads), walk_threads, 0, device().stream, x, y,
              lines, reverse, join);
  } else {
    PH_LAUNCH((scan_kernel<T, Join>), static_cast<unsigned>(lines.count()), scan_threads, 0, device().stream, x, y,
              lines, reverse, join);
  }
}

}  // namespace ph::cuda
