// Boxes of a tensor that the copy engine brings to shared memory, one thread asking (TMA).
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

// An axis of a tensor in memory and of the box that one copy brings: `box` elements, every `step`th.
struct TensorAxis {
  int64_t size, stride;  // in elements
  int box, step = 1;
};
// tf32: float is rounded on the way, ties to even.
enum class Rounding { none, tf32 };

// Host: describes a tensor of float, Float16 or BFloat16, its slowest axis first; elements of the last one lie side by
// side. A kernel takes it as `const __grid_constant__ TensorMap`.
template <class T, int rank>
TensorMap tensor_map(const T* tensor, const TensorAxis (&axes)[rank], Swizzle swizzle,
                     Rounding rounding = Rounding::none) {
  static_assert(rank >= 2 && rank <= 4);
  const TensorAxis& last = axes[rank - 1];
  const int64_t box_bytes = last.box * int64_t{sizeof(T)};
  const auto pattern = static_cast<int64_t>(swizzle);
  PH_CHECK(reinterpret_cast<uintptr_t>(tensor) % 16 == 0,
           "tensor_map: the tensor does not begin at a multiple of 16 bytes");
  PH_CHECK(last.stride == 1 && last.step == 1, "tensor_map: the last axis has gaps");
  PH_CHECK(pattern ? box_bytes == pattern : box_bytes % 16 == 0, "tensor_map: a box's rows have ", box_bytes,
           " bytes, wanted ", pattern ? "the swizzle's width" : "a multiple of 16");
  for (int d = 0; d < rank; ++d) {
    const TensorAxis& axis = axes[d];
    const int64_t bytes = axis.stride * static_cast<int64_t>(sizeof(T)), reach = (axis.box - 1) * axis.step + 1;
    PH_CHECK(axis.size > 0, "tensor_map: axis ", d, " has no elements");
    PH_CHECK(d == rank - 1 || bytes % 16 == 0, "tensor_map: rows of ", bytes, " bytes, wanted a multiple of 16");
    PH_CHECK(axis.step >= 1 && axis.step <= 8, "tensor_map: a step of ", axis.step, ", wanted 1 to 8");
    PH_CHECK(reach >= 1 && reach <= 256, "tensor_map: a box of ", reach, " along axis ", d, ", wanted 1 to 256");
  }
#if defined(PH_SIM)
  sim::Tile tile{reinterpret_cast<const char*>(tensor),
                 rank,
                 {},
                 int{sizeof(T)},
                 static_cast<int>(swizzle),
                 rounding == Rounding::tf32};
  for (int d = 0; d < rank; ++d) {
    tile.axes[d] = {axes[d].size, axes[d].stride * int64_t{sizeof(T)}, axes[d].box, axes[d].step};
  }
  return tile;
#else
  void* found = nullptr;
  cudaDriverEntryPointQueryResult status;
  const bool is_there = cudaGetDriverEntryPointByVersion("cuTensorMapEncodeTiled", &found, 12000, cudaEnableDefault,
                                                         &status) == cudaSuccess;
  PH_CHECK(is_there && found, "tensor_map: the driver has no cuTensorMapEncodeTiled");
  TensorMap map;
  cuuint64_t size[rank], stride[rank];
  cuuint32_t box[rank], step[rank];
  for (int i = 0; i < rank; ++i) {  // the driver counts from the fastest axis
    const TensorAxis& axis = axes[rank - 1 - i];
    size[i] = static_cast<cuuint64_t>(axis.size), stride[i] = static_cast<cuuint64_t>(axis.stride) * sizeof(T);
    box[i] = static_cast<cuuint32_t>((axis.box - 1) * axis.step + 1), step[i] = static_cast<cuuint32_t>(axis.step);
  }
  const auto type = rounding == Rounding::tf32 ? CU_TENSOR_MAP_DATA_TYPE_TFLOAT32 : tensor_map_type(tensor);
  const CUresult result = reinterpret_cast<decltype(&cuTensorMapEncodeTiled)>(found)(
      &map, type, rank, const_cast<T*>(tensor), size, stride + 1, box, step, CU_TENSOR_MAP_INTERLEAVE_NONE,
      tensor_map_swizzle(swizzle), CU_TENSOR_MAP_L2_PROMOTION_L2_128B, CU_TENSOR_MAP_FLOAT_OOB_FILL_NONE);
  PH_CHECK(result == CUDA_SUCCESS, "tensor_map: cuTensorMapEncodeTiled failed with ", static_cast<int>(result));
  return map;
#endif
}

// Of a matrix stored row by row.
template <class T>
TensorMap tensor_map(const T* matrix, int64_t rows, int64_t columns, int box_rows, int box_columns, Swizzle swizzle,
                     Rounding rounding = Rounding::none) {
  return tensor_map(matrix, {{rows, columns, box_rows}, {columns, 1, box_columns}}, swizzle, rounding);
}

// One thread: brings the box at `corner` to dynamic shared memory, zeros where it leaves the tensor, and gives its
// bytes to the barrier. The box lies there row by row, packed. It begins at a multiple of 8 rows of the swizzle,
// without one at a multiple of 128 bytes. Places may lie before the tensor, but the last one is a multiple of 16 bytes:
// hardware calls others an illegal instruction.
template <int rank>
__device__ inline void copy_box(void* to, const TensorMap& map, const int (&corner)[rank], Mbarrier* barrier) {
#if defined(PH_SIM)
  sim::TileCopy copy{map, {}, static_cast<char*>(to), &barrier->bits};
  for (int d = 0; d < rank; ++d) copy.corner[d] = corner[d];
  sim::start_tile_copy(copy);
#elif PH_ARCH >= 900
  if constexpr (rank == 2) {
    asm volatile(
        "cp.async.bulk.tensor.2d.shared::cluster.global.tile.mbarrier::complete_tx::bytes [%0], [%1, {%3, %4}], "
        "[%2];" ::"r"(shared_address(to)),
        "l"(&map), "r"(shared_address(barrier)), "r"(corner[1]), "r"(corner[0])
        : "memory");
  } else if constexpr (rank == 3) {
    asm volatile(
        "cp.async.bulk.tensor.3d.shared::cluster.global.tile.mbarrier::complete_tx::bytes [%0], [%1, {%3, %4, %5}], "
        "[%2];" ::"r"(shared_address(to)),
        "l"(&map), "r"(shared_address(barrier)), "r"(corner[2]), "r"(corner[1]), "r"(corner[0])
        : "memory");
  } else {
    static_assert(rank == 4);
    asm volatile(
        "cp.async.bulk.tensor.4d.shared::cluster.global.tile.mbarrier::complete_tx::bytes [%0], [%1, {%3, %4, %5, "
        "%6}], [%2];" ::"r"(shared_address(to)),
        "l"(&map), "r"(shared_address(barrier)), "r"(corner[3]), "r"(corner[2]), "r"(corner[1]), "r"(corner[0])
        : "memory");
  }
#else
  __trap();
#endif
}
__device__ inline void copy_tile(void* to, const TensorMap& map, int row, int column, Mbarrier* barrier) {
  copy_box(to, map, {row, column}, barrier);
}

}  // namespace ph::ptx
