// Tiles of a matrix that the copy engine brings to shared memory, one thread asking (TMA).
#pragma once
#include "core/error.h"
#include "core/half.h"
#include "cuda/ptx/barrier.h"
#if !defined(PH_SIM)
#include <cuda.h>
#endif

namespace ph::ptx {

// How 16-byte pieces of a tile are moved about within each 8 rows, against bank conflicts; a tile's row is as wide as
// the pattern.
enum class Swizzle { none = 0, bytes32 = 32, bytes64 = 64, bytes128 = 128 };

#if defined(PH_SIM)
using TensorMap = sim::Tile;
#else
using TensorMap = CUtensorMap;
inline CUtensorMapDataType tensor_map_type(const float*) { return CU_TENSOR_MAP_DATA_TYPE_FLOAT32; }
inline CUtensorMapDataType tensor_map_type(const Float16*) { return CU_TENSOR_MAP_DATA_TYPE_FLOAT16; }
inline CUtensorMapDataType tensor_map_type(const BFloat16*) { return CU_TENSOR_MAP_DATA_TYPE_BFLOAT16; }
inline CUtensorMapSwizzle tensor_map_swizzle(Swizzle swizzle) {
  switch (swizzle) {
    case Swizzle::bytes32:
      return CU_TENSOR_MAP_SWIZZLE_32B;
    case Swizzle::bytes64:
      return CU_TENSOR_MAP_SWIZZLE_64B;
    case Swizzle::bytes128:
      return CU_TENSOR_MAP_SWIZZLE_128B;
    default:
      return CU_TENSOR_MAP_SWIZZLE_NONE;
  }
}
#endif

// Host: describes a matrix stored row by row (float, Float16 or BFloat16) and the box of it that one copy brings. A
// kernel takes it as `const __grid_constant__ TensorMap`.
template <class T>
TensorMap tensor_map(const T* matrix, int64_t rows, int64_t columns, int box_rows, int box_columns, Swizzle swizzle) {
  const int64_t row_bytes = columns * static_cast<int64_t>(sizeof(T)), box_bytes = box_columns * int64_t{sizeof(T)};
  const auto pattern = static_cast<int64_t>(swizzle);
  PH_CHECK(reinterpret_cast<uintptr_t>(matrix) % 16 == 0,
           "tensor_map: the matrix does not begin at a multiple of 16 bytes");
  PH_CHECK(rows > 0 && columns > 0 && row_bytes % 16 == 0, "tensor_map: rows of ", row_bytes,
           " bytes, wanted a multiple of 16");
  PH_CHECK(box_rows > 0 && box_rows <= 256 && box_columns > 0 && box_columns <= 256, "tensor_map: a box of ", box_rows,
           " x ", box_columns, ", wanted 1 to 256");
  PH_CHECK(pattern ? box_bytes == pattern : box_bytes % 16 == 0, "tensor_map: a box's rows have ", box_bytes,
           " bytes, wanted ", pattern ? "the swizzle's width" : "a multiple of 16");
#if defined(PH_SIM)
  return {reinterpret_cast<const char*>(matrix),
          rows,
          columns,
          row_bytes,
          int{sizeof(T)},
          box_rows,
          box_columns,
          static_cast<int>(swizzle)};
#else
  void* found = nullptr;
  cudaDriverEntryPointQueryResult status;
  const bool is_there = cudaGetDriverEntryPointByVersion("cuTensorMapEncodeTiled", &found, 12000, cudaEnableDefault,
                                                         &status) == cudaSuccess;
  PH_CHECK(is_there && found, "tensor_map: the driver has no cuTensorMapEncodeTiled");
  TensorMap map;
  const cuuint64_t size[2] = {static_cast<cuuint64_t>(columns), static_cast<cuuint64_t>(rows)};
  const cuuint64_t stride[1] = {static_cast<cuuint64_t>(row_bytes)};
  const cuuint32_t box[2] = {static_cast<cuuint32_t>(box_columns), static_cast<cuuint32_t>(box_rows)}, step[2] = {1, 1};
  const CUresult result = reinterpret_cast<decltype(&cuTensorMapEncodeTiled)>(found)(
      &map, tensor_map_type(matrix), 2, const_cast<T*>(matrix), size, stride, box, step, CU_TENSOR_MAP_INTERLEAVE_NONE,
      tensor_map_swizzle(swizzle), CU_TENSOR_MAP_L2_PROMOTION_L2_128B, CU_TENSOR_MAP_FLOAT_OOB_FILL_NONE);
  PH_CHECK(result == CUDA_SUCCESS, "tensor_map: cuTensorMapEncodeTiled failed with ", static_cast<int>(result));
  return map;
#endif
}

// One thread: brings the box at (row, column) to dynamic shared memory, zeros where it leaves the matrix, and gives its
// bytes to the barrier. The tile begins at a multiple of 8 rows of the swizzle, without one at a multiple of 128 bytes.
// `column` may lie before the matrix, but is a multiple of 16 bytes: hardware calls others an illegal instruction.
__device__ inline void copy_tile(void* to, const TensorMap& map, int row, int column, Mbarrier* barrier) {
#if defined(PH_SIM)
  sim::start_tile_copy({map, row, column, static_cast<char*>(to), &barrier->bits});
#elif PH_ARCH >= 900
  asm volatile(
      "cp.async.bulk.tensor.2d.shared::cluster.global.tile.mbarrier::complete_tx::bytes [%0], [%1, {%3, %4}], "
      "[%2];" ::"r"(shared_address(to)),
      "l"(&map), "r"(shared_address(barrier)), "r"(column), "r"(row)
      : "memory");
#else
  __trap();
#endif
}

}  // namespace ph::ptx
