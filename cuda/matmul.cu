// Matrix products over the last two axes, leading axes broadcast, with bias and activation in the epilogue. Which tiles
// a product is cut into hangs on its shape only. float32 and float64 are summed as they are, 16-bit floats in float32.
#include "core/precision.h"
#include "cuda/gemm/matrices.h"
#include "cuda/gemm/variants.h"

namespace ph::cuda {

ProductSizes matmul_sizes(const Shape& a, const Shape& b, const MatmulAttrs& attrs) {
  const int ra = a.rank(), rb = b.rank();
  return {a[attrs.transpose_a ? ra - 1 : ra - 2], b[attrs.transpose_b ? rb - 2 : rb - 1],
          a[attrs.transpose_a ? ra - 2 : ra - 1], leading_axes(a, b).size()};
}

namespace {

// Sizes and places are reckoned in 32 bits.
const char* refuse_sizes(SpecSpan in, const MatmulAttrs& attrs) {
  constexpr int64_t large = int64_t{1} << 30;
  const ProductSizes s = matmul_sizes(in[0].shape, in[1].shape, attrs);
  return s.m > large || s.n > large || s.k > large || s.tiles(32, 32) > large ? "too large for 32-bit places" : nullptr;
}

const char* ffma_accepts(SpecSpan in, const MatmulAttrs& attrs) {
  return in[0].dtype != DType::float32 ? "wants float32" : refuse_sizes(in, attrs);
}

const char* double_accepts(SpecSpan in, const MatmulAttrs& attrs) {
  return in[0].dtype != DType::float64 ? "wants float64" : refuse_sizes(in, attrs);
}

// Where tensor cores' tiles would be mostly empty, multiply-adds are as fast.
const char* refuse_narrow(SpecSpan in, const MatmulAttrs& attrs) {
  constexpr int64_t narrow = 16;
  const ProductSizes s = matmul_sizes(in[0].shape, in[1].shape, attrs);
  return s.m <= narrow || s.n <= narrow ? "too narrow for tensor cores" : nullptr;
}

const char* tf32_can(SpecSpan in, const MatmulAttrs& attrs) {
  if (in[0].dtype != DType::float32) return "wants float32";
  if (capability() < 80) return "TF32 wants compute capability 8.0 or more";
  return refuse_sizes(in, attrs);
}
const char* tf32_pays(SpecSpan in, const MatmulAttrs& attrs) {
  if (const char* reason = tf32_can(in, attrs)) return reason;
  return refuse_narrow(in, attrs);
}
const char* tf32_accepts(SpecSpan in, const MatmulAttrs& attrs) {
  if (matmul_precision() == Precision::highest) return "the precision asked for is higher";
  return tf32_pays(in, attrs);
}
const char* tf32x3_accepts(SpecSpan in, const MatmulAttrs& attrs) {
  const int which = capability();
  if (which != 80 && which != 90 && which != 100) return "multiply-adds are as fast on this compute capability";
  if (const char* reason = tf32_can(in, attrs)) return reason;
  return refuse_narrow(in, attrs);
}

const char* halves_can(SpecSpan in, const MatmulAttrs& attrs) {
  const bool brain = in[0].dtype == DType::bfloat16;
  if (in[0].dtype != DType::float16 && !brain) return "wants float16 or bfloat16";
  if (brain && capability() < 80) return "bfloat16 on tensor cores wants compute capability 8.0 or more";
  return refuse_sizes(in, attrs);
}
const char* halves_accepts(SpecSpan in, const MatmulAttrs& attrs) {
  if (const char* reason = halves_can(in, attrs)) return reason;
  return capability() < 80 ? "tiles of 128 x 128 want more shared memory than this compute capability has" : nullptr;
}
const char* wgmma_can(SpecSpan in, const MatmulAttrs& attrs) {
  if (capability() != 90) return "wgmma wants compute capability 9.0";
  if (const char* reason = halves_can(in, attrs)) return reason;
  const ProductSizes s = matmul_sizes(in[0].shape, in[1].shape, attrs);
  constexpr int64_t piece = 8, step = 64, most_rows = int64_t{1} << 30;
  if (in[0].shape.size() == 0 || in[1].shape.size() == 0) return "an operand without elements";
  if (in[0].shape.back() % piece != 0 || in[1].shape.back() % piece != 0) return "rows are not multiples of 16 bytes";
  if (s.batches > 1 && s.k % step != 0) return "the depth of several matrices is not a multiple of 64";
  for (int i = 0; i < 2; ++i) {
    if (in[i].shape.size() / in[i].shape.back() >= most_rows) return "too large for 32-bit places";
  }
  return nullptr;
}
const char* wgmma_tf32_can(SpecSpan in, const MatmulAttrs& attrs) {
  if (capability() != 90) return "wgmma wants compute capability 9.0";
  if (const char* reason = tf32_can(in, attrs)) return reason;
  if (in[0].shape.size() == 0 || in[1].shape.size() == 0) return "an operand without elements";
  const ProductSizes s = matmul_sizes(in[0].shape, in[1].shape, attrs);
  constexpr int64_t most_rows = int64_t{1} << 30;
  const bool fits = s.m * s.batches < most_rows && s.n * s.batches < most_rows;
  return fits ? nullptr : "too large for 32-bit places";
}
// Below half a tile most of wgmma's work would be for nothing.
const char* wgmma_accepts(SpecSpan in, const MatmulAttrs& attrs) {
  if (const char* reason = wgmma_can(in, attrs)) return reason;
  const ProductSizes s = matmul_sizes(in[0].shape, in[1].shape, attrs);
  return s.m <= 64 || s.n <= 32 ? "too narrow for wgmma" : nullptr;
}
// Below these sizes copies of the operands cost more than wgmma gains (measured on an H200); operands that lie along
// the depth want none (measured on an H100).
const char* wgmma_tf32_accepts(SpecSpan in, const MatmulAttrs& attrs) {
  constexpr int64_t least_side = 256, least_size = 400'000, least_depth = 512;
  constexpr size_t most_memory = size_t{1} << 30;
  if (matmul_precision() == Precision::highest) return "the precision asked for is higher";
  if (const char* reason = wgmma_tf32_can(in, attrs)) return reason;
  const ProductSizes s = matmul_sizes(in[0].shape, in[1].shape, attrs);
  if (!attrs.transpose_a && attrs.transpose_b && s.k % 4 == 0 && s.k >= least_depth) {
    return s.m <= 64 || s.n <= 32 ? "too narrow for wgmma" : nullptr;
  }
  const bool small = least(s.m, s.n) < least_side || s.m * s.n < least_size || s.k < least_depth;
  if (small) return "too small for copies of the operands";
  return WgmmaTf32Fitting::workspace(in, attrs) > most_memory ? "copies of the operands want too much memory" : nullptr;
}
const char* bfloat16_accepts(SpecSpan in, const MatmulAttrs& attrs) {
  return in[0].dtype != DType::bfloat16 ? "wants bfloat16" : refuse_sizes(in, attrs);
}

template <template <class> class Chosen>
void run_halves(const KernelCall& call, const MatmulAttrs& attrs) {
  if (call.out[0].dtype == DType::float16) return Chosen<Halves<Float16>>::run(call, attrs);
  Chosen<Halves<BFloat16>>::run(call, attrs);
}
template <template <class> class Chosen>
size_t halves_workspace(SpecSpan in, const MatmulAttrs& attrs) {
  return Chosen<Halves<BFloat16>>::workspace(in, attrs);  // the same for both
}

// ---- a thread for each element

template <class Stored, class Sum>
struct ReferenceCall {
  const Stored *a, *b, *bias;
  Stored* c;
  int64_t m, n, k, a_row, a_column, b_row, b_column, count;
  Places<> a_matrices, b_matrices;
  Activation activation;
};

template <class Stored, class Sum>
__global__ void reference_kernel(const __grid_constant__ ReferenceCall<Stored, Sum> call) {
  const int64_t at = int64_t{blockIdx.x} * blockDim.x + threadIdx.x;
  if (at >= call.count) return;
  const int64_t matrix = at / (call.m * call.n), i = at / call.n % call.m, j = at % call.n;
  const Stored* a = call.a + call.a_matrices.offset(matrix) + i * call.a_row;
  const Stored* b = call.b + call.b_matrices.offset(matrix) + j * call.b_column;
  Sum sum = call.bias ? load_as<Sum>(call.bias[j]) : Sum(0);
  for (int64_t l = 0; l < call.k; ++l) {
    sum = static_cast<Sum>(sum + load_as<Sum>(a[l * call.a_column]) * load_as<Sum>(b[l * call.b_row]));
  }
  call.c[at] = store_as<Stored>(activated(sum, call.activation));
}

template <class Stored, class Sum>
void reference_typed(const KernelCall& call, const MatmulAttrs& attrs) {
  const View &a = call.in[0], &b = call.in[1], &c = call.out[0];
  const ProductSizes s = matmul_sizes(a.shape, b.shape, attrs);
  if (c.size() == 0) return;
  const Shape axes = leading_axes(a.shape, b.shape);
  const ReferenceCall<Stored, Sum> reference{a.as<const Stored>(),
                                             b.as<const Stored>(),
                                             call.in.size() > 2 ? call.in[2].as<const Stored>() : nullptr,
                                             c.as<Stored>(),
                                             s.m,
                                             s.n,
                                             s.k,
                                             attrs.transpose_a ? 1 : s.k,
                                             attrs.transpose_a ? s.m : 1,
                                             attrs.transpose_b ? 1 : s.n,
                                             attrs.transpose_b ? s.k : 1,
                                             c.size(),
                                             matrix_strides(a.shape, axes),
                                             matrix_strides(b.shape, axes),
                                             attrs.activation};
  PH_LAUNCH((reference_kernel<Stored, Sum>), blocks_for(c.size(), 128), 128, 0, device().stream, reference);
}

// Integers in an unsigned type, whose overflow C++ defines: they wrap round as in NumPy. Narrow ones are summed in 32
// bits, where signed and unsigned ones have the same low bits.
void run_reference(const KernelCall& call, const MatmulAttrs& attrs) {
  switch (call.out[0].dtype) {
    case DType::float16:
      return reference_typed<Float16, float>(call, attrs);
    case DType::bfloat16:
      return reference_typed<BFloat16, float>(call, attrs);
    case DType::float32:
      return reference_typed<float, float>(call, attrs);
    case DType::float64:
      return reference_typed<double, double>(call, attrs);
    case DType::int8:
    case DType::uint8:
      return reference_typed<uint8_t, uint32_t>(call, attrs);
    case DType::int16:
    case DType::uint16:
      return reference_typed<uint16_t, uint32_t>(call, attrs);
    case DType::int32:
    case DType::uint32:
      return reference_typed<uint32_t, uint32_t>(call, attrs);
    default:
      return reference_typed<uint64_t, uint64_t>(call, attrs);
  }
}

size_t no_workspace(SpecSpan, const MatmulAttrs&) { return 0; }

template <class Chosen>
constexpr MatmulWay way = {Chosen::run, Chosen::workspace};

template <class Chosen, auto accepts>
constexpr Kernel variant(const char* name) {
  return kernel<Chosen::run, accepts, Chosen::workspace>(name);
}
template <template <class> class Chosen, auto accepts>
constexpr Kernel halves(const char* name) {
  return kernel<run_halves<Chosen>, accepts, halves_workspace<Chosen>>(name);
}

}  // namespace

MatmulWay matmul_way(SpecSpan in, const MatmulAttrs& attrs, Precision precision) {
  if (precision == Precision::high && !tf32_pays(in, attrs)) return way<TensorFitting<Tf32>>;
  if (!tf32x3_accepts(in, attrs)) return way<TensorFitting<Tf32x3>>;
  if (!ffma_accepts(in, attrs)) return way<FfmaFitting>;
  if (!double_accepts(in, attrs)) return way<FfmaDouble>;
  return {run_reference, no_workspace};
}

PH_KERNELS(matmul, variant<WgmmaTf32Fitting, wgmma_tf32_accepts>("wgmma_tf32"),
           variant<TensorFitting<Tf32>, tf32_accepts>("tf32"), variant<TensorFitting<Tf32x3>, tf32x3_accepts>("tf32x3"),
           variant<FfmaFitting, ffma_accepts>("ffma"), variant<WgmmaVariant<256, 128, 64>, wgmma_accepts>("wgmma"),
           halves<TensorFitting, halves_accepts>("halves"), halves<TensorOnly64, halves_can>("halves_64"),
           variant<FfmaDouble, double_accepts>("double"), variant<FfmaBFloat16, bfloat16_accepts>("ffma_bfloat16"),
           kernel<run_reference>("reference"),
           // What follows only runs where it is forced: single tiles.
           variant<FfmaOnly128, ffma_accepts>("ffma_128"), variant<FfmaOnly64, ffma_accepts>("ffma_64"),
           variant<FfmaOnly32, ffma_accepts>("ffma_32"), variant<TensorOnly128<Tf32>, tf32_can>("tf32_128"),
           variant<TensorOnly64<Tf32>, tf32_can>("tf32_64"), variant<TensorOnly128<Tf32x3>, tf32_can>("tf32x3_128"),
           variant<TensorOnly64<Tf32x3>, tf32_can>("tf32x3_64"), halves<TensorOnly128, halves_accepts>("halves_128"),
           variant<WgmmaVariant<256>, wgmma_can>("wgmma_256"), variant<WgmmaVariant<128>, wgmma_can>("wgmma_128"),
           variant<WgmmaVariant<64>, wgmma_can>("wgmma_64"),
           variant<WgmmaTf32Variant<256>, wgmma_tf32_can>("wgmma_tf32_256"),
           variant<WgmmaTf32Variant<128>, wgmma_tf32_can>("wgmma_tf32_128"),
           variant<WgmmaTf32Variant<64>, wgmma_tf32_can>("wgmma_tf32_64"));

}  // namespace ph::cuda
