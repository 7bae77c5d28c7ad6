// Convolutions of float16 on Hopper's tensor cores, their pixels found by TMA.
#include "cuda/conv/boxed.h"

namespace ph::cuda {

PH_BOXED_GATHER(Pass::forward, Float16);
PH_BOXED_GATHER(Pass::input_grad, Float16);
PH_BOXED_KERNEL_GRAD(Float16);

}  // namespace ph::cuda
