// Convolution, its gradient with respect to the input, and to the kernel. Which kernel runs a pass hangs on its sizes,
// the precision asked for and the devices' compute capability.
#include "core/precision.h"
#include "cuda/conv/reference.h"
#include "cuda/conv/variants.h"

namespace ph::cuda {

namespace {

bool tensor_cores_take(DType dtype) {
  if (capability() < 80) return false;
  return dtype == DType::float32 ? matmul_precision() != Precision::highest : dtype != DType::float64;
}

// Where products are deep, tensor cores are faster, though they compute for channels that are not there.
const char* first_layer_accepts(SpecSpan in, const ConvAttrs& a) {
  constexpr int64_t deep = 64;
  if (const char* reason = FirstLayer::accepts(in, a)) return reason;
  const bool is_deep = geometry_of(Pass::forward, in, a).depth() > deep;
  return is_deep && tensor_cores_take(in[0].dtype) ? "tensor cores are faster" : nullptr;
}

template <Pass pass>
const char* ffma_accepts(SpecSpan in, const ConvAttrs& a) {
  return in[0].dtype != DType::float32 ? "wants float32" : refuse_product(pass, geometry_of(pass, in, a));
}

// Where tensor cores' tiles would be mostly empty, multiply-adds are as fast.
template <Pass pass>
const char* refuse_narrow(SpecSpan in, const ConvAttrs& a) {
  constexpr int64_t few_rows = 16, few_columns = 8;
  const ProductSizes s = product_sizes(pass, geometry_of(pass, in, a));
  return s.m <= few_rows || s.n <= few_columns ? "too narrow for tensor cores" : nullptr;
}

template <Pass pass>
const char* tf32_can(SpecSpan in, const ConvAttrs& a) {
  if (in[0].dtype != DType::float32) return "wants float32";
  if (capability() < 80) return "TF32 wants compute capability 8.0 or more";
  return refuse_product(pass, geometry_of(pass, in, a));
}
template <Pass pass>
const char* tf32_accepts(SpecSpan in, const ConvAttrs& a) {
  if (matmul_precision() == Precision::highest) return "the precision asked for is higher";
  if (const char* reason = tf32_can<pass>(in, a)) return reason;
  return refuse_narrow<pass>(in, a);
}
template <Pass pass>
const char* tf32x3_accepts(SpecSpan in, const ConvAttrs& a) {
  const int which = capability();
  if (which != 80 && which != 90 && which != 100) return "multiply-adds are as fast on this compute capability";
  if (const char* reason = tf32_can<pass>(in, a)) return reason;
  return refuse_narrow<pass>(in, a);
}

template <Pass pass>
const char* halves_can(SpecSpan in, const ConvAttrs& a) {
  const bool brain = in[0].dtype == DType::bfloat16;
  if (in[0].dtype != DType::float16 && !brain) return "wants float16 or bfloat16";
  if (brain && capability() < 80) return "bfloat16 on tensor cores wants compute capability 8.0 or more";
  return refuse_product(pass, geometry_of(pass, in, a));
}
template <Pass pass>
const char* halves_accepts(SpecSpan in, const ConvAttrs& a) {
  if (const char* reason = halves_can<pass>(in, a)) return reason;
  return capability() < 80 ? "tiles of 128 x 128 want more shared memory than this compute capability has" : nullptr;
}

// Boxes of pixels are found by TMA, in rows of memory that are multiples of 16 bytes.
template <Pass pass>
const char* boxed_can(SpecSpan in, const ConvAttrs& a) {
  const DType dtype = in[0].dtype;
  const bool is_float = dtype == DType::float32;
  if (capability() != 90) return "wgmma wants compute capability 9.0";
  if (const char* reason = is_float ? tf32_can<pass>(in, a) : halves_can<pass>(in, a)) return reason;
  const ConvGeometry g = geometry_of(pass, in, a);
  const int64_t piece = is_float ? 4 : 8;
  if (g.groups > 1) return "wants one group";
  if (result_size(Pass::forward, g) == 0 || g.batch * g.rows.in * g.columns.in * g.channels == 0 || g.taps() == 0) {
    return "there is nothing to multiply";
  }
  if (g.channels % piece != 0 || g.filters % piece != 0) return "channels are not multiples of 16 bytes";
  const int64_t image = most(g.rows.in * g.columns.in * g.channels, g.pixels() * g.filters);
  if (is_float && pass == Pass::kernel_grad && image > INT32_MAX) return "too large for 32-bit places";
  const bool near = g.rows.stride <= Gather::most_classes && g.columns.stride <= Gather::most_classes;
  return near ? nullptr : "strides beyond 8";
}
template <Pass pass>
const char* boxed_accepts(SpecSpan in, const ConvAttrs& a) {
  if (in[0].dtype == DType::float32 && matmul_precision() == Precision::highest)
    return "the precision asked for is higher";
  if (const char* reason = boxed_can<pass>(in, a)) return reason;
  const ProductSizes s = product_sizes(pass, geometry_of(pass, in, a));
  if (s.m <= 64 || s.n <= 16) return "too narrow for wgmma";
  if (pass != Pass::kernel_grad || in[0].dtype != DType::float32) return nullptr;
  // both operands are turned round so that images are the depth, of which a product takes 32
  constexpr int64_t enough_images = 16, most_elements = int64_t{1} << 28;
  if (in[0].shape[0] < enough_images) return "too few images";
  return in[0].shape.size() + in[1].shape.size() > most_elements ? "turned images want too much memory" : nullptr;
}

template <Pass pass, template <class> class... TilesInOrder>
struct HalvesVariant {
  template <class T>
  using Of = TensorVariant<pass, Halves<T>, TilesInOrder...>;

  static void run(const KernelCall& call, const ConvAttrs& a) {
    call.in[0].dtype == DType::float16 ? Of<Float16>::run(call, a) : Of<BFloat16>::run(call, a);
  }
  static size_t workspace(SpecSpan in, const ConvAttrs& a) { return Of<BFloat16>::workspace(in, a); }  // as of float16
};

template <Pass pass, class... TilesInOrder>
struct Boxed {
  template <class T>
  using Of = BoxedVariant<pass, T, TilesInOrder...>;

  static void run(const KernelCall& call, const ConvAttrs& a) {
    with_fast_type(call.in[0].dtype, [&]<class T>(T) { Of<T>::run(call, a); });
  }
  static size_t workspace(SpecSpan in, const ConvAttrs& a) {
    size_t bytes = 0;
    with_fast_type(in[0].dtype, [&]<class T>(T) { bytes = Of<T>::workspace(in, a); });
    return bytes;
  }
};

template <class Variant, auto accepts>
constexpr Kernel product(const char* name) {
  return kernel<Variant::run, accepts, Variant::workspace>(name);
}
template <Pass pass>
constexpr Kernel depthwise() {
  return product<Depthwise<pass>, Depthwise<pass>::accepts>("depthwise");
}

}  // namespace

#define PH_PRODUCTS(pass)                                                                                      \
  product<TensorVariant<pass, Tf32, Tensor128, Tensor64, TensorNarrow>, tf32_accepts<pass>>("tf32"),           \
      product<TensorVariant<pass, Tf32x3, Tensor128, Tensor64, TensorNarrow>, tf32x3_accepts<pass>>("tf32x3"), \
      product<FfmaVariant<pass, Ffma128, Ffma64, FfmaNarrow, Ffma32>, ffma_accepts<pass>>("ffma"),             \
      product<HalvesVariant<pass, Tensor128, Tensor64>, halves_accepts<pass>>("halves"),                       \
      product<HalvesVariant<pass, Tensor64>, halves_can<pass>>("halves_64")
// They only run where they are forced: single tiles.
#define PH_FORCED(pass)                                                                    \
  product<TensorVariant<pass, Tf32, Tensor128>, tf32_can<pass>>("tf32_128"),               \
      product<TensorVariant<pass, Tf32, Tensor64>, tf32_can<pass>>("tf32_64"),             \
      product<TensorVariant<pass, Tf32, TensorNarrow>, tf32_can<pass>>("tf32_narrow"),     \
      product<TensorVariant<pass, Tf32x3, Tensor128>, tf32_can<pass>>("tf32x3_128"),       \
      product<TensorVariant<pass, Tf32x3, Tensor64>, tf32_can<pass>>("tf32x3_64"),         \
      product<TensorVariant<pass, Tf32x3, TensorNarrow>, tf32_can<pass>>("tf32x3_narrow"), \
      product<FfmaVariant<pass, Ffma128>, ffma_accepts<pass>>("ffma_128"),                 \
      product<FfmaVariant<pass, Ffma64>, ffma_accepts<pass>>("ffma_64"),                   \
      product<FfmaVariant<pass, FfmaNarrow>, ffma_accepts<pass>>("ffma_narrow"),           \
      product<FfmaVariant<pass, Ffma32>, ffma_accepts<pass>>("ffma_32"),                   \
      product<HalvesVariant<pass, Tensor128>, halves_accepts<pass>>("halves_128"),         \
      product<Boxed<pass, Boxed256>, boxed_can<pass>>("boxed_256"),                        \
      product<Boxed<pass, Boxed128>, boxed_can<pass>>("boxed_128"),                        \
      product<Boxed<pass, Boxed64>, boxed_can<pass>>("boxed_64")
#define PH_BOXED_GATHER(pass) \
  product<Boxed<pass, BoxedNarrow32, BoxedNarrow64, Boxed256, Boxed128, Boxed64>, boxed_accepts<pass>>("boxed")
#define PH_FORCED_GATHER(pass)                                                              \
  PH_FORCED(pass), product<Boxed<pass, BoxedNarrow64>, boxed_can<pass>>("boxed_narrow_64"), \
      product<Boxed<pass, BoxedNarrow32>, boxed_can<pass>>("boxed_narrow_32")

PH_KERNELS(conv2d, depthwise<Pass::forward>(), kernel<FirstLayer::run, first_layer_accepts>("first_layer"),
           PH_BOXED_GATHER(Pass::forward), PH_PRODUCTS(Pass::forward), kernel<forward_reference>("reference"),
           PH_FORCED_GATHER(Pass::forward));
PH_KERNELS(conv2d_input_grad, depthwise<Pass::input_grad>(), PH_BOXED_GATHER(Pass::input_grad),
           PH_PRODUCTS(Pass::input_grad), kernel<input_grad_reference>("reference"),
           PH_FORCED_GATHER(Pass::input_grad));
PH_KERNELS(conv2d_kernel_grad, depthwise<Pass::kernel_grad>(),
           product<FirstLayerGrad, FirstLayerGrad::accepts>("first_layer"),
           product<Boxed<Pass::kernel_grad, Boxed256, Boxed128, Boxed64>, boxed_accepts<Pass::kernel_grad>>("boxed"),
           PH_PRODUCTS(Pass::kernel_grad), kernel<kernel_grad_reference>("reference"), PH_FORCED(Pass::kernel_grad));

}  // namespace ph::cuda
