// Convolutions of float32 as matrix products on Hopper's tensor cores, rounded to TF32: those whose operands' memory
// runs along the depth.
#include "cuda/conv/implicit_gemm.h"

namespace ph::cuda {

#define PH_TURNED_VARIANT(...)                                       \
  template struct ProductVariant<Pass::forward, float, __VA_ARGS__>; \
  template struct ProductVariant<Pass::input_grad, float, __VA_ARGS__>

PH_TURNED_VARIANT(Wgmma256<Tf32>, Wgmma128<Tf32>, Wgmma64<Tf32>);
PH_TURNED_VARIANT(Wgmma256<Tf32>);
PH_TURNED_VARIANT(Wgmma128<Tf32>);
PH_TURNED_VARIANT(Wgmma64<Tf32>);
#undef PH_TURNED_VARIANT

}  // namespace ph::cuda
