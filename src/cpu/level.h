// Instruction-set levels of the CPU kernels.
#pragma once
#include <string>
#include <vector>

namespace ph {

// The level in use: PRONGHORN_CPU if it is set ("avx2", "avx512:sim", ...), else the best this processor has. Throws
// when the one asked for was not built or cannot run here. Read once.
const std::string& cpu_level();

// The levels that were built and can run here, best first; "_sim" ones last.
std::vector<std::string> cpu_levels();

}  // namespace ph
