// PH_INLINE: always inlined, so that no shared copy of a helper is emitted from a file compiled for one instruction-set
// level and then picked by the linker for callers on a processor that lacks it.
#pragma once

#define PH_INLINE __attribute__((always_inline)) inline
