// Convolutions of float16 as matrix products on tensor cores.
#include "cuda/conv/implicit_gemm.h"

namespace ph::cuda {

PH_CONV_VARIANT(Float16, Tensor128<Halves<Float16>>, Tensor64<Halves<Float16>>);
PH_CONV_VARIANT(Float16, Tensor128<Halves<Float16>>);
PH_CONV_VARIANT(Float16, Tensor64<Halves<Float16>>);

}  // namespace ph::cuda
