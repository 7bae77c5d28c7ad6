// Matrix products: gemm for floats (float16 and bfloat16 are multiplied and added up in float32), AMX's tiles
// and AVX-512's dot products of bfloat16 where the processor has them, plain loops for integers. Small matrices of a
// batch are shared among the threads; large ones go one after another, each being parallel.
#include "ops/matmul.h"

#include "core/precision.h"
#include "core/thread_pool.h"
#include "cpu/bfloat16_units.h"
#include "cpu/gemm/amx.h"
#include "cpu/gemm/gemm.h"
#include "cpu/gemm/halves.h"

namespace ph::PH_LEVEL {

namespace {

struct Sizes {
  int64_t m, n, k, batches;
};

PH_INLINE Sizes sizes_of(const Shape& a, const Shape& b, const MatmulAttrs& attrs) {
  const int ra = a.rank(), rb = b.rank();
  int64_t batches = 1;
  for (int d = 3; d <= (ra > rb ? ra : rb); ++d) {
    const int64_t of_a = d <= ra ? a[ra - d] : 1, of_b = d <= rb ? b[rb - d] : 1;
    batches *= of_a == 1 ? of_b : of_a;
  }
  return {a[attrs.transpose_a ? ra - 1 : ra - 2], b[attrs.transpose_b ? rb - 2 : rb - 1],
          a[attrs.transpose_a ? ra - 2 : ra - 1], batches};
}

// Into how many parts a batch is cut, each with scratch memory of its own.
PH_INLINE int64_t parts_of(const Sizes& s) {
  constexpr int64_t long_work = 4 << 20, large = 1 << 18, most = 16;
  if (s.m * s.n * s.k >= long_work || s.n * s.k >= large) return s.batches > 0;
  return s.batches < most ? s.batches : most;
}

// Which matrix of an operand a batch of the result uses, its leading axes being broadcast.
PH_INLINE int64_t matrix_of(int64_t batch, const Shape& operand, const Shape& c) {
  int64_t at = 0, step = 1, rest = batch;
  for (int d = 3; d <= c.rank(); ++d) {
    const int64_t size = c[c.rank() - d], i = rest % size;
    rest /= size;
    if (d > operand.rank()) continue;
    const int64_t own = operand[operand.rank() - d];
    if (own != 1) at += i * step;
    step *= own;
  }
  return at;
}

// `T` is what elements are stored as.
template <class T, class Multiply>
PH_INLINE void for_each_matrix(const KernelCall& call, const Sizes& s, int64_t begin, int64_t end, Multiply multiply) {
  const View &a = call.in[0], &b = call.in[1], &c = call.out[0];
  for (int64_t batch = begin; batch < end; ++batch) {
    multiply(a.as<T>() + matrix_of(batch, a.shape, c.shape) * s.m * s.k,
             b.as<T>() + matrix_of(batch, b.shape, c.shape) * s.k * s.n, c.as<T>() + batch * s.m * s.n);
  }
}

// A product of dense matrices, which are still to be named.
template <class T>
PH_INLINE Gemm<T> gemm_of(const Sizes& s, const MatmulAttrs& attrs) {
  Gemm<T> g{};
  g.m = s.m, g.n = s.n, g.k = s.k;
  g.a_row = attrs.transpose_a ? 1 : s.k, g.a_column = attrs.transpose_a ? s.m : 1;
  g.b_row = attrs.transpose_b ? 1 : s.n, g.b_column = attrs.transpose_b ? s.k : 1;
  g.c_row = s.n;
  g.activation = attrs.activation;
  return g;
}

template <class T>
void gemm_typed(const KernelCall& call, const MatmulAttrs& attrs) {
  const Sizes s = sizes_of(call.in[0].shape, call.in[1].shape, attrs);
  Gemm<T> g = gemm_of<T>(s, attrs);
  g.bias = call.in.size() > 2 ? call.in[2].as<T>() : nullptr;
  const int64_t parts = parts_of(s), scratch = gemm_workspace_size<T>(s.m, s.n, s.k);
  const double ns = 0.03 * static_cast<double>(s.m * s.n * s.k + 500) * static_cast<double>(s.batches);
  parallel_for(parts, parts ? ns / static_cast<double>(parts) : 0, [&](int64_t part) {
    T* workspace = static_cast<T*>(call.workspace) + part * scratch;
    for_each_matrix<T>(call, s, s.batches * part / parts, s.batches * (part + 1) / parts,
                       [&](const T* a, const T* b, T* c) {
                         Gemm<T> one = g;
                         one.a = a, one.b = b, one.c = c;
                         gemm(one, workspace);
                       });
  });
}

#if PH_LANES == 16
const char* fits_blocks(SpecSpan in, const MatmulAttrs& attrs) {
  const Sizes s = sizes_of(in[0].shape, in[1].shape, attrs);
  if (s.batches != 1) return "wants one matrix";
  if (s.m < 16 || s.n < 16 || s.k < 32) return "wants larger matrices";
  return nullptr;
}

constexpr const char* no_amx = "this processor has no AMX";

// `parts`: into how many bfloat16 numbers a float32 is split.
template <int parts>
const char* amx_accepts(SpecSpan in, const MatmulAttrs& attrs) {
  if (in[0].dtype != DType::float32) return "wants float32";
  if (matmul_precision() != (parts == 3 ? Precision::high : Precision::medium)) return "another precision is asked for";
  return has_amx() ? fits_blocks(in, attrs) : no_amx;
}
template <int parts>
size_t amx_workspace(SpecSpan in, const MatmulAttrs& attrs) {
  const Sizes s = sizes_of(in[0].shape, in[1].shape, attrs);
  return sizeof(float) * static_cast<size_t>(amx_workspace_size(s.m, s.n, s.k, parts));
}
template <int parts>
void matmul_amx(const KernelCall& call, const MatmulAttrs& attrs) {
  Gemm<float> g = gemm_of<float>(sizes_of(call.in[0].shape, call.in[1].shape, attrs), attrs);
  g.a = call.in[0].as<float>(), g.b = call.in[1].as<float>(), g.c = call.out[0].as<float>();
  g.bias = call.in.size() > 2 ? call.in[2].as<float>() : nullptr;
  gemm_amx<parts>(g, static_cast<float*>(call.workspace));
}
#endif

void matmul_gemm(const KernelCall& call, const MatmulAttrs& attrs) {
  call.out[0].dtype == DType::float32 ? gemm_typed<float>(call, attrs) : gemm_typed<double>(call, attrs);
}

const char* gemm_accepts(SpecSpan in, const MatmulAttrs&) {
  const bool known = in[0].dtype == DType::float32 || in[0].dtype == DType::float64;
  return known ? nullptr : "wants float32 or float64";
}

size_t gemm_workspace(SpecSpan in, const MatmulAttrs& attrs) {
  const Sizes s = sizes_of(in[0].shape, in[1].shape, attrs);
  const int64_t scratch = in[0].dtype == DType::float32 ? gemm_workspace_size<float>(s.m, s.n, s.k)
                                                        : gemm_workspace_size<double>(s.m, s.n, s.k);
  return size_of(in[0].dtype) * static_cast<size_t>(parts_of(s) * scratch);
}

// The bias in float32 lies in front of packed B.
PH_INLINE int64_t bias_size(const Sizes& s) { return divide_up(s.n, 16) * 16; }

// The product of a call's matrices, which are still to be named; `bias` is scratch memory for the bias in float32.
PH_INLINE HalfGemm halves_of(const KernelCall& call, const Sizes& s, const MatmulAttrs& attrs, float* bias) {
  const DType dtype = call.in[0].dtype;
  HalfGemm g{};
  g.m = s.m, g.n = s.n, g.k = s.k;
  g.a = {nullptr, dtype, attrs.transpose_a ? 1 : s.k, attrs.transpose_a ? s.m : 1};
  g.b = {nullptr, dtype, attrs.transpose_b ? 1 : s.n, attrs.transpose_b ? s.k : 1};
  g.c = {nullptr, dtype, s.n, 1};
  g.activation = attrs.activation;
  if (call.in.size() > 2) {
    load_converted(bias, call.in[2].data, call.in[2].dtype, s.n);
    g.bias = bias;
  }
  return g;
}

void matmul_halves(const KernelCall& call, const MatmulAttrs& attrs) {
  const Sizes s = sizes_of(call.in[0].shape, call.in[1].shape, attrs);
  float* bias = static_cast<float*>(call.workspace);
  const HalfGemm g = halves_of(call, s, attrs, bias);
  const int64_t parts = parts_of(s), scratch = packed_size<float>(s.n, s.k);
  const double ns = 0.04 * static_cast<double>(s.m * s.n * s.k + 500) * static_cast<double>(s.batches);
  parallel_for(parts, parts ? ns / static_cast<double>(parts) : 0, [&](int64_t part) {
    float* packed = bias + bias_size(s) + part * scratch;
    for_each_matrix<uint16_t>(call, s, s.batches * part / parts, s.batches * (part + 1) / parts,
                              [&](uint16_t* a, uint16_t* b, uint16_t* c) {
                                HalfGemm one = g;
                                one.a.data = a, one.b.data = b, one.c.data = c;
                                gemm_halves(one, packed);
                              });
  });
}

const char* halves_accept(SpecSpan in, const MatmulAttrs&) {
  return is_half(in[0].dtype) ? nullptr : "wants float16 or bfloat16";
}

size_t halves_workspace(SpecSpan in, const MatmulAttrs& attrs) {
  const Sizes s = sizes_of(in[0].shape, in[1].shape, attrs);
  return sizeof(float) * static_cast<size_t>(bias_size(s) + parts_of(s) * packed_size<float>(s.n, s.k));
}

#if PH_LANES == 16
const char* bfloat16_fits(SpecSpan in, const MatmulAttrs& attrs) {
  return in[0].dtype != DType::bfloat16 ? "wants bfloat16" : fits_blocks(in, attrs);
}
const char* amx_bfloat16_accepts(SpecSpan in, const MatmulAttrs& attrs) {
  return has_amx() ? bfloat16_fits(in, attrs) : no_amx;
}
const char* dots_accept(SpecSpan in, const MatmulAttrs& attrs) {
  return has_bfloat16_dots() ? bfloat16_fits(in, attrs) : "this processor has no AVX512_BF16";
}
size_t bfloat16_workspace(SpecSpan in, const MatmulAttrs& attrs) {
  const Sizes s = sizes_of(in[0].shape, in[1].shape, attrs);
  return sizeof(float) * static_cast<size_t>(bias_size(s) + amx_workspace_size(s.m, s.n, s.k, 1));
}
template <auto multiply>
void matmul_bfloat16(const KernelCall& call, const MatmulAttrs& attrs) {
  const Sizes s = sizes_of(call.in[0].shape, call.in[1].shape, attrs);
  float* bias = static_cast<float*>(call.workspace);
  HalfGemm g = halves_of(call, s, attrs, bias);
  g.a.data = call.in[0].as<uint16_t>(), g.b.data = call.in[1].as<uint16_t>(), g.c.data = call.out[0].as<uint16_t>();
  multiply(g, bias + bias_size(s));
}
#endif

template <class T>
void reference_typed(const KernelCall& call, const MatmulAttrs& attrs) {
  const T* bias = call.in.size() > 2 ? call.in[2].as<T>() : nullptr;
  const Sizes s = sizes_of(call.in[0].shape, call.in[1].shape, attrs);
  for_each_matrix<T>(call, s, 0, s.batches, [&](const T* a, const T* b, T* c) {
    for (int64_t i = 0; i < s.m; ++i) {
      for (int64_t j = 0; j < s.n; ++j) {
        T sum = bias ? bias[j] : T(0);
        for (int64_t l = 0; l < s.k; ++l) {
          sum += a[attrs.transpose_a ? l * s.m + i : i * s.k + l] * b[attrs.transpose_b ? j * s.k + l : l * s.n + j];
        }
        c[i * s.n + j] = attrs.activation == Activation::relu && sum < 0 ? T(0) : sum;
      }
    }
  });
}

// Integers in their unsigned type, whose overflow C++ defines: they wrap round as in NumPy.
void matmul_reference(const KernelCall& call, const MatmulAttrs& attrs) {
  switch (call.out[0].dtype) {
    case DType::float32:
      return reference_typed<float>(call, attrs);
    case DType::float64:
      return reference_typed<double>(call, attrs);
    case DType::int8:
    case DType::uint8:
      return reference_typed<uint8_t>(call, attrs);
    case DType::int16:
    case DType::uint16:
      return reference_typed<uint16_t>(call, attrs);
    case DType::int32:
    case DType::uint32:
      return reference_typed<uint32_t>(call, attrs);
    default:
      return reference_typed<uint64_t>(call, attrs);
  }
}

const char* reference_accepts(SpecSpan in, const MatmulAttrs&) {
  return is_half(in[0].dtype) ? "multiplies elements as they are stored" : nullptr;
}

}  // namespace

#if PH_LANES == 16
PH_KERNELS(matmul, kernel<matmul_amx<3>, amx_accepts<3>, amx_workspace<3>>("amx"),
           kernel<matmul_amx<2>, amx_accepts<2>, amx_workspace<2>>("amx_medium"),
           kernel<matmul_bfloat16<gemm_amx_bfloat16>, amx_bfloat16_accepts, bfloat16_workspace>("amx_bfloat16"),
           kernel<matmul_bfloat16<gemm_dots_bfloat16>, dots_accept, bfloat16_workspace>("dots_bfloat16"),
           kernel<matmul_gemm, gemm_accepts, gemm_workspace>("gemm"),
           kernel<matmul_halves, halves_accept, halves_workspace>("gemm_halves"),
           kernel<matmul_reference, reference_accepts>("reference"));
#else
PH_KERNELS(matmul, kernel<matmul_gemm, gemm_accepts, gemm_workspace>("gemm"),
           kernel<matmul_halves, halves_accept, halves_workspace>("gemm_halves"),
           kernel<matmul_reference, reference_accepts>("reference"));
#endif

}  // namespace ph::PH_LEVEL
