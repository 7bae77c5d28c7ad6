// Convolutions of float32 on Hopper's tensor cores, rounded to TF32, their pixels found by TMA.
#include "cuda/conv/boxed.h"

namespace ph::cuda {

PH_BOXED_GATHER(Pass::forward, float);
PH_BOXED_GATHER(Pass::input_grad, float);
PH_BOXED_KERNEL_GRAD(float);

}  // namespace ph::cuda
