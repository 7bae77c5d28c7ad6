// Recurrent layers of few units, all steps in one launch: the recurrent kernel stays on the multiprocessor, and since
// samples do not hang on each other a block walks through the steps of its samples alone, with two barriers a step.
//
// Forward a step multiplies h, (units,), by the kernel, (units, gates); backward the gates' gradients, (gates,), by the
// transposed kernel. Both are a vector by a matrix, of which each thread holds 4 columns of a slice of the depth in
// registers, and what these do not hold in shared memory. The vector and the sums lie in shared memory. Then a thread
// for each unit and sample takes the step, with what is carried from step to step in its registers; what it reads of
// the tensors is on its way while the block multiplies.
//
// Units are padded with zeros to a width of 32, 64 or 128, gates to 4 blocks of that width. All is summed in float32 by
// multiply-adds in an order that hangs on the width only: by depth in a slice, then slices in pairs.
#pragma once
#include "cuda/block.h"
#include "cuda/device.h"
#include "cuda/halves.h"
#include "cuda/vector.h"
#include "ops/sequence.h"

namespace ph::cuda {

namespace {

constexpr int resident_blocks = 4;  // of gates

// A block's threads: width / 4 of the depth times 4 columns each. Of its registers 128 a thread are there to be had:
// so many blocks fit on a multiprocessor.
template <int width>
constexpr int resident_threads = 4 * width;
template <int width>
constexpr int resident_at_once = 128 / width;

// (depth, columns) by threads of which `slices` neighbours have the same columns; samples: vectors at once.
template <int depth, int columns, int samples>
class ResidentMatrix {
 public:
  static constexpr int per_thread = 4;  // columns
  static constexpr int width = depth < columns ? depth : columns, threads = resident_threads<width>;
  static constexpr int slices = threads * per_thread / columns, own_depth = depth / slices;
  static constexpr int most_in_registers = samples == 1 ? 24 : samples == 2 ? 22 : 16;  // beside the sums
  static constexpr int in_registers = own_depth < most_in_registers ? own_depth : most_in_registers;
  static constexpr int shared_floats = (own_depth - in_registers) * threads * per_thread;
  static_assert(depth % (slices * 4) == 0 && slices * own_depth == depth && slices <= 32);

  // tile(weights, row, column): 4 rows of 4 columns of the matrix. `shared`: shared_floats.
  template <class Tile>
  __device__ ResidentMatrix(const Tile& tile, float* shared)
      : shared_(shared + threadIdx.x * per_thread), slice_(threadIdx.x % slices), group_(threadIdx.x / slices) {
    // what goes to shared memory first, while registers are free
    PH_UNROLL
    for (int first = own_depth - 4; first >= 0; first -= 4) {
      float weights[4][per_thread];
      if constexpr (!Tile::whole) __syncthreads();  // more loads at once would want more registers than there are
      tile(weights, row(first), group_ * per_thread);
      PH_UNROLL
      for (int d = first; d < first + 4; ++d) {
        if (d >= in_registers) store_shared_vector(place(d), weights[d - first]);
        if (d < in_registers) {
          PH_UNROLL
          for (int c = 0; c < per_thread; ++c) weights_[d][c] = weights[d - first][c];
        }
      }
    }
  }

  // y (samples, columns) = x (samples, depth) times the matrix, both in shared memory. A barrier before, if others
  // wrote x or still read y, and one after.
  __device__ void multiply(const float* x, float* y) const {
    float sum[samples * per_thread] = {};
    PH_UNROLL
    for (int first = 0; first < own_depth; first += 4) {
      float from[samples][4];
      PH_UNROLL
      for (int s = 0; s < samples; ++s) load_vector(from[s], x + s * depth + row(first));
      PH_UNROLL
      for (int d = first; d < first + 4; ++d) {
        float weight[per_thread];
        if (d >= in_registers) load_vector(weight, place(d));
        PH_UNROLL
        for (int c = 0; c < per_thread; ++c) {
          const float by = d < in_registers ? weights_[d][c] : weight[c];
          PH_UNROLL
          for (int s = 0; s < samples; ++s) sum[s * per_thread + c] += from[s][d - first] * by;
        }
      }
    }
    add_slices<1>(sum, 0, y);
  }

 private:
  float weights_[in_registers][per_thread];
  float* shared_;
  int slice_, group_;

  // Fours of neighbouring rows go round the slices, so that lanes read neighbouring banks.
  __device__ int row(int d) const { return (d / 4 * slices + slice_) * 4 + d % 4; }
  __device__ float* place(int d) const { return shared_ + (d - in_registers) * (threads * per_thread); }

  // Adds up what lanes so far apart have, then those farther apart. Of several sums each lane keeps half: those of the
  // thread from `at` on.
  template <int distance, int n>
  __device__ void add_slices(float (&sum)[n], int at, float* y) const {
    const bool upper = slice_ & distance;
    if constexpr (distance == slices) {
      constexpr int lanes = samples * per_thread;  // with different sums
      if (slice_ / lanes == 0) store_shared_vector(y + at / per_thread * columns + group_ * per_thread + at % 4, sum);
    } else if constexpr (n == 1) {
      sum[0] += __shfl_xor_sync(all_lanes, sum[0], distance);
      add_slices<2 * distance>(sum, at, y);
    } else {
      float half[n / 2];
      PH_UNROLL
      for (int i = 0; i < n / 2; ++i) {
        const float other = __shfl_xor_sync(all_lanes, upper ? sum[i] : sum[n / 2 + i], distance);
        half[i] = (upper ? sum[n / 2 + i] : sum[i]) + other;
      }
      add_slices<2 * distance>(half, upper ? at + n / 2 : at, y);
    }
  }
};

// The recurrent kernel, or transposed, padded with zeros. Whole: rows of 4 neighbouring elements are all there or all
// padding, and lie at multiples of 16 bytes.
template <int width, bool transposed, bool is_whole>
struct PaddedKernel {
  static constexpr bool whole = is_whole;

  const float* kernel;  // (units, blocks * units)
  int units, blocks;

  __device__ void operator()(float (&to)[4][4], int row, int column) const {
    PH_UNROLL
    for (int i = 0; i < 4; ++i) {
      float run[4] = {};
      load_run(run, transposed ? column + i : row + i, transposed ? row : column);
      PH_UNROLL
      for (int e = 0; e < 4; ++e) (transposed ? to[e][i] : to[i][e]) = run[e];
    }
  }

 private:
  __device__ void load_run(float (&run)[4], int row, int column) const {
    const int block = column / width, unit = column % width;
    const float* from = kernel + (row * blocks + block) * units + unit;
    const bool is_there = row < units && block < blocks;
    if constexpr (whole) {
      if (is_there && unit < units) load_vector(run, from);
    } else {
      PH_UNROLL
      for (int e = 0; e < 4; ++e) {
        if (is_there && unit + e < units) run[e] = from[e];
      }
    }
  }
};

// Which unit of which sample a thread takes the steps of.
struct ResidentPlace {
  int sample, unit, in_block;  // in_block: the sample's place in the block
  bool is_there;
};
template <int width, int samples>
__device__ ResidentPlace resident_place(const Sequence& s) {
  const int in_block = static_cast<int>(threadIdx.x) / width, unit = static_cast<int>(threadIdx.x) % width;
  const int sample = static_cast<int>(blockIdx.x) * samples + in_block;
  return {sample, unit, in_block, in_block < samples && unit < s.units && sample < s.batch};
}

// What a thread reads of the tensors for a step, copied to shared memory while the block multiplies. Only the thread
// itself reads the copies: no barrier is needed.
template <class Layer>
class ResidentReads {
 public:
  static constexpr int count = Layer::reads;

  // `shared`: count floats for each thread that takes steps, of which there are `takers`.
  __device__ ResidentReads(float* shared, int takers) : shared_(shared + threadIdx.x), takers_(takers) {}

  __device__ void start(const Layer& layer, const ResidentPlace& at, int t) {
    layer.each_read(at.sample, t, at.unit, [&](int n, const float* from, bool is_there) {
      ptx::copy_async<4>(shared_ + n * takers_, from, is_there);
    });
    ptx::commit_copies();
    stays_ = layer.sequence.stays(at.sample, t);
  }
  __device__ void finish(float (&read)[count]) const {
    ptx::wait_copies<0>();
    PH_UNROLL
    for (int n = 0; n < count; ++n) read[n] = shared_[n * takers_];
  }
  __device__ bool stays() const { return stays_; }

 private:
  float* shared_;
  int takers_;
  bool stays_ = false;
};

// A layer forward, Layer: a Sequence `sequence`, the `kernel` and its `blocks`, how much a step `reads`, and for a
// thread's sample b and unit j
//   State begin(b, j)                      the state before the first step; its h is multiplied
//   each_read(b, t, j, read)               read(n, address, is_there) for what step t reads besides the state
//   step(read, stays, product, state, gates)  brings the state to after the step; product: a float of each block
//   write(b, t, j, state, gates)
template <class Layer, int width, int samples, bool whole>
__global__ void __launch_bounds__(resident_threads<width>, resident_at_once<width>)
    resident_forward_kernel(const __grid_constant__ Layer layer) {
  constexpr int blocks = resident_blocks, columns = blocks * width;
  using Matrix = ResidentMatrix<width, columns, samples>;
  PH_DYNAMIC_SHARED(float, shared);
  float *x = shared + Matrix::shared_floats, *y = x + samples * width;
  ResidentReads<Layer> reads(y + samples * columns, samples * width);
  const Sequence& s = layer.sequence;
  const ResidentPlace at = resident_place<width, samples>(s);
  const int unit = at.unit;
  const Matrix matrix(PaddedKernel<width, false, whole>{layer.kernel, static_cast<int>(s.units), Layer::blocks},
                      shared);
  typename Layer::State state{};
  if (at.is_there) state = layer.begin(at.sample, unit);
  if (at.in_block < samples) x[at.in_block * width + unit] = state.h;
  __syncthreads();
  PH_NO_UNROLL
  for (int t = 0; t < s.steps; ++t) {
    if (at.is_there) reads.start(layer, at, t);
    matrix.multiply(x, y);
    __syncthreads();
    float gates[blocks];
    if (at.is_there) {
      float product[blocks], read[Layer::reads];
      reads.finish(read);
      PH_UNROLL
      for (int b = 0; b < blocks; ++b) product[b] = y[at.in_block * columns + b * width + unit];
      layer.step(read, reads.stays(), product, state, gates);
      x[at.in_block * width + unit] = state.h;
    }
    __syncthreads();
    if (at.is_there) layer.write(at.sample, t, unit, state, gates);
  }
}

// A layer backward: the same, but
//   step(read, stays, product, state, gradients)  brings `state`, which reaches the states of step t past the product,
//                                          to before the step; product: the gradient by the step after; gradients: of
//                                          the blocks, to be multiplied. At first state and product are 0.
//   write(b, t, j, gradients)
//   end(product, b, j, state)              the gradient of the initial state
template <class Layer, int width, int samples, bool whole>
__global__ void __launch_bounds__(resident_threads<width>, resident_at_once<width>)
    resident_backward_kernel(const __grid_constant__ Layer layer) {
  constexpr int blocks = resident_blocks, depth = blocks * width;
  using Matrix = ResidentMatrix<depth, width, samples>;
  PH_DYNAMIC_SHARED(float, shared);
  float *x = shared + Matrix::shared_floats, *y = x + samples * depth;
  ResidentReads<Layer> reads(y + samples * width, samples * width);
  const Sequence& s = layer.sequence;
  const ResidentPlace at = resident_place<width, samples>(s);
  const int unit = at.unit;
  const Matrix matrix(PaddedKernel<width, true, whole>{layer.kernel, static_cast<int>(s.units), Layer::blocks}, shared);
  typename Layer::State state{};
  float product = 0;
  if (at.is_there) reads.start(layer, at, static_cast<int>(s.steps) - 1);
  PH_NO_UNROLL
  for (int t = static_cast<int>(s.steps) - 1; t >= 0; --t) {
    float gradients[blocks] = {};
    if (at.is_there) {
      float read[Layer::reads];
      reads.finish(read);
      layer.step(read, reads.stays(), product, state, gradients);
    }
    if (at.in_block < samples) {
      PH_UNROLL
      for (int b = 0; b < blocks; ++b) x[at.in_block * depth + b * width + unit] = gradients[b];
    }
    __syncthreads();
    if (at.is_there) {
      layer.write(at.sample, t, unit, gradients);
      if (t > 0) reads.start(layer, at, t - 1);
    }
    matrix.multiply(x, y);
    __syncthreads();
    if (at.is_there) product = y[at.in_block * width + unit];
  }
  if (at.is_there) layer.end(product, at.sample, unit, state);
}

// ---- which layers, and how they are cut

constexpr int resident_widest = 128;

// 163 KB for a block; else it is 99, or before compute capability 8.0 64.
inline bool has_most_shared_memory() {
  const int which = capability();
  return which == 80 || which == 90 || which == 100;
}

// Samples that a device of 132 multiprocessors holds at once where a block has one.
inline int64_t resident_slots(int64_t units) { return 132 * (units <= 32 ? 4 : units <= 64 ? 2 : 1); }

template <template <int, int, bool> class Launch, int width, int samples, class Layer>
void launch_of_samples(const Layer& layer) {
  const bool whole = layer.sequence.units % 4 == 0 && is_aligned(layer.kernel);
  whole ? Launch<width, samples, true>::run(layer) : Launch<width, samples, false>::run(layer);
}
template <template <int, int, bool> class Launch, int width, class Layer>
void launch_of_width(const Layer& layer) {
  const int64_t batch = layer.sequence.batch, slots = resident_slots(width);
  if (batch <= slots) return launch_of_samples<Launch, width, 1>(layer);
  if (batch <= 2 * slots || (width == resident_widest && !has_most_shared_memory())) {
    return launch_of_samples<Launch, width, 2>(layer);
  }
  launch_of_samples<Launch, width, 4>(layer);
}
// By the least width that the units fit into, with as many samples a block as a device needs to hold all at once, but
// for the largest batches.
template <template <int, int, bool> class Launch, class Layer>
void launch_resident(const Layer& layer) {
  const int64_t units = layer.sequence.units;
  if (units <= 32) return launch_of_width<Launch, 32>(layer);
  if (units <= 64) return launch_of_width<Launch, 64>(layer);
  launch_of_width<Launch, 128>(layer);
}

template <class Matrix, int samples, class Kernel, class Layer>
void launch_blocks(Kernel kernel, const Layer& layer) {
  constexpr int vectors = samples * (resident_blocks + 1 + Layer::reads) * Matrix::width;
  constexpr int shared_bytes = (Matrix::shared_floats + vectors) * static_cast<int>(sizeof(float));
  if constexpr (shared_bytes > 48 << 10) {
    check(cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, shared_bytes),
          "shared memory of a recurrent layer");
  }
  PH_LAUNCH(kernel, blocks_for(layer.sequence.batch, samples), Matrix::threads, shared_bytes, device().stream, layer);
}
template <int width, int samples, bool whole>
struct ResidentForward {
  template <class Layer>
  static void run(const Layer& layer) {
    launch_blocks<ResidentMatrix<width, resident_blocks * width, samples>, samples>(
        resident_forward_kernel<Layer, width, samples, whole>, layer);
  }
};
template <int width, int samples, bool whole>
struct ResidentBackward {
  template <class Layer>
  static void run(const Layer& layer) {
    launch_blocks<ResidentMatrix<resident_blocks * width, width, samples>, samples>(
        resident_backward_kernel<Layer, width, samples, whole>, layer);
  }
};

// Run has, for an op's attributes Attrs,
//   static void run_resident(const KernelCall&, const Attrs&)  of float32
//   static Shape states(SpecSpan)                              (batch, steps, units)
//   static size_t results(SpecSpan, const Attrs&)              copy_bytes of the outputs
template <class Run, bool halves, class Attrs>
const char* resident_accepts(SpecSpan in, const Attrs&) {
  constexpr int64_t most_rounds = 4;  // of four samples a block; beyond, products of the whole batch are as fast
  const DType dtype = in[0].dtype;
  if (halves && !is_half(dtype)) return "wants float16 or bfloat16";
  if (!halves && dtype != DType::float32) return "wants float32";
  const Shape states = Run::states(in);
  if (states.size() == 0) return "nothing to do";
  const int64_t batch = states[0], units = states[2];
  if (units > resident_widest) return "the recurrent kernel is too large to stay on a multiprocessor";
  if (units > 64 && capability() < 80) return "wants more shared memory than this compute capability has";
  if (batch > 4 * most_rounds * resident_slots(units)) return "a batch for products of its own";
  return states.size() * resident_blocks > INT32_MAX ? "too large for 32-bit places" : nullptr;
}

template <class Run, class Attrs>
constexpr Kernel resident() {
  return kernel<Run::run_resident, resident_accepts<Run, false, Attrs>>("resident");
}
template <class Run, class Attrs>
constexpr Kernel resident_of_halves() {
  return kernel<in_float<Run::run_resident, Attrs>, resident_accepts<Run, true, Attrs>,
                in_float_bytes<Run::results, nullptr, Attrs>>("halves_through_resident");
}

#define PH_RESIDENT(Run, Attrs) (resident<Run, Attrs>()), (resident_of_halves<Run, Attrs>())

}  // namespace

}  // namespace ph::cuda
