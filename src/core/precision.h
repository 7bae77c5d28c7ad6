// How exact float32 products must be: a choice of kernels, made when a program is compiled or an op is called.
#pragma once
#include "core/attributes.h"

namespace ph {

// highest: as exact as a direct sum in float32, and done so. high: an error of about 1e-5 of the largest result is
// allowed in convolutions where it makes a kernel faster. medium: in matrix products too.
enum class Precision : int32_t { highest, high, medium };
PH_CHOICES(Precision, "highest", "high", "medium")

Precision matmul_precision();
void set_matmul_precision(Precision precision);

}  // namespace ph
