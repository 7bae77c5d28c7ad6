// matmul of float32 and float64 in multiply-adds; bfloat16 where there are no tensor cores for it.
#include "cuda/gemm/run_variant.h"

namespace ph::cuda {

template struct Variant<float, float, Ffma128, Ffma64, Ffma32>;
template struct Variant<float, float, Ffma128>;
template struct Variant<float, float, Ffma64>;
template struct Variant<float, float, Ffma32>;
template struct Variant<double, double, Tiles<Ffma<double, 32, 32, 8, 4, 4>>>;
template struct Variant<BFloat16, float, Ffma64>;

}  // namespace ph::cuda
