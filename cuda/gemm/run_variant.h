// How a variant of matmul chooses its tiles and runs. Included by the files that make variants.
#pragma once
#include "cuda/gemm/matrices.h"
#include "cuda/gemm/variants.h"

namespace ph::cuda {

template <class Stored, class Sum, class... TilesInOrder>
void Variant<Stored, Sum, TilesInOrder...>::run(const KernelCall& call, const MatmulAttrs& attrs) {
  const ProductSizes s = matmul_sizes(call.in[0].shape, call.in[1].shape, attrs);
  if (s.m * s.n * s.batches == 0) return;
  with_fitting<TilesInOrder...>(s, [&](auto tiles) {
    multiply_matrices<typename decltype(tiles)::Loop, typename decltype(tiles)::Ragged, Stored, Sum>(call, attrs, s);
  });
}

template <class Stored, class Sum, class... TilesInOrder>
size_t Variant<Stored, Sum, TilesInOrder...>::workspace(SpecSpan in, const MatmulAttrs& attrs) {
  const ProductSizes s = matmul_sizes(in[0].shape, in[1].shape, attrs);
  return with_fitting<TilesInOrder...>(s,
                                       [&](auto tiles) { return parts_bytes<typename decltype(tiles)::Loop, Sum>(s); });
}

}  // namespace ph::cuda
