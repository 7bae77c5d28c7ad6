// matmul of float16 and bfloat16 on Hopper's tensor cores.
#include "cuda/gemm/run_wgmma.h"

namespace ph::cuda {

namespace {

template <class Stored, bool transpose_a, bool transpose_b, class Tile>
void run_laid_out(const KernelCall& call, const MatmulAttrs& attrs, const ProductSizes& s) {
  const View &a = call.in[0], &b = call.in[1];
  const Shape axes = leading_axes(a.shape, b.shape);
  const auto operand = [&](const View& view) {
    const int64_t columns = view.shape.back();
    return WgmmaOperand{view.data, view.size() / columns, columns, columns,
                        in_rows(matrix_strides(view.shape, axes), columns)};
  };
  using Loop = Wgmma<Stored, !transpose_a, transpose_b, Tile>;
  multiply_by_wgmma<Loop, Stored, !transpose_a, transpose_b>(
      operand(a), operand(b), matmul_output<Stored, float>(call, attrs, s), s, call.workspace);
}

template <class Stored, class Tile>
void run_typed(const KernelCall& call, const MatmulAttrs& attrs, const ProductSizes& s) {
  if (attrs.transpose_a) {
    return attrs.transpose_b ? run_laid_out<Stored, true, true, Tile>(call, attrs, s)
                             : run_laid_out<Stored, true, false, Tile>(call, attrs, s);
  }
  attrs.transpose_b ? run_laid_out<Stored, false, true, Tile>(call, attrs, s)
                    : run_laid_out<Stored, false, false, Tile>(call, attrs, s);
}

}  // namespace

template <int... columns>
void WgmmaVariant<columns...>::run(const KernelCall& call, const MatmulAttrs& attrs) {
  const ProductSizes s = matmul_sizes(call.in[0].shape, call.in[1].shape, attrs);
  if (s.m * s.n * s.batches == 0) return;
  with_wgmma_tile<columns...>(s, [&]<class Tile>(Tile) {
    if (call.out[0].dtype == DType::float16) return run_typed<Float16, Tile>(call, attrs, s);
    run_typed<BFloat16, Tile>(call, attrs, s);
  });
}

template <int... columns>
size_t WgmmaVariant<columns...>::workspace(SpecSpan in, const MatmulAttrs& attrs) {
  const ProductSizes s = matmul_sizes(in[0].shape, in[1].shape, attrs);
  return with_wgmma_tile<columns...>(s, [&]<class Tile>(Tile) { return parts_bytes<Tile, float>(s); });
}

template struct WgmmaVariant<256, 128, 64>;
template struct WgmmaVariant<256>;
template struct WgmmaVariant<128>;
template struct WgmmaVariant<64>;

}  // namespace ph::cuda
