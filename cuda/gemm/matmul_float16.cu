// matmul of float16 on tensor cores.
#include "cuda/gemm/run_variant.h"

namespace ph::cuda {

template struct Variant<Float16, float, TensorLarge<Halves<Float16>>, Tensor64<Halves<Float16>>>;
template struct Variant<Float16, float, TensorLarge<Halves<Float16>>>;
template struct Variant<Float16, float, Tensor64<Halves<Float16>>>;

}  // namespace ph::cuda
