// What the recurrent kernels share. Steps follow each other as launches on one stream: a product with the recurrent
// kernel by one of matmul's kernels, then a kernel with a thread for each state of the batch (sample and unit), which
// finds the gates and the state from it. What is multiplied lies densely in the workspace, since products take no
// strides; where tensors of all steps are read and written, neighbouring threads take neighbouring units.
//
// Backward, the gradient of the state before a step has two parts: the product of the step's gradients, and what
// reaches it otherwise (by the GRU's z, or because a masked step left the state as it was). Both wait for the step
// before, which adds them up: the first in the workspace, the second in dh0, the output.
#pragma once
#include "core/scalar.h"
#include "cuda/device.h"
#include "cuda/divide.h"
#include "cuda/gemm/variants.h"
#include "cuda/halves.h"
#include "ops/sequence.h"

namespace ph::cuda {

namespace {

constexpr int step_threads = 128;

// Deals out a workspace, or with none only counts its bytes.
class Workspace {
 public:
  explicit Workspace(void* memory = nullptr) : memory_(static_cast<char*>(memory)) {}

  template <class T>
  T* take(int64_t elements) {
    constexpr size_t alignment = 256;
    char* const taken = memory_ ? memory_ + bytes_ : nullptr;
    bytes_ += (static_cast<size_t>(elements) * sizeof(T) + alignment - 1) / alignment * alignment;
    return reinterpret_cast<T*>(taken);
  }
  size_t bytes() const { return bytes_; }

 private:
  char* memory_;
  size_t bytes_ = 0;
};

// c = a b, or a b^T, of dense matrices (rows, depth) and (depth, columns) or (columns, depth).
template <class T>
class StepProduct {
 public:
  T *a, *c;  // in the workspace

  StepProduct(Workspace& workspace, int64_t rows, int64_t depth, int64_t columns, bool transposed, Precision precision)
      : a(workspace.take<T>(rows * depth)),
        c(workspace.take<T>(rows * columns)),
        a_shape_{rows, depth},
        b_shape_(transposed ? Shape{columns, depth} : Shape{depth, columns}),
        c_shape_{rows, columns} {
    attributes_.transpose_b = transposed;
    const Spec operands[] = {{a_shape_, dtype_of<T>()}, {b_shape_, dtype_of<T>()}};
    way_ = matmul_way({operands, 2}, attributes_, precision);
    for_way_ = workspace.take<char>(static_cast<int64_t>(way_.workspace({operands, 2}, attributes_)));
  }

  void run(const T* from, const T* b) const {
    const View operands[] = {{const_cast<T*>(from), a_shape_, dtype_of<T>()},
                             {const_cast<T*>(b), b_shape_, dtype_of<T>()}};
    const View result{c, c_shape_, dtype_of<T>()};
    way_.run({{operands, 2}, {&result, 1}, for_way_}, attributes_);
  }

 private:
  Shape a_shape_, b_shape_, c_shape_;
  MatmulAttrs attributes_;
  MatmulWay way_;
  void* for_way_;
};

// The sample and the unit of a thread.
struct Place {
  int64_t sample, unit, flat;  // flat: in a dense (batch, units)
};

// Where unit j of step t of sample b lies in a tensor (batch, steps, blocks * units), in that column block; reckoned in
// integers of type I.
template <class I>
__device__ __forceinline__ I place_of(const Sequence& s, I b, I t, I j, int blocks = 1, int block = 0) {
  return ((b * static_cast<I>(s.steps) + t) * blocks + block) * static_cast<I>(s.units) + j;
}

// The state before a step: of the step before, or the initial one.
template <class I, class T>
__device__ __forceinline__ const T* state_before(const Sequence& s, const T* states, const T* initial, I b, I t, I j) {
  const I units = static_cast<I>(s.units);
  return t > 0 ? states + (place_of(s, b, t, j) - units) : initial + (b * units + j);
}

// f(place) for each state of a batch.
template <class F>
__global__ void __launch_bounds__(step_threads)
    step_kernel(int64_t states, const Divider units, const __grid_constant__ F f) {
  const int64_t flat = int64_t{blockIdx.x} * step_threads + threadIdx.x;
  if (flat >= states) return;
  const int64_t sample = units.divide(flat);
  f(Place{sample, flat - sample * units.divisor(), flat});
}

template <class F>
void for_each_state(const Sequence& s, const F& f) {
  PH_LAUNCH(step_kernel<F>, blocks_for(s.batch * s.units, step_threads), step_threads, 0, device().stream,
            s.batch * s.units, Divider(s.units), f);
}

template <class T>
struct Clear {
  T* to;
  __device__ void operator()(const Place& at) const { to[at.flat] = 0; }
};

template <class T>
struct AddTo {
  T* sum;
  const T* more;
  __device__ void operator()(const Place& at) const { sum[at.flat] += more[at.flat]; }
};

// ---- layers whose step is one product and what follows it

// What follows the product, for each unit of each sample, is a type Layer, which cuda/recurrent/resident.h takes too.
// It has Number, the type of its tensors; sequence; kernel, the recurrent kernel of so many `blocks` of columns; State,
// what goes from step to step; how many numbers a step `reads` and `writes`; and for unit j of sample b at step t,
// reckoned in integers I,
//   each_read(b, t, j, read)     read(n, address, is_there) for what a step reads besides the state; else it is 0
// Forward:
//   State before(b, t, j)        the state before the step; its h is multiplied
//   step(x, stays, product, state, to)  x: what was read; product: of each block; brings the state to after the step
//   write(b, t, j, state, to)
// Backward:
//   State carried(b, j)          the gradients that reach the states past the product, kept in the last outputs
//   carry(b, j, state)
//   step(x, stays, product, state, to)  product: the gradient by the step after; brings the state to before the step;
//                                the first `blocks` of `to` are multiplied
//   write(b, t, j, to)
template <class Layer>
struct LayerForward {
  using T = typename Layer::Number;

  Layer layer;
  int64_t t;
  const T* product;  // (batch, blocks * units)
  T* dense;          // (batch, units): h, for the next product

  __device__ void operator()(const Place& at) const {
    const int64_t b = at.sample, j = at.unit, u = layer.sequence.units;
    T x[Layer::reads], of_unit[Layer::blocks], to[Layer::writes];
    layer.each_read(b, t, j, [&](int n, const T* from, bool is_there) { x[n] = is_there ? *from : T(0); });
    PH_UNROLL
    for (int block = 0; block < Layer::blocks; ++block) of_unit[block] = product[(b * Layer::blocks + block) * u + j];
    typename Layer::State state = layer.before(b, t, j);
    layer.step(x, layer.sequence.stays(b, t), of_unit, state, to);
    layer.write(b, t, j, state, to);
    dense[at.flat] = state.h;
  }
};

template <class Layer>
struct LayerBackward {
  using T = typename Layer::Number;

  Layer layer;
  int64_t t;
  const T* product;  // (batch, units)
  T* dense;          // (batch, blocks * units): gradients, for the next product

  __device__ void operator()(const Place& at) const {
    const int64_t b = at.sample, j = at.unit, u = layer.sequence.units;
    T x[Layer::reads], to[Layer::writes];
    layer.each_read(b, t, j, [&](int n, const T* from, bool is_there) { x[n] = is_there ? *from : T(0); });
    typename Layer::State state = layer.carried(b, j);
    layer.step(x, layer.sequence.stays(b, t), product[at.flat], state, to);
    layer.write(b, t, j, to);
    layer.carry(b, j, state);
    PH_UNROLL
    for (int block = 0; block < Layer::blocks; ++block) dense[(b * Layer::blocks + block) * u + j] = to[block];
  }
};
template <class Layer>
struct LayerBackwardBegin {
  Layer layer;
  typename Layer::Number* product;

  __device__ void operator()(const Place& at) const {
    layer.carry(at.sample, at.unit, {});
    product[at.flat] = 0;
  }
};
template <class Layer>
struct LayerBackwardEnd {
  Layer layer;
  const typename Layer::Number* product;

  __device__ void operator()(const Place& at) const {
    typename Layer::State state = layer.carried(at.sample, at.unit);
    state.h += product[at.flat];
    layer.carry(at.sample, at.unit, state);
  }
};

template <class Layer>
StepProduct<typename Layer::Number> forward_product(Workspace& workspace, int64_t batch, int64_t units,
                                                    Precision precision) {
  return {workspace, batch, units, Layer::blocks * units, false, precision};
}
template <class Layer>
void steps_forward(const Layer& layer, void* memory, Precision precision) {
  using T = typename Layer::Number;
  const Sequence& s = layer.sequence;
  if (s.batch * s.steps * s.units == 0) return;
  Workspace workspace(memory);
  const StepProduct<T> product = forward_product<Layer>(workspace, s.batch, s.units, precision);
  for (int64_t t = 0; t < s.steps; ++t) {
    product.run(t ? product.a : layer.h0, layer.kernel);
    for_each_state(s, LayerForward<Layer>{layer, t, product.c, product.a});
  }
}

template <class Layer>
StepProduct<typename Layer::Number> backward_product(Workspace& workspace, int64_t batch, int64_t units,
                                                     Precision precision) {
  return {workspace, batch, Layer::blocks * units, units, true, precision};
}
template <class Layer>
void steps_backward(const Layer& layer, void* memory, Precision precision) {
  using T = typename Layer::Number;
  const Sequence& s = layer.sequence;
  if (s.batch * s.units == 0) return;
  Workspace workspace(memory);
  const StepProduct<T> product = backward_product<Layer>(workspace, s.batch, s.units, precision);
  for_each_state(s, LayerBackwardBegin<Layer>{layer, product.c});
  for (int64_t t = s.steps - 1; t >= 0; --t) {
    for_each_state(s, LayerBackward<Layer>{layer, t, product.c, product.a});
    product.run(product.a, layer.kernel);
  }
  for_each_state(s, LayerBackwardEnd<Layer>{layer, product.c});
}

// ---- an op's kernels

// Run has, for an op's attributes Attrs,
//   template <class T> static void run(const KernelCall&, const Attrs&, Precision);
//   template <class T> static size_t workspace(SpecSpan, const Attrs&, Precision);
//   static size_t results(SpecSpan, const Attrs&);  copy_bytes of the outputs
template <class Run, Precision precision, class Attrs>
void run_steps(const KernelCall& k, const Attrs& a) {
  k.in[0].dtype == DType::float64 ? Run::template run<double>(k, a, precision)
                                  : Run::template run<float>(k, a, precision);
}
template <class Run, Precision precision, class Attrs>
size_t steps_workspace(SpecSpan in, const Attrs& a) {
  return in[0].dtype == DType::float64 ? Run::template workspace<double>(in, a, precision)
                                       : Run::template workspace<float>(in, a, precision);
}

// Whether products may be rounded to TF32 is settled when a kernel is chosen.
template <Precision precision, bool halves, class Attrs>
const char* steps_accept(SpecSpan in, const Attrs&) {
  const DType dtype = in[0].dtype;
  if (halves && !is_half(dtype)) return "wants float16 or bfloat16";
  if (!halves && is_half(dtype)) return "wants float32 or float64";
  if (precision == Precision::highest) return nullptr;
  if (dtype == DType::float64) return "wants float32";
  return matmul_precision() == Precision::highest ? "the precision asked for is higher" : nullptr;
}

template <class Run, Precision precision, class Attrs>
constexpr Kernel steps(const char* variant) {
  return kernel<run_steps<Run, precision, Attrs>, steps_accept<precision, false, Attrs>,
                steps_workspace<Run, precision, Attrs>>(variant);
}
// float16 and bfloat16 through float32 (cuda/halves.h).
template <class Run, Precision precision, class Attrs>
constexpr Kernel steps_of_halves(const char* variant) {
  constexpr auto run = run_steps<Run, precision, Attrs>;
  constexpr auto own = steps_workspace<Run, precision, Attrs>;
  return kernel<in_float<run, Attrs>, steps_accept<precision, true, Attrs>, in_float_bytes<Run::results, own, Attrs>>(
      variant);
}

// For an op's list of kernels.
#define PH_STEPS(Run, Attrs)                                                                        \
  (steps<Run, Precision::high, Attrs>("tf32")), (steps<Run, Precision::highest, Attrs>("float32")), \
      (steps_of_halves<Run, Precision::high, Attrs>("halves_through_tf32")),                        \
      (steps_of_halves<Run, Precision::highest, Attrs>("halves_through_float32"))

}  // namespace

}  // namespace ph::cuda
