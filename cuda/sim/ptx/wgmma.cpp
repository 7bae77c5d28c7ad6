// wgmma: products of a warpgroup over tiles in shared memory that descriptors tell of.
#include <vector>

#include "cuda/sim/ptx/references.h"
#include "cuda/sim/ptx/tensor_core.h"

namespace ph::sim::ptx {

namespace {

// A descriptor: start address, two distances and the swizzle, as in the manual's matrix-descriptor format.
struct Descriptor {
  uint32_t start, leading, stride;
  int swizzle_bytes;

  explicit Descriptor(uint64_t bits)
      : start(static_cast<uint32_t>(bits & 0x3fff) << 4),
        leading(static_cast<uint32_t>(bits >> 16 & 0x3fff) << 4),
        stride(static_cast<uint32_t>(bits >> 32 & 0x3fff) << 4) {
    constexpr int pattern[4] = {0, 128, 64, 32};
    swizzle_bytes = pattern[bits >> 62];
  }

  // The byte where element (i, k) begins: i runs along M or N, k along the depth. The unit is a core matrix, 8 rows of
  // 16 bytes, or with a swizzle 8 rows as wide as its pattern.
  uint32_t address(int i, int k, int element_bytes, bool transposed) const {
    const auto along = static_cast<uint32_t>((transposed ? i : k) * element_bytes);  // in the direction rows run
    const auto row = static_cast<uint32_t>(transposed ? k : i);
    const uint32_t width = swizzle_bytes ? static_cast<uint32_t>(swizzle_bytes) : 16;
    const uint32_t next_rows = row / 8 * (transposed && !swizzle_bytes ? leading : stride);
    const uint32_t next_columns = along / width * (transposed && !swizzle_bytes ? stride : leading);
    return swizzled(start + row % 8 * width + next_rows + along % width + next_columns, swizzle_bytes);
  }
};

}  // namespace

void warpgroup_product_reference(const Product* const* products) {
  const Product& first = *products[0];
  const ProductKind& kind = *first.kind;
  for (int t = 1; t < 128; ++t) {
    const Product& other = *products[t];
    if (other.kind != first.kind || other.a != first.a || other.b != first.b || other.adds != first.adds) {
      fail("wgmma: the threads of the warpgroup bring different descriptors");
    }
  }
  const int depth = 32 / kind.element_bytes;
  static thread_local std::vector<TensorCoreOperand> operands(64 + 256);
  TensorCoreOperand *a = operands.data(), *b = a + 64;
  const auto read = [&](TensorCoreOperand* to, int count, const Descriptor& tile, bool transposed) {
    for (int i = 0; i < count; ++i) {
      for (int k = 0; k < depth; ++k) {
        to[i].value[k] = kind.element(at_shared_address(tile.address(i, k, kind.element_bytes, transposed)));
      }
      to[i].find_exponents(depth, kind.least_exponent);
    }
  };
  read(a, 64, Descriptor(first.a), kind.a_transposed);
  read(b, kind.columns, Descriptor(first.b), kind.b_transposed);
  for (int t = 0; t < 128; ++t) {  // thread t holds rows t / 32 * 16 + t % 32 / 4 and 8 on
    for (int e = 0; e < kind.columns / 2; ++e) {
      const int row = t / 32 * 16 + t % 32 / 4 + e / 2 % 2 * 8, column = e / 4 * 8 + t % 4 * 2 + e % 2;
      float& sum = products[t]->sums[e];
      sum = tensor_core_sum(a[row], b[column], first.adds ? sum : 0, depth);
    }
  }
}

}  // namespace ph::sim::ptx
