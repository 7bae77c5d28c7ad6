// PH_INLINE: always inlined, so that no shared copy of a helper is emitted from a file compiled for one instruction-set
// level and then picked by the linker for callers on a processor that lacks it.
#pragma once

#define PH_INLINE __attribute__((always_inline)) inline

// PH_INDEPENDENT: before a loop whose turns may run in any order, so that it is vectorized without checks for overlap.
#ifdef __clang__
#define PH_INDEPENDENT _Pragma("clang loop vectorize(assume_safety)")
#else
#define PH_INDEPENDENT _Pragma("GCC ivdep")
#endif
