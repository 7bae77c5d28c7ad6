// matmul of float32 on Hopper's tensor cores, rounded to TF32. Operands whose memory runs along the lines, or whose
// rows are no multiples of 16 bytes, are copied before (operand_copy.h), which is little beside a product of some
// hundred rows and columns.
#include "cuda/gemm/operand_copy.h"
#include "cuda/gemm/run_wgmma.h"

namespace ph::cuda {

namespace {

// An operand with its memory along the depth, in rows of multiples of 16 bytes.
struct DepthFast {
  int64_t matrices, lines, depth, row;
  OperandCopy copy;

  DepthFast(const Shape& shape, int64_t lines_, int64_t depth_, bool depth_fast)
      : matrices(leading_axes(shape).size()), lines(lines_), depth(depth_), row(divide_up(depth_, 4) * 4) {
    if (depth_fast && row == depth) return;
    copy = {matrices, static_cast<int>(lines), static_cast<int>(depth), static_cast<int>(row), depth_fast};
  }

  WgmmaOperand operand(const View& view, const float* data, const Shape& axes) const {
    return {data, matrices * lines, depth, row, in_rows(matrix_strides(view.shape, axes), depth)};
  }
};

struct Operands {
  DepthFast a, b;

  Operands(const Shape& of_a, const Shape& of_b, const MatmulAttrs& attrs, const ProductSizes& s)
      : a(of_a, s.m, s.k, !attrs.transpose_a), b(of_b, s.n, s.k, attrs.transpose_b) {}
  size_t bytes() const { return a.copy.bytes() + b.copy.bytes(); }
};

}  // namespace

template <int... columns>
void WgmmaTf32Variant<columns...>::run(const KernelCall& call, const MatmulAttrs& attrs) {
  const View &a = call.in[0], &b = call.in[1];
  const ProductSizes s = matmul_sizes(a.shape, b.shape, attrs);
  if (s.m * s.n * s.batches == 0) return;
  const Operands operands(a.shape, b.shape, attrs, s);
  char* const workspace = static_cast<char*>(call.workspace);
  const OperandCopy a_copy = operands.a.copy.between(a.data, workspace);
  const OperandCopy b_copy = operands.b.copy.between(b.data, workspace + a_copy.bytes());
  copy_operands(a_copy, b_copy);
  const Shape axes = leading_axes(a.shape, b.shape);
  with_wgmma_tile<columns...>(s, [&]<class Tile>(Tile) {
    multiply_by_wgmma<Wgmma<float, true, true, Tile>, float, true, true>(
        operands.a.operand(a, a_copy.result(), axes), operands.b.operand(b, b_copy.result(), axes),
        matmul_output<float, float>(call, attrs, s), s, workspace + operands.bytes());
  });
}

template <int... columns>
size_t WgmmaTf32Variant<columns...>::workspace(SpecSpan in, const MatmulAttrs& attrs) {
  const ProductSizes s = matmul_sizes(in[0].shape, in[1].shape, attrs);
  const Operands operands(in[0].shape, in[1].shape, attrs, s);
  return operands.bytes() +
         with_wgmma_tile<columns...>(s, [&]<class Tile>(Tile) { return parts_bytes<Tile, float>(s); });
}

template struct WgmmaTf32Variant<256, 128, 64>;
template struct WgmmaTf32Variant<256>;
template struct WgmmaTf32Variant<128>;
template struct WgmmaTf32Variant<64>;

}  // namespace ph::cuda
