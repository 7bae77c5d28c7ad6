// The processor's units for products of bfloat16 numbers, both of which the portable level avx512_sim has.
#pragma once

namespace ph {

// AMX's tiles: true where the processor has them for bfloat16 and the system grants this process the memory for them,
// which is asked for at the first call.
bool has_amx();

// AVX-512's dot products of pairs (AVX512_BF16).
bool has_bfloat16_dots();

}  // namespace ph
