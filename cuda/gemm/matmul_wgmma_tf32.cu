// matmul of float32 on Hopper's tensor cores, rounded to TF32. A kernel before rounds and, where memory runs along the
// lines, turns the operands (rounded_copy.h): their copies are read and written once, which is little beside a product
// of some hundred rows and columns.
#include "cuda/gemm/rounded_copy.h"
#include "cuda/gemm/run_wgmma.h"

namespace ph::cuda {

namespace {

struct Copies {
  int64_t row, a_matrices, b_matrices;  // elements of a row
  size_t a_bytes, b_bytes;

  Copies(const Shape& a, const Shape& b, const ProductSizes& s)
      : row(divide_up(s.k, 4) * 4),
        a_matrices(leading_axes(a).size()),
        b_matrices(leading_axes(b).size()),
        a_bytes(bytes_of(a_matrices * s.m)),
        b_bytes(bytes_of(b_matrices * s.n)) {}

 private:
  size_t bytes_of(int64_t rows) const { return static_cast<size_t>(divide_up(rows * row, 64) * 64) * sizeof(float); }
};

}  // namespace

template <int... columns>
void WgmmaTf32Variant<columns...>::run(const KernelCall& call, const MatmulAttrs& attrs) {
  const View &a = call.in[0], &b = call.in[1];
  const ProductSizes s = matmul_sizes(a.shape, b.shape, attrs);
  if (s.m * s.n * s.batches == 0) return;
  const Copies copies(a.shape, b.shape, s);
  const int m = static_cast<int>(s.m), n = static_cast<int>(s.n), k = static_cast<int>(s.k);
  const int row = static_cast<int>(copies.row);
  char* const memory = static_cast<char*>(call.workspace);
  float *const a_copy = reinterpret_cast<float*>(memory), *const b_copy =
                                                              reinterpret_cast<float*>(memory + copies.a_bytes);
  round_operands({a.as<const float>(), a_copy, m, k, row, !attrs.transpose_a, copies.a_matrices},
                 {b.as<const float>(), b_copy, n, k, row, attrs.transpose_b, copies.b_matrices});
  const Shape axes = leading_axes(a.shape, b.shape);
  with_wgmma_tile<columns...>(s, [&]<class Tile>(Tile) {
    multiply_by_wgmma<Wgmma<float, true, true, Tile::columns>, float, true, true>(
        {a_copy, copies.a_matrices * s.m, copies.row, in_rows(matrix_strides(a.shape, axes), s.k)},
        {b_copy, copies.b_matrices * s.n, copies.row, in_rows(matrix_strides(b.shape, axes), s.k)},
        matmul_output<float, float>(call, attrs, s), s, memory + copies.a_bytes + copies.b_bytes);
  });
}

template <int... columns>
size_t WgmmaTf32Variant<columns...>::workspace(SpecSpan in, const MatmulAttrs& attrs) {
  const ProductSizes s = matmul_sizes(in[0].shape, in[1].shape, attrs);
  const Copies copies(in[0].shape, in[1].shape, s);
  return with_wgmma_tile<columns...>(
      s, [&]<class Tile>(Tile) { return copies.a_bytes + copies.b_bytes + parts_bytes<Tile, float>(s); });
}

template struct WgmmaTf32Variant<256, 128, 64>;
template struct WgmmaTf32Variant<256>;
template struct WgmmaTf32Variant<128>;
template struct WgmmaTf32Variant<64>;

}  // namespace ph::cuda
