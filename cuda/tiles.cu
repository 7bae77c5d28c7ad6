// Chains of elementwise ops in one launch. Every thread interprets the chain for four neighbouring elements at a time:
// all threads of a warp follow the same instructions, so that the interpreter's branches cost little beside the loads
// and stores, which touch memory once for the whole chain.
#include "core/scalar.h"
#include "cuda/device.h"
#include "cuda/element.h"
#include "cuda/strides.h"
#include "ops/elementwise.h"
#include "ops/tiles.h"

namespace ph::cuda {

namespace {

constexpr int threads = 128, per_thread = 4;

struct ChainInput {
  const void* data;
  DType dtype;
  bool full;  // has the outputs' shape
  Strides strides;
};

struct ChainCall {
  TileProgram program;
  ChainInput in[TileProgram::max_inputs];
  void* out[TileProgram::max_outputs];
  int input_count;
  int64_t n;
};

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

#define APPLY_1(name) scalar::name(a[i])
#define APPLY_2(name) scalar::name(a[i], b[i])
#define APPLY_3(name) scalar::name(a[i], b[i], c[i])

// y = op(a, b, c) for four elements; y may be a, b or c.
template <class T>
__device__ void apply_code(uint8_t code, T* y, const T* a, const T* b, const T* c) {
  switch (static_cast<ElementwiseCode>(code)) {
#define PH_ELEMENTWISE(name, arity, cls, slope)                                        \
  case ElementwiseCode::name##_code:                                                   \
    if constexpr (exists<T>(ElementwiseClass::cls)) {                                  \
      for (int i = 0; i < per_thread; ++i) y[i] = static_cast<T>(APPLY_##arity(name)); \
    }                                                                                  \
    break;
#include "ops/elementwise.def"
#undef PH_ELEMENTWISE
  }
}

template <class T>
__device__ void load_input(T* to, const ChainInput& in, int64_t begin, int count) {
  for (int i = 0; i < per_thread; ++i) {
    // elements beyond the end repeat the last one, so that no instruction sees garbage
    const int64_t at = begin + (i < count ? i : count - 1);
    to[i] = load_element<T>(in.data, in.dtype, in.full ? at : in.strides.offset(at));
  }
}

template <class T>
__global__ void __launch_bounds__(threads) chain_kernel(const __grid_constant__ ChainCall call) {
  const int64_t begin = (int64_t{blockIdx.x} * threads + threadIdx.x) * per_thread;
  if (begin >= call.n) return;
  const int count = call.n - begin < per_thread ? static_cast<int>(call.n - begin) : per_thread;
  T registers[TileProgram::first_slot + TileProgram::max_slots][per_thread];
  for (int k = 0; k < call.input_count; ++k) load_input(registers[k], call.in[k], begin, count);
  for (int s = 0; s < call.program.instruction_count; ++s) {
    const TileInstruction step = call.program.code[s];
    T* y = registers[TileProgram::first_slot + step.slot];
    apply_code(step.code, y, registers[step.operand[0]], registers[step.operand[1]], registers[step.operand[2]]);
    if (step.output == TileProgram::no_output) continue;
    const DType dtype = static_cast<DType>(call.program.output_dtype[step.output]);
    for (int i = 0; i < count; ++i) store_element(call.out[step.output], dtype, begin + i, y[i]);
  }
}

void run_tiles(const TileProgram& program, const KernelCall& k) {
  ChainCall call{program, {}, {}, k.in.size(), k.out[0].size()};
  if (call.n == 0) return;
  for (int i = 0; i < k.in.size(); ++i) {
    const bool full = k.in[i].size() == call.n;
    call.in[i] = {k.in[i].data, k.in[i].dtype, full, broadcast_strides(k.in[i].shape, k.out[0].shape)};
  }
  for (int i = 0; i < k.out.size(); ++i) {
    call.out[i] = k.out[i].data;
    call.program.output_dtype[i] = static_cast<uint8_t>(k.out[i].dtype);
  }
  const unsigned blocks = blocks_for(call.n, threads, per_thread);
  switch (static_cast<TileType>(program.type)) {
    case TileType::float32:
      PH_LAUNCH(chain_kernel<float>, blocks, threads, 0, device().stream, call);
      break;
    case TileType::float64:
      PH_LAUNCH(chain_kernel<double>, blocks, threads, 0, device().stream, call);
      break;
    case TileType::int32:
      PH_LAUNCH(chain_kernel<int32_t>, blocks, threads, 0, device().stream, call);
      break;
    case TileType::int64:
      PH_LAUNCH(chain_kernel<int64_t>, blocks, threads, 0, device().stream, call);
      break;
  }
}

void run_chain(const KernelCall& k, const TilesAttrs& a) { run_tiles(a.program, k); }

template <ElementwiseCode code>
void run_single(const KernelCall& k, const NoAttrs&) {
  constexpr uint8_t first = TileProgram::first_slot;
  TileProgram program;
  program.type = static_cast<uint8_t>(tile_type_of(k.in[k.in.size() - 1].dtype));
  program.instruction_count = 1;
  program.output_count = 1;
  program.code[0] = {static_cast<uint8_t>(code), {0, first, first}, 0, 0};
  for (int i = 1; i < k.in.size(); ++i) program.code[0].operand[i] = static_cast<uint8_t>(i);
  run_tiles(program, k);
}

}  // namespace

PH_KERNELS(tiles, kernel<run_chain>("chain"));
#define PH_ELEMENTWISE(name, arity, cls, slope) \
  PH_KERNELS(name, kernel<run_single<ElementwiseCode::name##_code>>("chain"));
#include "ops/elementwise.def"
#undef PH_ELEMENTWISE

}  // namespace ph::cuda
