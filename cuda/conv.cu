// Convolution, its gradient with respect to the input, and to the kernel. Which tiles a pass is cut into hangs on its
// sizes only.
#include "cuda/conv/implicit_gemm.h"
#include "cuda/conv/reference.h"
#include "cuda/gemm/ffma.h"

namespace ph::cuda {

namespace {

using Ffma128 = Ffma<float, 128, 128, 8, 8, 8>;
using Ffma64 = Ffma<float, 64, 64, 16, 8, 4>;
using FfmaNarrow = Ffma<float, 128, 32, 16, 8, 4>;
using Ffma32 = Ffma<float, 32, 32, 16, 4, 4>;

// The largest tiles that the pass has enough of to fill a device and that are not mostly empty.
template <class Loop>
bool fits(const ProductSizes& s) {
  constexpr int64_t enough_blocks = 96;
  const int64_t tiles = s.tiles(Loop::rows, Loop::columns);
  return s.rows > Loop::rows / 2 && s.columns > Loop::columns / 2 && tiles * plan_split<Loop>(s).parts >= enough_blocks;
}

// body(loop) with the main loop for these sizes, best first.
template <class Loop, class... Others, class Body>
auto with_loop(const ProductSizes& s, Body&& body) {
  if constexpr (sizeof...(Others) > 0) {
    if (!fits<Loop>(s)) return with_loop<Others...>(s, body);
  }
  return body(std::type_identity<Loop>());
}

// ---- multiply-adds of float32; 16-bit floats are read and written by them too

template <Pass pass, class... Loops>
void run_ffma(const KernelCall& call, const ConvAttrs& a) {
  const ConvGeometry g = geometry_of(pass, call, a);
  with_loop<Loops...>(product_sizes(pass, g), [&](auto loop) {
    run_pass<pass, typename decltype(loop)::type, float, 4, float>(g, call, a.activation);
  });
}
template <Pass pass, class... Loops>
size_t ffma_workspace(SpecSpan in, const ConvAttrs& a) {
  const ConvGeometry g = geometry_of(pass, in, a);
  const ProductSizes s = product_sizes(pass, g);
  return with_loop<Loops...>(
      s, [&](auto loop) { return product_workspace<typename decltype(loop)::type, float>(s, result_size(pass, g)); });
}
template <Pass pass>
const char* ffma_accepts(SpecSpan in, const ConvAttrs& a) {
  if (in[0].dtype != DType::float32) return "wants float32";
  return refuse_product(pass, geometry_of(pass, in, a));
}

template <Pass pass, class... Loops>
constexpr Kernel ffma(const char* variant) {
  return kernel<run_ffma<pass, Loops...>, ffma_accepts<pass>, ffma_workspace<pass, Loops...>>(variant);
}
template <Pass pass>
constexpr Kernel best_ffma() {
  return ffma<pass, Ffma128, Ffma64, FfmaNarrow, Ffma32>("ffma");
}

}  // namespace

// The variants behind "reference" run only where they are forced.
#define PH_FORCED(pass)                                                                                         \
  ffma<pass, Ffma128>("ffma_128x128"), ffma<pass, Ffma64>("ffma_64x64"), ffma<pass, FfmaNarrow>("ffma_128x32"), \
      ffma<pass, Ffma32>("ffma_32x32")
PH_KERNELS(conv2d, best_ffma<Pass::forward>(), kernel<forward_reference>("reference"), PH_FORCED(Pass::forward));
PH_KERNELS(conv2d_input_grad, best_ffma<Pass::input_grad>(), kernel<input_grad_reference>("reference"),
           PH_FORCED(Pass::input_grad));
PH_KERNELS(conv2d_kernel_grad, best_ffma<Pass::kernel_grad>(), kernel<kernel_grad_reference>("reference"),
           PH_FORCED(Pass::kernel_grad));

}  // namespace ph::cuda
