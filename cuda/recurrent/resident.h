// Recurrent layers of few units, all steps in one launch: the recurrent kernel stays on the multiprocessor, and since
// samples do not hang on each other a block walks through the steps of its samples alone, with two barriers a step.
//
// Forward a step multiplies h, (units,), by the kernel, (units, gates); backward the gates' gradients, (gates,), by the
// transposed kernel. Both are a vector by a matrix, of which each thread holds 4 columns of a slice of the depth in
// registers, and what these do not hold in shared memory. The vector and the sums lie in shared memory. Then a thread
// for each unit and sample takes the step, with what is carried from step to step in its registers; what it reads of
// the tensors is on its way while the block multiplies.
//
// Units are padded with zeros to a width of 32, 64 or 128. All is summed in float32 by multiply-adds in an order that
// hangs on the width only: by depth in a slice, then slices in pairs.
#pragma once
#include "cuda/block.h"
#include "cuda/recurrent/steps.h"
#include "cuda/vector.h"

namespace ph::cuda {

namespace {

// A block's threads. Of the registers each may have 128: so many blocks fit on a multiprocessor.
template <int width>
constexpr int resident_threads = 4 * width;
template <int width>
constexpr int resident_at_once = 128 / width;

constexpr int resident_widest = 128;

// A block of the widest matrix has too little shared memory before compute capability 8.0, and for more than a sample
// at 12.0: what is never launched there is not compiled.
template <int width, int samples>
constexpr bool resident_fits_here = width < resident_widest || PH_ARCH == 0 ||
                                    (PH_ARCH >= 800 && (samples == 1 || PH_ARCH < 1200));

// (rows, columns), both multiples of the width, by threads of which `slices` neighbours have the same columns; samples:
// vectors at once.
template <int width, int rows, int columns, int samples>
class ResidentMatrix {
 public:
  static constexpr int per_thread = 4, threads = resident_threads<width>;  // columns
  static constexpr int slices = columns == width ? 16 : 4, step = 4 * slices;
  static constexpr int depth = (rows + step - 1) / step * step, own_depth = depth / slices;  // of vectors: with zeros
  static constexpr int most_in_registers = samples == 1 ? 24 : samples == 2 ? 20 : 15;       // beside the sums
  static constexpr int in_registers = own_depth < most_in_registers ? own_depth : most_in_registers;
  static constexpr int weights_floats = (own_depth - in_registers) * threads * per_thread;
  static constexpr int from_floats = samples * depth, to_floats = samples * columns;
  static_assert(threads / slices * per_thread >= columns && columns * slices % 128 == 0);

  // tile(weights, row, column): 4 rows of 4 columns of the matrix. `shared`: weights_floats.
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
    if (group_ * per_thread >= columns) return;  // whole warps
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

  template <class Layer>
  __device__ explicit PaddedKernel(const Layer& layer)
      : kernel(layer.kernel), units(static_cast<int>(layer.sequence.units)), blocks(Layer::blocks) {}

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

// What a thread reads of the tensors for a step of a Layer (cuda/recurrent/steps.h), copied to shared memory while the
// block multiplies. Only the thread itself reads the copies: no barrier is needed.
template <class Layer>
class ResidentReads {
 public:
  static constexpr int count = Layer::reads;

  // `shared`: count floats for each thread that takes steps, of which there are `takers`.
  __device__ ResidentReads(float* shared, int takers) : shared_(shared + threadIdx.x), takers_(takers) {}

  __device__ void start(const Layer& layer, const ResidentPlace& at, int t) const {
    layer.each_read(at.sample, t, at.unit, [&](int n, const float* from, bool is_there) {
      ptx::copy_async<4>(shared_ + n * takers_, from, is_there);
    });
    ptx::commit_copies();
  }
  __device__ void finish(float (&read)[count]) const {
    ptx::wait_copies<0>();
    PH_UNROLL
    for (int n = 0; n < count; ++n) read[n] = shared_[n * takers_];
  }

 private:
  float* shared_;
  int takers_;
};

// Zeros for what lies between units, and for the units of samples that are not there.
template <int width, int floats>
__device__ void clear_vectors(float* x) {
  for (int i = threadIdx.x; i < floats; i += resident_threads<width>) x[i] = 0;
  __syncthreads();
}

template <class Layer, int width, int samples>
using ForwardMatrix = ResidentMatrix<width, width, Layer::blocks * width, samples>;

template <class Layer, int width, int samples, bool whole>
__global__ void __launch_bounds__(resident_threads<width>, resident_at_once<width>)
    resident_forward_kernel(const __grid_constant__ Layer layer) {
  if (!resident_fits_here<width, samples>) return;
  using Matrix = ForwardMatrix<Layer, width, samples>;
  PH_DYNAMIC_SHARED(float, shared);
  float *x = shared + Matrix::weights_floats, *y = x + Matrix::from_floats;
  ResidentReads<Layer> reads(y + Matrix::to_floats, samples * width);
  const ResidentPlace at = resident_place<width, samples>(layer.sequence);
  float* const h = x + at.in_block * Matrix::depth + at.unit;
  clear_vectors<width, Matrix::from_floats>(x);
  typename Layer::State state{};
  if (at.is_there) {
    state = layer.before(at.sample, 0, at.unit);
    *h = state.h;
  }
  const Matrix matrix(PaddedKernel<width, false, whole>(layer), shared);
  __syncthreads();
  PH_NO_UNROLL
  for (int t = 0; t < layer.sequence.steps; ++t) {
    if (at.is_there) reads.start(layer, at, t);
    matrix.multiply(x, y);
    __syncthreads();
    float to[Layer::writes] = {};  // g++ does not see that what is not computed is not written
    if (at.is_there) {
      float product[Layer::blocks], read[Layer::reads];
      reads.finish(read);
      PH_UNROLL
      for (int b = 0; b < Layer::blocks; ++b) product[b] = y[(at.in_block * Layer::blocks + b) * width + at.unit];
      layer.step(read, layer.sequence.stays(at.sample, t), product, state, to);
      *h = state.h;
    }
    __syncthreads();
    if (at.is_there) layer.write(at.sample, t, at.unit, state, to);
  }
}

template <class Layer, int width, int samples>
using BackwardMatrix = ResidentMatrix<width, Layer::blocks * width, width, samples>;

template <class Layer, int width, int samples, bool whole>
__global__ void __launch_bounds__(resident_threads<width>, resident_at_once<width>)
    resident_backward_kernel(const __grid_constant__ Layer layer) {
  if (!resident_fits_here<width, samples>) return;
  using Matrix = BackwardMatrix<Layer, width, samples>;
  PH_DYNAMIC_SHARED(float, shared);
  float *x = shared + Matrix::weights_floats, *y = x + Matrix::from_floats;
  ResidentReads<Layer> reads(y + Matrix::to_floats, samples * width);
  const ResidentPlace at = resident_place<width, samples>(layer.sequence);
  float *gradients = x + at.in_block * Matrix::depth + at.unit, *of_unit = y + at.in_block * width + at.unit;
  clear_vectors<width, Matrix::from_floats>(x);
  typename Layer::State state{};
  const Matrix matrix(PaddedKernel<width, true, whole>(layer), shared);
  float product = 0;
  if (at.is_there) reads.start(layer, at, static_cast<int>(layer.sequence.steps) - 1);
  PH_NO_UNROLL
  for (int t = static_cast<int>(layer.sequence.steps) - 1; t >= 0; --t) {
    float to[Layer::writes] = {};  // g++ does not see that what is not computed is not written
    if (at.is_there) {
      float read[Layer::reads];
      reads.finish(read);
      layer.step(read, layer.sequence.stays(at.sample, t), product, state, to);
      PH_UNROLL
      for (int b = 0; b < Layer::blocks; ++b) gradients[b * width] = to[b];
    }
    __syncthreads();
    if (at.is_there) {
      layer.write(at.sample, t, at.unit, to);
      if (t > 0) reads.start(layer, at, t - 1);
    }
    matrix.multiply(x, y);
    __syncthreads();
    if (at.is_there) product = *of_unit;
  }
  state.h += product;
  if (at.is_there) layer.carry(at.sample, at.unit, state);
}

// ---- which layers, and how they are cut

// 163 KB for a block; else it is 99, or before compute capability 8.0 64.
inline bool has_most_shared_memory() {
  const int which = capability();
  return which == 80 || which == 90 || which == 100;
}

// Samples that a device of 132 multiprocessors holds at once where a block has one.
inline int64_t resident_slots(int64_t units) { return 132 * (units <= 32 ? 4 : units <= 64 ? 2 : 1); }

template <template <int, int, bool> class Launch, int width, class Layer>
void launch_of_width(const Layer& layer) {
  const int64_t batch = layer.sequence.batch, slots = resident_slots(width);
  const bool whole = layer.sequence.units % 4 == 0 && is_aligned(layer.kernel);
  if (!whole) return Launch<width, 1, false>::run(layer);  // rare: one instance is enough
  const bool fits_one = width == resident_widest && !has_most_shared_memory();
  if (batch <= slots || fits_one) return Launch<width, 1, true>::run(layer);
  if (batch <= 2 * slots) return Launch<width, 2, true>::run(layer);
  Launch<width, 4, true>::run(layer);
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

template <class Matrix, int width, int samples, class Kernel, class Layer>
void launch_blocks(Kernel kernel, const Layer& layer) {
  constexpr int vectors = Matrix::from_floats + Matrix::to_floats + samples * width * Layer::reads;
  constexpr int shared_bytes = (Matrix::weights_floats + vectors) * static_cast<int>(sizeof(float));
  static_assert(shared_bytes <= (width < 128 ? 48 : samples == 1 ? 99 : 163) << 10);
  if constexpr (shared_bytes > 48 << 10) {
    check(cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, shared_bytes),
          "shared memory of a recurrent layer");
  }
  PH_LAUNCH(kernel, blocks_for(layer.sequence.batch, samples), resident_threads<width>, shared_bytes, device().stream,
            layer);
}
template <int width, int samples, bool whole>
struct ResidentForward {
  template <class Layer>
  static void run(const Layer& layer) {
    launch_blocks<ForwardMatrix<Layer, width, samples>, width, samples>(
        resident_forward_kernel<Layer, width, samples, whole>, layer);
  }
};
template <int width, int samples, bool whole>
struct ResidentBackward {
  template <class Layer>
  static void run(const Layer& layer) {
    launch_blocks<BackwardMatrix<Layer, width, samples>, width, samples>(
        resident_backward_kernel<Layer, width, samples, whole>, layer);
  }
};

// Run has, for an op's attributes Attrs,
//   static void run_resident(const KernelCall&, const Attrs&)  of float32
//   static const char* resident_refuses(const Attrs&)          nullptr, or why
//   static Shape states(SpecSpan)                              (batch, steps, units)
// and what kernels by steps want of it.
template <class Run, bool halves, class Attrs>
const char* resident_accepts(SpecSpan in, const Attrs& a) {
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
  constexpr int64_t most_blocks = 4;
  if (states.size() * most_blocks > INT32_MAX) return "too large for 32-bit places";
  return Run::resident_refuses(a);
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
