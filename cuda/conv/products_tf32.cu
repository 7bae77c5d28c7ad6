// Convolutions of float32 as matrix products on tensor cores, rounded to TF32.
#include "cuda/conv/implicit_gemm.h"

namespace ph::cuda {

PH_CONV_VARIANT(float, Tensor128<Tf32>, Tensor64<Tf32>, TensorNarrow<Tf32>);
PH_CONV_VARIANT(float, Tensor128<Tf32>);
PH_CONV_VARIANT(float, Tensor64<Tf32>);
PH_CONV_VARIANT(float, TensorNarrow<Tf32>);

}  // namespace ph::cuda
