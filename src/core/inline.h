// PH_INLINE: always inlined, so that no shared copy of a helper is emitted from a file compiled for one instruction-set
// level and then picked by the linker for callers on a processor that lacks it. nvcc makes it for the device too.
#pragma once

#ifdef __CUDACC__
#define PH_INLINE __host__ __device__ __forceinline__
#else
#define PH_INLINE __attribute__((always_inline)) inline
#endif

// PH_INDEPENDENT: before a loop whose turns may run in any order, so that it is vectorized without checks for overlap.
#ifdef __clang__
#define PH_INDEPENDENT _Pragma("clang loop vectorize(assume_safety)")
#else
#define PH_INDEPENDENT _Pragma("GCC ivdep")
#endif
