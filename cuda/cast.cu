// Conversion between dtypes, as NumPy's astype: floats to integers cut towards zero, anything to bool is "is not zero".
#include "cuda/conversion.h"
#include "ops/cast.h"

namespace ph::cuda {

namespace {

void cast(const KernelCall& k, const CastAttrs&) {
  const View &x = k.in[0], &y = k.out[0];
  if (x.dtype == DType::float64) return convert_through<double>(x, y);
  if (is_float(x.dtype)) return convert_through<float>(x, y);
  if (x.dtype == DType::uint64) return convert_through<uint64_t>(x, y);
  convert_through<int64_t>(x, y);
}

}  // namespace

PH_KERNELS(cast, kernel<cast>("vectors"));

}  // namespace ph::cuda
