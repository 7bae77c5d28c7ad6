// Convolutions of float16 as matrix products on Hopper's tensor cores.
#include "cuda/conv/implicit_gemm.h"

namespace ph::cuda {

PH_CONV_VARIANT(Float16, Wgmma256<Halves<Float16>>, Wgmma128<Halves<Float16>>, Wgmma64<Halves<Float16>>);
PH_CONV_VARIANT(Float16, Wgmma256<Halves<Float16>>);
PH_CONV_VARIANT(Float16, Wgmma128<Halves<Float16>>);
PH_CONV_VARIANT(Float16, Wgmma64<Halves<Float16>>);

}  // namespace ph::cuda
