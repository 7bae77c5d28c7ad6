// Whether this process may use AMX's tiles.
#pragma once

namespace ph {

// True where the processor has AMX with bfloat16 and the system grants the memory for its tiles, which is asked for at
// the first call; and at the portable level avx512_sim.
bool has_amx();

}  // namespace ph
