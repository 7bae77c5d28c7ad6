// Convolutions of bfloat16 on Hopper's tensor cores, their pixels found by TMA.
#include "cuda/conv/boxed.h"

namespace ph::cuda {

PH_BOXED_GATHER(Pass::forward, BFloat16);
PH_BOXED_GATHER(Pass::input_grad, BFloat16);
PH_BOXED_KERNEL_GRAD(BFloat16);

}  // namespace ph::cuda
