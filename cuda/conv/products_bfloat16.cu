// Convolutions of bfloat16 as matrix products on tensor cores.
#include "cuda/conv/implicit_gemm.h"

namespace ph::cuda {

PH_CONV_VARIANT(BFloat16, Tensor128<Halves<BFloat16>>, Tensor64<Halves<BFloat16>>);
PH_CONV_VARIANT(BFloat16, Tensor128<Halves<BFloat16>>);
PH_CONV_VARIANT(BFloat16, Tensor64<Halves<BFloat16>>);

}  // namespace ph::cuda
