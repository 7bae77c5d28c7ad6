// matmul of float32 on tensor cores, rounded to TF32.
#include "cuda/gemm/run_variant.h"

namespace ph::cuda {

template struct Variant<float, float, TensorLarge<Tf32>, Tensor64<Tf32>>;
template struct Variant<float, float, TensorLarge<Tf32>>;
template struct Variant<float, float, Tensor64<Tf32>>;

}  // namespace ph::cuda
