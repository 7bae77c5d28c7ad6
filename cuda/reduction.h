// Reductions over any set of axes, whatever is reduced: sums, extrema, positions, moments.
//
// Where the innermost axis is reduced ("rows"), lanes of a warp or a block walk along a row together; where it is kept
// ("columns"), each thread owns a column, and several rows are walked side by side. Either way neighbouring threads
// read neighbouring elements, 16 bytes each where the shape admits it. A thread adds up a few elements at a time and
// joins those partial results, threads are joined in a tree: rounding errors stay near those of pairwise sums. Large
// reductions are cut into slices, by shape alone; their results lie in a workspace and are joined by a second kernel,
// in order. So the same shape gives the same bits.
//
// A policy says what is reduced:
//   vector            elements loaded together: neighbours in a row, or of neighbouring columns
//   in_flight         loads begun before the first is used
//   Context           what an element needs to know of its output;   prepare(Context&, output, step): its V outputs are
//                     output + v * step
//   Item              one element, as loaded;                        load(Item (&)[V], context, offset, index):
//   `offset`
//                     counts vectors from the start of the tensor, `index` along the reduced axes
//   Part              what a thread adds a few items to;             start(), add(Part&, item)
//   Total             what is joined;                                identity(), total(part), join(Total, Total)
//   store(output, Total)
#pragma once
#include <cstring>

#include "cuda/block.h"
#include "cuda/device.h"
#include "cuda/divide.h"
#include "cuda/strides.h"

namespace ph::cuda {

constexpr int reduction_threads = 256;
// At once on a multiprocessor: what registers are dealt out for, without spills; rows of sums of several numbers need
// more of them.
constexpr int reduction_blocks = 4;
constexpr int column_blocks = PH_ARCH >= 1200 ? reduction_blocks - 1 : reduction_blocks;  // nvcc spills there, else

// A number of the lane whose number differs by `distance`, of any type.
template <class T>
__device__ __forceinline__ T shuffle_xor(T value, int distance) {
  if constexpr (std::is_arithmetic_v<T>) {
    return __shfl_xor_sync(all_lanes, value, distance);
  } else {
    static_assert(sizeof(T) % 4 == 0);
    uint32_t words[sizeof(T) / 4];
    memcpy(words, &value, sizeof(T));
    PH_UNROLL
    for (size_t i = 0; i < sizeof(T) / 4; ++i) words[i] = __shfl_xor_sync(all_lanes, words[i], distance);
    memcpy(&value, words, sizeof(T));
    return value;
  }
}

// Of elements from their number among those kept or reduced. Reduced axes that cannot be merged have kept ones between
// them.
using ReductionPlaces = Places<Shape::max_rank / 2>;

// The shape of a reduction.
struct Reduction {
  Strides kept, reduced;  // from a position among the outputs, and among what each takes, to an offset
  int64_t outputs = 1, count = 1;
  bool columns = false;  // the innermost axis is kept

  void add_outer(int64_t n, bool is_reduced, int64_t step) {
    if (n != 1 && kept.rank + reduced.rank == 0) columns = !is_reduced;
    (is_reduced ? reduced : kept).add_outer(n, step);
    (is_reduced ? count : outputs) *= n;
  }

  // Whether V elements can be loaded together: the innermost run and all steps above it are multiples of V.
  bool divisible(int vector) const {
    const Strides& inner = columns ? kept : reduced;
    return inner.rank > 0 && inner.stride[0] == 1 && inner.size[0] % vector == 0;
  }

  // The same counted in vectors.
  Reduction in_vectors(int vector) const {
    Reduction made = *this;
    Strides& inner = made.columns ? made.kept : made.reduced;
    for (Strides* each : {&made.kept, &made.reduced}) {
      for (int d = 0; d < each->rank; ++d) each->stride[d] /= vector;
    }
    inner.size[0] /= vector;
    inner.stride[0] = 1;
    (made.columns ? made.outputs : made.count) /= vector;
    return made;
  }

  // Threads of a block side by side in one row, or across columns.
  int lanes() const {
    const auto power_of_two = [](int64_t n, int most) {
      int lanes = 1;
      while (lanes < n && lanes < most) lanes *= 2;
      return lanes;
    };
    if (!columns) {
      const bool whole_block = count > 1024 || (count > 128 && outputs < 1024);
      return whole_block ? reduction_threads : power_of_two((count + 3) / 4, 32);
    }
    const int rows = power_of_two(count, reduction_threads / power_of_two(outputs, 32));
    return reduction_threads / rows;
  }

  // Parts that each output's elements are cut into. `vector` is what the dtype admits; whether memory is aligned does
  // not matter here, since the workspace is asked for before there is any.
  int64_t slices(int vector) const {
    if (outputs == 0 || count == 0) return 1;
    if (divisible(vector) && vector > 1) return in_vectors(vector).slices(1);
    constexpr int64_t most_blocks = 1024;
    const int64_t side_by_side = lanes(), per_block = columns ? side_by_side : reduction_threads / side_by_side;
    const int64_t blocks = (outputs + per_block - 1) / per_block;
    const int64_t walkers = columns ? reduction_threads / side_by_side : side_by_side;
    const int64_t wanted = (count + walkers * 8 - 1) / (walkers * 8);
    const int64_t most = !columns && side_by_side < reduction_threads ? 1 : most_blocks / blocks;
    return wanted < most ? wanted : most > 0 ? most : 1;
  }
};

// Neighbours of one kind are merged by Strides, axes of one element are left out.
inline Reduction make_reduction(const Shape& shape, const bool* is_reduced) {
  Reduction made;
  int64_t step = 1;
  for (int i = shape.rank() - 1; i >= 0; --i) {
    made.add_outer(shape[i], is_reduced[i], step);
    step *= shape[i];
  }
  return made;
}

template <class Policy>
struct ReductionCall {
  Policy policy;
  ReductionPlaces kept, reduced;
  int64_t outputs, count, per_slice;
  unsigned slices;
  int lanes;
  typename Policy::Total* partial;  // (outputs, slices), where there are several
};

// Items begin, begin + step, ... of one output (of V outputs for columns), joined to total.
template <class Policy>
__device__ __forceinline__ void gather(const Policy& p, const typename Policy::Context& context,
                                       const ReductionPlaces& reduced, int64_t base, int64_t begin, int64_t end,
                                       int64_t step, typename Policy::Total (&total)[Policy::vector]) {
  constexpr int vector = Policy::vector, in_flight = Policy::in_flight, joined_at_once = 16;
  // several loads at a time where places need no divisions
  const int64_t ahead = reduced.rank > 1 ? joined_at_once * step : (in_flight - 1) * step;
  const int64_t stride = reduced.rank > 0 ? reduced.stride[0] : 0;
  for (int64_t i = begin; i < end;) {
    typename Policy::Part part[vector];
    PH_UNROLL
    for (int v = 0; v < vector; ++v) part[v] = p.start();
    const int64_t stop = i + joined_at_once * step < end ? i + joined_at_once * step : end;
    for (; i + ahead < stop; i += in_flight * step) {
      typename Policy::Item item[in_flight][vector];
      PH_UNROLL
      for (int u = 0; u < in_flight; ++u) {
        const int64_t at = i + u * step;
        p.load(item[u], context, base + at * stride, at);
      }
      PH_UNROLL
      for (int u = 0; u < in_flight; ++u) {
        PH_UNROLL
        for (int v = 0; v < vector; ++v) p.add(part[v], item[u][v]);
      }
    }
    for (; i < stop; i += step) {
      typename Policy::Item item[vector];
      p.load(item, context, base + reduced.offset(i), i);
      PH_UNROLL
      for (int v = 0; v < vector; ++v) p.add(part[v], item[v]);
    }
    PH_UNROLL
    for (int v = 0; v < vector; ++v) total[v] = p.join(total[v], p.total(part[v]));
  }
}

// What `lanes` neighbouring threads hold, joined in the first of them: a power of two within a warp, or the block. All
// threads of the block call it, once in a kernel.
template <class Policy>
__device__ __forceinline__ typename Policy::Total join_lanes(const Policy& p, typename Policy::Total total, int lanes) {
  for (int distance = (lanes < 32 ? lanes : 32) / 2; distance > 0; distance /= 2) {
    total = p.join(total, shuffle_xor(total, distance));
  }
  if (lanes > 32) {
    constexpr int warps = reduction_threads / 32;
    PH_SHARED(typename Policy::Total, of_warps, [warps]);
    if (threadIdx.x % 32 == 0) of_warps[threadIdx.x / 32] = total;
    __syncthreads();
    total = of_warps[0];
    for (int warp = 1; warp < lanes / 32; ++warp) total = p.join(total, of_warps[warp]);
  }
  return total;
}

template <class Policy>
__device__ __forceinline__ void deliver(const ReductionCall<Policy>& call, int64_t output, int64_t slice,
                                        const typename Policy::Total& total) {
  if (call.slices > 1) {
    call.partial[output * call.slices + slice] = total;
  } else {
    call.policy.store(output, total);
  }
}

template <class Policy>
constexpr int row_blocks = std::is_arithmetic_v<typename Policy::Total> ? reduction_blocks : reduction_blocks - 1;

template <class Policy>
__global__ void __launch_bounds__(reduction_threads, row_blocks<Policy>)
    reduce_rows_kernel(const __grid_constant__ ReductionCall<Policy> call) {
  const Policy& p = call.policy;
  const int lane = static_cast<int>(threadIdx.x) & (call.lanes - 1);
  const unsigned group = blockIdx.x / call.slices, slice = blockIdx.x - group * call.slices;
  const int64_t output = int64_t{group} * (reduction_threads / call.lanes) + threadIdx.x / call.lanes;
  const int64_t begin = int64_t{slice} * call.per_slice;
  const int64_t end = output >= call.outputs                ? begin
                      : begin + call.per_slice < call.count ? begin + call.per_slice
                                                            : call.count;
  typename Policy::Total total[Policy::vector];
  for (int v = 0; v < Policy::vector; ++v) total[v] = p.identity();
  if (begin < end) {
    typename Policy::Context context;
    p.prepare(context, output, 0);
    gather(p, context, call.reduced, call.kept.offset(output), begin + lane, end, call.lanes, total);
  }
  PH_UNROLL
  for (int width = Policy::vector / 2; width > 0; width /= 2) {
    PH_UNROLL
    for (int v = 0; v < width; ++v) total[v] = p.join(total[v], total[v + width]);
  }
  const typename Policy::Total all = join_lanes(p, total[0], call.lanes);
  if (lane == 0 && output < call.outputs) deliver(call, output, slice, all);
}

template <class Policy>
__global__ void __launch_bounds__(reduction_threads, column_blocks)
    reduce_columns_kernel(const __grid_constant__ ReductionCall<Policy> call) {
  constexpr int vector = Policy::vector;
  using Total = typename Policy::Total;
  const Policy& p = call.policy;
  const int thread = static_cast<int>(threadIdx.x), row = thread / call.lanes, rows = reduction_threads / call.lanes;
  const unsigned tile = blockIdx.x / call.slices, slice = blockIdx.x - tile * call.slices;
  const int64_t column = int64_t{tile} * call.lanes + (thread & (call.lanes - 1));
  const int64_t begin = int64_t{slice} * call.per_slice;
  const int64_t end = begin + call.per_slice < call.count ? begin + call.per_slice : call.count;
  Total total[vector];
  for (int v = 0; v < vector; ++v) total[v] = p.identity();
  if (column < call.outputs) {
    typename Policy::Context context;
    p.prepare(context, column * vector, 1);
    gather(p, context, call.reduced, call.kept.offset(column), begin + row, end, rows, total);
  }
  PH_SHARED(Total, of_rows, [vector][reduction_threads]);
  for (int half = rows / 2; half > 0; half /= 2) {
    if (row >= half && row < 2 * half) {
      for (int v = 0; v < vector; ++v) of_rows[v][thread] = total[v];
    }
    __syncthreads();
    if (row < half) {
      for (int v = 0; v < vector; ++v) total[v] = p.join(total[v], of_rows[v][thread + half * call.lanes]);
    }
  }
  if (row == 0 && column < call.outputs) {
    for (int v = 0; v < vector; ++v) deliver(call, column * vector + v, slice, total[v]);
  }
}

// The slices of each output joined, by `lanes` threads.
template <class Policy>
__global__ void __launch_bounds__(reduction_threads, reduction_blocks)
    join_slices_kernel(const Policy p, const typename Policy::Total* partial, int64_t outputs, int64_t slices,
                       int lanes) {
  const int lane = static_cast<int>(threadIdx.x) & (lanes - 1);
  const int64_t output = int64_t{blockIdx.x} * (reduction_threads / lanes) + threadIdx.x / lanes;
  typename Policy::Total total = p.identity();
  if (output < outputs) {
    for (int64_t s = lane; s < slices; s += lanes) total = p.join(total, partial[output * slices + s]);
  }
  total = join_lanes(p, total, lanes);
  if (lane == 0 && output < outputs) p.store(output, total);
}

// `slices` as Reduction::slices() says, `workspace` with a Total for each output and slice where there are several.
template <class Policy>
void reduce(const Policy& policy, const Reduction& elements, int64_t slices, void* workspace) {
  if (elements.outputs == 0) return;
  const Reduction r = Policy::vector > 1 ? elements.in_vectors(Policy::vector) : elements;
  auto* partial = static_cast<typename Policy::Total*>(workspace);
  ReductionCall<Policy> call{
      policy,    {},     {}, r.outputs, r.count, (r.count + slices - 1) / slices, static_cast<unsigned>(slices),
      r.lanes(), partial};
  if (r.count > 0) {
    call.kept = r.kept;
    call.reduced = r.reduced;
  }
  const int64_t per_block = r.columns ? call.lanes : reduction_threads / call.lanes;
  const unsigned blocks = static_cast<unsigned>((r.outputs + per_block - 1) / per_block * slices);
  if (r.columns) {
    PH_LAUNCH(reduce_columns_kernel<Policy>, blocks, reduction_threads, 0, device().stream, call);
  } else {
    PH_LAUNCH(reduce_rows_kernel<Policy>, blocks, reduction_threads, 0, device().stream, call);
  }
  if (slices == 1) return;
  const int lanes = slices > 32 ? reduction_threads : 32;
  PH_LAUNCH(join_slices_kernel<Policy>, blocks_for(elements.outputs, reduction_threads / lanes), reduction_threads, 0,
            device().stream, policy, partial, elements.outputs, slices, lanes);
}

}  // namespace ph::cuda
