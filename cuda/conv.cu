// Convolution, its gradient with respect to the input, and to the kernel.
#include "cuda/conv/reference.h"

namespace ph::cuda {

PH_KERNELS(conv2d, kernel<forward_reference>("reference"));
PH_KERNELS(conv2d_input_grad, kernel<input_grad_reference>("reference"));
PH_KERNELS(conv2d_kernel_grad, kernel<kernel_grad_reference>("reference"));

}  // namespace ph::cuda
