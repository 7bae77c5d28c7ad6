// matmul of bfloat16 on tensor cores.
#include "cuda/gemm/run_variant.h"

namespace ph::cuda {

template struct Variant<BFloat16, float, TensorLarge<Halves<BFloat16>>, Tensor64<Halves<BFloat16>>>;
template struct Variant<BFloat16, float, TensorLarge<Halves<BFloat16>>>;
template struct Variant<BFloat16, float, Tensor64<Halves<BFloat16>>>;

}  // namespace ph::cuda
