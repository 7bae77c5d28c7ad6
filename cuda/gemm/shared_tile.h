// Where a tile's elements lie in shared memory, for main loops that multiply by mma. cp.async and ldmatrix move pieces
// of 16 bytes; no two of the lanes that are served together want the same bank: neither the 8 that write neighbouring
// pieces, nor the 8 rows of a matrix that ldmatrix reads, nor the 32 elements of a fragment that lanes read one by one.
// Rows along the depth are 64 bytes, half as wide as all banks, and their pieces are moved about (exclusive or with the
// row's number); rows along the lines are padded. tests/cuda/test_shared_tiles.py counts.
#pragma once
#include "cuda/gpu.h"

namespace ph::cuda {

// `lines` x `depth` elements of `size` bytes (4 or 2), in rows along the depth where memory has them so.
template <int size, int lines, int depth, bool depth_fast>
struct SharedTile {
  static constexpr int piece = 16 / size;
  // From a row along the lines to the next: 4 rows of 8 elements of 4 bytes, or 8 rows of a piece, fall on all banks.
  static constexpr int stride = lines + (size == 4 ? 8 : piece);
  static constexpr int elements = depth_fast ? lines * depth : stride * depth;
  static_assert((size == 2 || size == 4) && (depth_fast ? depth * size == 64 : lines * size % 128 == 0));

  // Of element (line, place), in elements.
  __host__ __device__ static constexpr int offset(int line, int place) {
    if constexpr (depth_fast) {
      return line * depth + ((place / piece) ^ (line / 2 % 4)) * piece + place % piece;
    } else {
      return place * stride + line;
    }
  }

  // What a lane hands to ldmatrix (transposed where memory runs along the lines) for the fragment of A at (line,
  // place): four squares of 8 lines by 16 bytes of depth, the lines below second, the depth beside third.
  __host__ __device__ static constexpr int a_row(int lane, int line, int place) {
    if constexpr (depth_fast) return offset(line + lane % 16, place + lane / 16 * piece);
    return offset(line + lane / 8 % 2 * 8, place + lane % 8 + lane / 16 * 8);
  }
  // The same for two of B's fragments side by side: of each two squares, the depth below second.
  __host__ __device__ static constexpr int b_row(int lane, int line, int place) {
    if constexpr (depth_fast) return offset(line + lane % 8 + lane / 16 * 8, place + lane / 8 % 2 * piece);
    return offset(line + lane / 16 * 8, place + lane % 16);
  }

  // Elements of 4 bytes whose memory runs along the lines: a lane's element of square r.
  __host__ __device__ static constexpr int a_element(int lane, int r, int line, int place) {
    return offset(line + lane / 4 + r % 2 * 8, place + lane % 4 + r / 2 * 4);
  }
  __host__ __device__ static constexpr int b_element(int lane, int r, int line, int place) {
    return offset(line + lane / 4 + r / 2 * 8, place + lane % 4 + r % 2 * 4);
  }
};

}  // namespace ph::cuda
