// matmul of float32 on tensor cores, in two parts of TF32.
#include "cuda/gemm/run_variant.h"

namespace ph::cuda {

template struct Variant<float, float, TensorLarge<Tf32x3>, Tensor64<Tf32x3>>;
template struct Variant<float, float, TensorLarge<Tf32x3>>;
template struct Variant<float, float, Tensor64<Tf32x3>>;

}  // namespace ph::cuda
