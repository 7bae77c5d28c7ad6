// mma and ldmatrix, over the registers of a warp.
#include "core/half.h"
#include "cuda/sim/ptx/references.h"
#include "cuda/sim/ptx/tensor_core.h"

namespace ph::sim::ptx {

// Fragments of m16n8 products, group = lane / 4, member = lane % 4: C rows group and group + 8, columns 2 * member and
// the next. `spread` sets a lane's elements of a's rows and of b's columns.
template <class Spread>
static void multiply(const void** in, void** out, int depth, int least_exponent, Spread spread) {
  TensorCoreOperand a[16], b[8];
  for (int l = 0; l < 32; ++l) spread(*static_cast<const MmaInput*>(in[l]), l / 4, l % 4, a, b);
  for (TensorCoreOperand& row : a) row.find_exponents(depth, least_exponent);
  for (TensorCoreOperand& column : b) column.find_exponents(depth, least_exponent);
  for (int l = 0; l < 32; ++l) {
    const float* c = static_cast<const MmaInput*>(in[l])->c;
    for (int e = 0; e < 4; ++e) {
      static_cast<float*>(out[l])[e] = tensor_core_sum(a[l / 4 + e / 2 * 8], b[2 * (l % 4) + e % 2], c[e], depth);
    }
  }
}

// A registers: rows group and group + 8, then the same 8 columns on; each holds two 16-bit numbers.
template <class Half>
static void multiply_halves(const void** in, void** out, int least_exponent) {
  const auto half = [](uint32_t pair, int e) { return to_float(Half{static_cast<uint16_t>(pair >> 16 * e)}); };
  multiply(in, out, 16, least_exponent, [&](const MmaInput& own, int group, int member, auto& a, auto& b) {
    for (int e = 0; e < 2; ++e) {
      for (int r = 0; r < 4; ++r) a[group + r % 2 * 8].value[2 * member + r / 2 * 8 + e] = half(own.a[r], e);
      for (int r = 0; r < 2; ++r) b[group].value[2 * member + r * 8 + e] = half(own.b[r], e);
    }
  });
}
void mma_bfloat16(const void** in, void** out, unsigned, const void*) { multiply_halves<BFloat16>(in, out, -126); }
void mma_float16(const void** in, void** out, unsigned, const void*) { multiply_halves<Float16>(in, out, -14); }

// The hardware reads the upper 19 bits of each register.
void mma_tf32(const void** in, void** out, unsigned, const void*) {
  const auto tf32 = [](uint32_t bits) { return __builtin_bit_cast(float, bits & ~uint32_t{0x1fff}); };
  multiply(in, out, 8, -126, [&](const MmaInput& own, int group, int member, auto& a, auto& b) {
    for (int r = 0; r < 4; ++r) a[group + r % 2 * 8].value[member + r / 2 * 4] = tf32(own.a[r]);
    for (int r = 0; r < 2; ++r) b[group].value[member + r * 4] = tf32(own.b[r]);
  });
}

template <bool transposed>
static void load_matrices(const void** in, void** out) {
  for (int l = 0; l < 32; ++l) {
    for (int m = 0; m < 4; ++m) {
      const auto at = [&](int row, int column) {
        return static_cast<uint32_t>(static_cast<const MatrixRow*>(in[8 * m + row])->half[column]);
      };
      const int group = l / 4, first = 2 * (l % 4);
      static_cast<uint32_t*>(out[l])[m] =
          transposed ? at(first, group) | at(first + 1, group) << 16 : at(group, first) | at(group, first + 1) << 16;
    }
  }
}
void ldmatrix(const void** in, void** out, unsigned, const void*) { load_matrices<false>(in, out); }
void ldmatrix_transposed(const void** in, void** out, unsigned, const void*) { load_matrices<true>(in, out); }

}  // namespace ph::sim::ptx
