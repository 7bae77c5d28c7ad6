// Convolutions of float32 as matrix products in multiply-adds.
#include "cuda/conv/implicit_gemm.h"

namespace ph::cuda {

PH_CONV_VARIANT(float, Ffma128, Ffma64, FfmaNarrow, Ffma32);
PH_CONV_VARIANT(float, Ffma128);
PH_CONV_VARIANT(float, Ffma64);
PH_CONV_VARIANT(float, FfmaNarrow);
PH_CONV_VARIANT(float, Ffma32);

}  // namespace ph::cuda
