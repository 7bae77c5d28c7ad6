#include "ops/creation.h"

#include "cpu/convert.h"

namespace ph::PH_LEVEL {

static void full(const KernelCall& k, const FullAttrs& a) {
  const View& out = k.out[0];
  const int64_t bytes = static_cast<int64_t>(size_of(out.dtype));
  for (int64_t i = 0; i < out.size(); ++i) store_converted(out.as<char>() + i * bytes, &a.value, out.dtype, 1);
}

PH_KERNELS(full, kernel<full>("reference"));

}  // namespace ph::PH_LEVEL
