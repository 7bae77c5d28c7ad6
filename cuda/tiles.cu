// Chains of elementwise ops in one launch. A thread interprets the chain for the elements that 16 bytes of the compute
// type hold, again and again with the grid's step; all threads of a warp follow the same instructions. The chain's
// registers lie in shared memory, [register][thread] of 16 bytes each, so that a warp reads and writes one without bank
// conflicts and no thread needs a stack: first one for each input, then the slots. A thread reads nobody else's.
//
// Inputs of the output's shape in the compute type are copied to their registers asynchronously, all at once; scalars
// are loaded once per thread; those that are broadcast are found by one division (a multiplication) for each axis and
// vector. Inputs and outputs may be stored in any type: they are converted a vector at a time. Memory is touched once
// for the whole chain.
//
// Frequent ops on whole tensors of float32 or narrower floats have a kernel of their own, of the same formulas.
#include "core/scalar.h"
#include "cuda/broadcast.h"
#include "cuda/device.h"
#include "cuda/vector.h"
#include "ops/elementwise.h"
#include "ops/tiles.h"

namespace ph::cuda {

namespace {

constexpr int threads = 64;  // the registers of the longest chain take 32 KiB then

// How an input's elements are found for a vector of the output's.
enum class Access : uint8_t {
  scalar,  // one element for all
  full,    // as the output's
  run,     // broadcast; neighbours in the output are neighbours
  repeat,  // broadcast; one element for the whole vector
  walk     // broadcast; an axis may end within a vector
};

struct ChainInput {
  const void* data;
  DType dtype;
  Access access;
  uint8_t axes;  // those of the broadcast it has
};
struct ChainOutput {
  void* data;
  DType dtype;
};
struct alignas(8) ChainStep {
  uint8_t code, output;        // ElementwiseCode; TileProgram::no_output or which one the result is
  uint8_t result, operand[3];  // registers
};

struct ChainCall {
  int64_t n;
  int input_count, step_count;
  BroadcastAxes axes;
  ChainInput in[TileProgram::max_inputs];
  ChainOutput out[TileProgram::max_outputs];
  ChainStep step[TileProgram::max_instructions];
};

template <class T>
constexpr int width = per_16_bytes<T>;
// At once on a processor, as far as registers go; the formulas in double precision need more of them.
template <class T>
constexpr int blocks_at_once = std::is_same_v<T, double> ? 10 : 16;
template <class T>
using Vector = Packed<T, width<T>>;

template <ElementwiseCode code>
constexpr int arity = 0;
#define PH_ELEMENTWISE(name, inputs, cls, slope) \
  template <>                                    \
  constexpr int arity<ElementwiseCode::name##_code> = inputs;
#include "ops/elementwise.def"
#undef PH_ELEMENTWISE

template <class T>
constexpr bool exists(ElementwiseClass cls) {
  switch (cls) {
    case ElementwiseClass::floating:
    case ElementwiseClass::predicate:
      return std::is_floating_point_v<T>;
    case ElementwiseClass::bitwise:
      return std::is_integral_v<T>;
    default:
      return true;
  }
}

// Formulas of hundreds of instructions, which stand in the kernel once and not once for each element of a vector.
template <class T>
constexpr bool is_long(ElementwiseCode code) {
  switch (code) {
    case ElementwiseCode::sin_code:
    case ElementwiseCode::cos_code:
    case ElementwiseCode::tan_code:
    case ElementwiseCode::arcsin_code:
    case ElementwiseCode::arccos_code:
    case ElementwiseCode::arctan_code:
    case ElementwiseCode::sinh_code:
    case ElementwiseCode::cosh_code:
    case ElementwiseCode::arcsinh_code:
    case ElementwiseCode::arccosh_code:
    case ElementwiseCode::arctanh_code:
    case ElementwiseCode::erfinv_code:
    case ElementwiseCode::log1p_code:
    case ElementwiseCode::softplus_code:
    case ElementwiseCode::floor_divide_code:
    case ElementwiseCode::mod_code:
    case ElementwiseCode::power_code:
    case ElementwiseCode::arctan2_code:
      return true;
    case ElementwiseCode::exp_code:
    case ElementwiseCode::expm1_code:
    case ElementwiseCode::log_code:
    case ElementwiseCode::tanh_code:
    case ElementwiseCode::sigmoid_code:
    case ElementwiseCode::erf_code:
      return sizeof(T) == 8;
    default:
      return false;
  }
}

// One op on one element; those of b and c that it lacks are not looked at.
#define APPLY_1(name) scalar::name(a)
#define APPLY_2(name) scalar::name(a, b)
#define APPLY_3(name) scalar::name(a, b, c)
template <ElementwiseCode code, class T>
__device__ __forceinline__ T formula(T a, [[maybe_unused]] T b, [[maybe_unused]] T c) {
#define PH_ELEMENTWISE(name, arity, cls, slope) \
  if constexpr (code == ElementwiseCode::name##_code) return static_cast<T>(APPLY_##arity(name));
#include "ops/elementwise.def"
#undef PH_ELEMENTWISE
}
#undef APPLY_1
#undef APPLY_2
#undef APPLY_3

// The same on all elements of vectors. In a loop the elements move on through the vectors, since an index that varies
// would need an array in memory.
template <ElementwiseCode code, class T>
__device__ __forceinline__ void apply(Vector<T>& y, Vector<T> a, Vector<T> b, Vector<T> c) {
  if constexpr (is_long<T>(code)) {
    PH_NO_UNROLL
    for (int i = 0; i < width<T>; ++i) {
      const T next = formula<code>(a.element[0], b.element[0], c.element[0]);
      PH_UNROLL
      for (int k = 0; k + 1 < width<T>; ++k) {
        for (Vector<T>* v : {&y, &a, &b, &c}) v->element[k] = v->element[k + 1];
      }
      y.element[width<T> - 1] = next;
    }
  } else {
    PH_UNROLL
    for (int i = 0; i < width<T>; ++i) y.element[i] = formula<code>(a.element[i], b.element[i], c.element[i]);
  }
}

// ---- the interpreter

// `own` points to register 0 of the thread.
template <class T>
__device__ __forceinline__ Vector<T> run_step(const ChainStep& step, const Vector<T>* own) {
  const Vector<T> a = own[step.operand[0] * threads], b = own[step.operand[1] * threads];
  Vector<T> y{};
  switch (static_cast<ElementwiseCode>(step.code)) {
#define PH_ELEMENTWISE(name, arity, cls, slope)                                                      \
  case ElementwiseCode::name##_code:                                                                 \
    if constexpr (exists<T>(ElementwiseClass::cls)) {                                                \
      apply<ElementwiseCode::name##_code>(y, a, b, arity == 3 ? own[step.operand[2] * threads] : a); \
    }                                                                                                \
    break;
#include "ops/elementwise.def"
#undef PH_ELEMENTWISE
  }
  return y;
}

// `count` of the elements are there; those beyond repeat the last one, so that no instruction sees garbage.
template <class T>
__device__ __forceinline__ void load_input(Vector<T>* to, const ChainInput& in, const BroadcastAxes& axes,
                                           int64_t begin, int count) {
  if (in.access == Access::scalar) return;  // is there
  const bool full = in.access == Access::full;
  if (full && count == width<T> && in.dtype == dtype_of<T>()) {
    ptx::copy_async<16>(to, static_cast<const T*>(in.data) + begin, true);
    return;
  }
  const int64_t at = full ? begin : axes.offset(begin, in.axes);
  if (in.access == Access::repeat) {
    const T value = load_element<T>(in.data, in.dtype, at);
    PH_UNROLL
    for (int i = 0; i < width<T>; ++i) to->element[i] = value;
  } else if (in.access != Access::walk && count == width<T>) {
    Vector<T> loaded;
    load_elements(loaded.element, in.data, in.dtype, at);
    *to = loaded;
  } else {
    const int64_t inner = axes.size[0].divisor();
    const int64_t until_end = full ? count : inner - (begin - axes.size[0].divide(begin) * inner);
    with_stored_type(in.dtype, [&](auto stored) {
      const auto* from = static_cast<const decltype(stored)*>(in.data);
      PH_NO_UNROLL
      for (int i = 0; i < width<T>; ++i) {
        const int k = i < count ? i : count - 1;
        int64_t place = at + (full || (in.axes & 1) ? k : 0);
        if (k >= until_end) place = axes.offset(begin + k, in.axes);
        to->element[i] = load_as<T>(from[place]);
      }
    });
  }
}

template <class T>
__device__ __forceinline__ void store_output(const ChainOutput& out, int64_t begin, int count, const Vector<T>& value,
                                             const Vector<T>& stored_value) {
  if (count < width<T>) {
    PH_NO_UNROLL
    for (int i = 0; i < count; ++i) store_element(out.data, out.dtype, begin + i, stored_value.element[i]);
  } else if (out.dtype == dtype_of<T>()) {
    store_packed(reinterpret_cast<Vector<T>*>(static_cast<T*>(out.data) + begin), value);
  } else {
    store_elements(out.data, out.dtype, begin, value.element);
  }
}

template <class T>
__global__ void __launch_bounds__(threads, blocks_at_once<T>) chain_kernel(const __grid_constant__ ChainCall call) {
  PH_DYNAMIC_SHARED(Vector<T>, registers);
  Vector<T>* own = registers + threadIdx.x;
  PH_NO_UNROLL
  for (int k = 0; k < call.input_count; ++k) {
    if (call.in[k].access != Access::scalar) continue;
    const T value = load_element<T>(call.in[k].data, call.in[k].dtype, 0);
    PH_UNROLL
    for (int i = 0; i < width<T>; ++i) own[k * threads].element[i] = value;
  }
  const int64_t step = int64_t{gridDim.x} * threads * width<T>;
  int64_t begin = (int64_t{blockIdx.x} * threads + threadIdx.x) * width<T>;
  for (; begin < call.n; begin += step) {
    const int count = call.n - begin < width<T> ? static_cast<int>(call.n - begin) : width<T>;
    PH_NO_UNROLL
    for (int k = 0; k < call.input_count; ++k) load_input(own + k * threads, call.in[k], call.axes, begin, count);
    ptx::commit_copies();
    ptx::wait_copies<0>();
    PH_NO_UNROLL
    for (int s = 0; s < call.step_count; ++s) {
      const ChainStep now = call.step[s];
      const Vector<T> y = run_step(now, own);
      own[now.result * threads] = y;
      if (now.output != TileProgram::no_output) {
        store_output(call.out[now.output], begin, count, y, own[now.result * threads]);
      }
    }
  }
}

// The program in terms of registers, of which it returns the number. Operands that an op lacks are input 0.
int number_registers(const TileProgram& program, int inputs, ChainCall& call) {
  const auto register_of = [&](uint8_t operand) {
    return operand < TileProgram::first_slot ? operand : operand - TileProgram::first_slot + inputs;
  };
  int registers = inputs;
  for (int s = 0; s < program.instruction_count; ++s) {
    const TileInstruction& from = program.code[s];
    const int result = inputs + from.slot;
    if (result >= registers) registers = result + 1;
    ChainStep& to = call.step[s];
    to = {from.code, from.output, static_cast<uint8_t>(result), {}};
    for (int i = 0; i < 3; ++i) to.operand[i] = static_cast<uint8_t>(register_of(from.operand[i]));
  }
  return registers;
}

// Says how each input is found for vectors of `vector` elements.
void find_inputs(const KernelCall& k, int vector, ChainCall& call) {
  const Shape& out = k.out[0].shape;
  const Shape* broadcast[TileProgram::max_inputs];
  int which[TileProgram::max_inputs], count = 0;
  for (int i = 0; i < k.in.size(); ++i) {
    const int64_t size = k.in[i].size();
    const Access access = size == 1 ? Access::scalar : size == call.n ? Access::full : Access::walk;
    call.in[i] = {k.in[i].data, k.in[i].dtype, access, 0};
    if (access != Access::walk) continue;
    broadcast[count] = &k.in[i].shape;
    which[count++] = i;
  }
  if (count == 0) return;
  uint8_t present[TileProgram::max_inputs];
  call.axes = broadcast_axes(out, broadcast, count, present);
  for (int b = 0; b < count; ++b) {
    ChainInput& in = call.in[which[b]];
    in.axes = present[b];
    if (call.axes.size[0].divisor() % vector == 0) in.access = present[b] & 1 ? Access::run : Access::repeat;
  }
}

template <class T>
void launch_chain(const TileProgram& program, const KernelCall& k) {
  ChainCall call{};
  call.n = k.out[0].size();
  call.input_count = k.in.size();
  call.step_count = program.instruction_count;
  find_inputs(k, width<T>, call);
  for (int i = 0; i < k.out.size(); ++i) call.out[i] = {k.out[i].data, k.out[i].dtype};
  const int registers = number_registers(program, k.in.size(), call);
  const unsigned wanted = blocks_for(call.n, threads, width<T>);
  const unsigned most = static_cast<unsigned>(device().processors * blocks_at_once<T>);
  PH_LAUNCH(chain_kernel<T>, wanted < most ? wanted : most, threads, registers * threads * sizeof(Vector<T>),
            device().stream, call);
}

void run_tiles(const TileProgram& program, const KernelCall& k) {
  if (k.out[0].size() == 0) return;
  switch (static_cast<TileType>(program.type)) {
    case TileType::float32:
      return launch_chain<float>(program, k);
    case TileType::float64:
      return launch_chain<double>(program, k);
    case TileType::int32:
      return launch_chain<int32_t>(program, k);
    case TileType::int64:
      return launch_chain<int64_t>(program, k);
  }
}

void run_chain(const KernelCall& k, const TilesAttrs& a) { run_tiles(a.program, k); }

// An op of its own is a program of one instruction.
template <ElementwiseCode code>
void run_single(const KernelCall& k, const NoAttrs&) {
  TileProgram program;
  program.type = static_cast<uint8_t>(tile_type_of(k.in[k.in.size() - 1].dtype));
  program.instruction_count = 1;
  program.output_count = 1;
  program.code[0] = {static_cast<uint8_t>(code), {}, 0, 0};
  for (int i = 1; i < k.in.size(); ++i) program.code[0].operand[i] = static_cast<uint8_t>(i);
  run_tiles(program, k);
}

// ---- one op on whole float tensors without an interpreter

// Frequent ones that are short, so that memory sets their pace.
constexpr bool is_direct(ElementwiseCode code) {
  switch (code) {
    case ElementwiseCode::negative_code:
    case ElementwiseCode::abs_code:
    case ElementwiseCode::square_code:
    case ElementwiseCode::relu_code:
    case ElementwiseCode::sqrt_code:
    case ElementwiseCode::rsqrt_code:
    case ElementwiseCode::exp_code:
    case ElementwiseCode::log_code:
    case ElementwiseCode::tanh_code:
    case ElementwiseCode::sigmoid_code:
    case ElementwiseCode::erf_code:
    case ElementwiseCode::add_code:
    case ElementwiseCode::subtract_code:
    case ElementwiseCode::multiply_code:
    case ElementwiseCode::divide_code:
    case ElementwiseCode::maximum_code:
    case ElementwiseCode::minimum_code:
    case ElementwiseCode::relu_grad_code:
      return true;
    default:
      return false;
  }
}

constexpr int direct_threads = 256, vectors_at_once = 2;

template <class S>
struct DirectInput {
  const S* data;
  bool scalar;  // else as the output

  __device__ __forceinline__ Vector<S> load(int64_t vector) const {
    if (!scalar) return reinterpret_cast<const Vector<S>*>(data)[vector];
    Vector<S> filled;
    PH_UNROLL
    for (int i = 0; i < width<S>; ++i) filled.element[i] = *data;
    return filled;
  }
};

// a and b are the same input if there is but one.
template <ElementwiseCode code, bool binary, class S>
__global__ void __launch_bounds__(direct_threads) direct_kernel(DirectInput<S> a, DirectInput<S> b, S* y, int64_t n) {
  using T = Compute<S>;
  const int64_t whole = n / width<S>;
  const int64_t first = int64_t{blockIdx.x} * (direct_threads * vectors_at_once) + threadIdx.x;
  Vector<S> left[vectors_at_once], right[vectors_at_once];
  PH_UNROLL
  for (int v = 0; v < vectors_at_once; ++v) {
    const int64_t at = first + v * direct_threads;
    if (at >= whole) break;
    left[v] = a.load(at);
    right[v] = binary ? b.load(at) : left[v];
  }
  PH_UNROLL
  for (int v = 0; v < vectors_at_once; ++v) {
    const int64_t at = first + v * direct_threads;
    if (at >= whole) break;
    T result[width<S>];
    PH_UNROLL
    for (int i = 0; i < width<S>; ++i) {
      const T of_a = load_as<T>(left[v].element[i]), of_b = load_as<T>(right[v].element[i]);
      result[i] = formula<code>(of_a, of_b, of_a);
    }
    store_vector(y + at * width<S>, result);
  }
  const int64_t rest = whole * width<S> + threadIdx.x;  // by the first block
  if (blockIdx.x > 0 || rest >= n) return;
  const T of_a = load_as<T>(a.data[a.scalar ? 0 : rest]), of_b = load_as<T>(b.data[b.scalar ? 0 : rest]);
  y[rest] = store_as<S>(formula<code>(of_a, of_b, of_a));
}

template <ElementwiseCode code>
const char* accepts_direct(SpecSpan in, const NoAttrs&) {
  if (!is_direct(code)) return "the formula is long or rare";
  const Shape* whole = nullptr;
  for (const Spec& spec : in) {
    if (spec.dtype != in[0].dtype) return "inputs of several types";
    if (spec.dtype != DType::float32 && !is_half(spec.dtype)) return "wants float32 or narrower";
    if (spec.shape.size() == 1) continue;
    if (whole && !(*whole == spec.shape)) return "an input is broadcast";
    whole = &spec.shape;
  }
  return nullptr;
}

template <ElementwiseCode code, class S>
void launch_direct(const KernelCall& k) {
  const int64_t n = k.out[0].size();
  const auto input = [&](int i) { return DirectInput<S>{k.in[i].as<const S>(), k.in[i].size() == 1 && n > 1}; };
  constexpr bool binary = arity<code> == 2;
  const unsigned blocks = blocks_for((n + width<S> - 1) / width<S>, direct_threads, vectors_at_once);
  PH_LAUNCH((direct_kernel<code, binary, S>), blocks, direct_threads, 0, device().stream, input(0), input(binary),
            k.out[0].as<S>(), n);
}

template <ElementwiseCode code>
void run_direct([[maybe_unused]] const KernelCall& k, const NoAttrs&) {
  if constexpr (is_direct(code)) {
    if (k.out[0].size() == 0) return;
    switch (k.out[0].dtype) {
      case DType::float16:
        return launch_direct<code, Float16>(k);
      case DType::bfloat16:
        return launch_direct<code, BFloat16>(k);
      default:
        return launch_direct<code, float>(k);
    }
  }
}

}  // namespace

PH_KERNELS(tiles, kernel<run_chain>("chain"));
#define PH_ELEMENTWISE(name, arity, cls, slope)                                                                        \
  PH_KERNELS(name,                                                                                                     \
             kernel<run_direct<ElementwiseCode::name##_code>, accepts_direct<ElementwiseCode::name##_code>>("direct"), \
             kernel<run_single<ElementwiseCode::name##_code>>("chain"));
#include "ops/elementwise.def"
#undef PH_ELEMENTWISE

}  // namespace ph::cuda
