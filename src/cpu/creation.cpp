#include "ops/creation.h"

#include "cpu/convert.h"

namespace ph::PH_LEVEL {

static void full(const KernelCall& k, const FullAttrs& a) {
  fill_converted(k.out[0].data, a.value, k.out[0].dtype, k.out[0].size());
}

PH_KERNELS(full, kernel<full>("doubling"));

}  // namespace ph::PH_LEVEL
