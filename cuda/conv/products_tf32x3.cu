// Convolutions of float32 as matrix products on tensor cores, in two parts of TF32.
#include "cuda/conv/implicit_gemm.h"

namespace ph::cuda {

PH_CONV_VARIANT(float, Tensor128<Tf32x3>, Tensor64<Tf32x3>, TensorNarrow<Tf32x3>);
PH_CONV_VARIANT(float, Tensor128<Tf32x3>);
PH_CONV_VARIANT(float, Tensor64<Tf32x3>);
PH_CONV_VARIANT(float, TensorNarrow<Tf32x3>);

}  // namespace ph::cuda
