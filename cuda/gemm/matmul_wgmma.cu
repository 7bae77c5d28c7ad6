// matmul of float16 and bfloat16 on Hopper's tensor cores.
#include "cuda/gemm/wgmma.h"

namespace ph::cuda {

namespace {

// All matrices of an operand, one below another.
template <class Stored>
ptx::TensorMap map_of(const View& operand, bool depth_fast, int lines) {
  const int64_t columns = operand.shape.back();
  return ptx::tensor_map(operand.as<const Stored>(), operand.size() / columns, columns, depth_fast ? lines : 64, 64,
                         ptx::Swizzle::bytes128);
}

Strides in_rows(Strides matrices, int64_t columns) {
  for (int d = 0; d < matrices.rank; ++d) matrices.stride[d] /= columns;
  return matrices;
}

template <class Stored, bool transpose_a, bool transpose_b>
void multiply_by_wgmma(const KernelCall& call, const MatmulAttrs& attrs, const ProductSizes& s) {
  using Loop = Wgmma<Stored, !transpose_a, transpose_b>;
  const View &a = call.in[0], &b = call.in[1];
  const Shape axes = leading_axes(a.shape, b.shape);
  const SplitPlan split = split_for<Loop>(s);
  const auto out = matmul_output<Stored, float>(call, attrs, s);
  store_or_add_parts(out, s, split, call.workspace, [&]<class Result>(const MatrixOutput<Result, float>& to) {
    using Output = MatrixOutput<Result, float>;
    launch_over_matrices(wgmma_kernel<Stored, !transpose_a, transpose_b, Output>,
                         WgmmaProduct<Stored, Output>{
                             map_of<Stored>(a, !transpose_a, Loop::rows), map_of<Stored>(b, transpose_b, Loop::columns),
                             to, in_rows(matrix_strides(a.shape, axes), a.shape.back()),
                             in_rows(matrix_strides(b.shape, axes), b.shape.back()), static_cast<int>(s.k),
                             TileGrid::of<Loop>(s), split, 0, s.batches},
                         Loop::threads, Loop::shared_bytes);
  });
}

template <class Stored>
void run_typed(const KernelCall& call, const MatmulAttrs& attrs, const ProductSizes& s) {
  if (attrs.transpose_a) {
    return attrs.transpose_b ? multiply_by_wgmma<Stored, true, true>(call, attrs, s)
                             : multiply_by_wgmma<Stored, true, false>(call, attrs, s);
  }
  attrs.transpose_b ? multiply_by_wgmma<Stored, false, true>(call, attrs, s)
                    : multiply_by_wgmma<Stored, false, false>(call, attrs, s);
}

}  // namespace

void WgmmaVariant::run(const KernelCall& call, const MatmulAttrs& attrs) {
  const ProductSizes s = matmul_sizes(call.in[0].shape, call.in[1].shape, attrs);
  if (s.m * s.n * s.batches == 0) return;
  if (call.out[0].dtype == DType::float16) return run_typed<Float16>(call, attrs, s);
  run_typed<BFloat16>(call, attrs, s);
}

size_t WgmmaVariant::workspace(SpecSpan in, const MatmulAttrs& attrs) {
  return parts_bytes<Wgmma<BFloat16, true, true>, float>(matmul_sizes(in[0].shape, in[1].shape, attrs));
}

}  // namespace ph::cuda
