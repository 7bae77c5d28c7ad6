// matmul of float32 on tensor cores, rounded to TF32.
#include "cuda/gemm/run_variant.h"

namespace ph::cuda {

template struct Variant<float, float, Tensor128<Tf32>, Tensor64<Tf32>>;
template struct Variant<float, float, Tensor128<Tf32>>;
template struct Variant<float, float, Tensor64<Tf32>>;
template struct Variant<float, float, TensorWide<Tf32>>;
template struct Variant<float, float, Tensor256<Tf32>>;

}  // namespace ph::cuda
