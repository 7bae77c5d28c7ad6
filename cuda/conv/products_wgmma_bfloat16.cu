// Convolutions of bfloat16 as matrix products on Hopper's tensor cores.
#include "cuda/conv/implicit_gemm.h"

namespace ph::cuda {

PH_CONV_VARIANT(BFloat16, Wgmma256<Halves<BFloat16>>, Wgmma128<Halves<BFloat16>>, Wgmma64<Halves<BFloat16>>);
PH_CONV_VARIANT(BFloat16, Wgmma256<Halves<BFloat16>>);
PH_CONV_VARIANT(BFloat16, Wgmma128<Halves<BFloat16>>);
PH_CONV_VARIANT(BFloat16, Wgmma64<Halves<BFloat16>>);

}  // namespace ph::cuda
