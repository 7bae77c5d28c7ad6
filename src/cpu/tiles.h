// The tile interpreter's functions: one pass of one op over a tile that lies in the L1 cache.
#pragma once
#include "ops/tiles.h"

namespace ph::PH_LEVEL {

constexpr int64_t tile_size = 512;  // elements

// y[i] = op(a[i], b[i], c[i]); y may be a, b or c. Operands beyond the op's arity are ignored.
template <class T>
using TileFunction = void (*)(T* y, const T* a, const T* b, const T* c, int64_t n);

// nullptr where the op does not exist for T.
template <class T>
TileFunction<T> tile_function(int code);

// Runs a chain over all elements of the outputs, inputs broadcast to them.
void run_tiles(const TileProgram& program, const KernelCall& call);

}  // namespace ph::PH_LEVEL
