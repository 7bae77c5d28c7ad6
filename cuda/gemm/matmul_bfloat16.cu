// matmul of bfloat16 on tensor cores.
#include "cuda/gemm/run_variant.h"

namespace ph::cuda {

template struct Variant<BFloat16, float, Tensor128<Halves<BFloat16>>, Tensor64<Halves<BFloat16>>>;
template struct Variant<BFloat16, float, Tensor128<Halves<BFloat16>>>;
template struct Variant<BFloat16, float, Tensor64<Halves<BFloat16>>>;
template struct Variant<BFloat16, float, TensorWide<Halves<BFloat16>>>;
template struct Variant<BFloat16, float, Tensor256<Halves<BFloat16>>>;

}  // namespace ph::cuda
