// How a variant of matmul chooses its tiles and runs. Included by the files that make variants.
#pragma once
#include "cuda/gemm/matrices.h"
#include "cuda/gemm/variants.h"

namespace ph::cuda {

// Whether the product has enough of these tiles to fill a device, the depth being split, and they are not half empty.
template <class Loop>
bool fits(const MatmulSizes& s) {
  constexpr int64_t enough_blocks = 96;
  const int64_t tiles = s.tiles(Loop::rows, Loop::columns);
  return s.m > Loop::rows / 2 && s.n > Loop::columns / 2 && tiles * plan_split(tiles, s.k).parts >= enough_blocks;
}

// body(tiles) with the first that fit, else the last.
template <class First, class... Others, class Body>
auto with_fitting(const MatmulSizes& s, Body&& body) {
  if constexpr (sizeof...(Others) > 0) {
    if (!fits<typename First::Loop>(s)) return with_fitting<Others...>(s, body);
  }
  return body(First());
}

template <class Stored, class Sum, class... TilesInOrder>
void Variant<Stored, Sum, TilesInOrder...>::run(const KernelCall& call, const MatmulAttrs& attrs) {
  const MatmulSizes s = matmul_sizes(call.in[0].shape, call.in[1].shape, attrs);
  if (s.m * s.n * s.batches == 0) return;
  with_fitting<TilesInOrder...>(s, [&](auto tiles) {
    multiply_matrices<typename decltype(tiles)::Loop, typename decltype(tiles)::Ragged, Stored, Sum>(call, attrs, s);
  });
}

template <class Stored, class Sum, class... TilesInOrder>
size_t Variant<Stored, Sum, TilesInOrder...>::workspace(SpecSpan in, const MatmulAttrs& attrs) {
  const MatmulSizes s = matmul_sizes(in[0].shape, in[1].shape, attrs);
  return with_fitting<TilesInOrder...>(s,
                                       [&](auto tiles) { return parts_bytes<typename decltype(tiles)::Loop, Sum>(s); });
}

}  // namespace ph::cuda
