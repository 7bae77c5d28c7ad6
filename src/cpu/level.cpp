#include "cpu/level.h"

#include <algorithm>
#include <cstdlib>

#include "core/error.h"
#include "core/kernel.h"

namespace ph {

namespace {

bool processor_has(const std::string& level) {
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (level == "avx512") {
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
           __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("fma");
  }
  if (level == "avx2") return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
#endif
  return level == "baseline" || level.ends_with("_sim");
}

bool was_built(const std::string& level) { return find_kernels("add", level).size() > 0; }

std::string pick() {
  const auto levels = cpu_levels();
  PH_CHECK(!levels.empty(), "no CPU kernels for this processor were built");
  const char* asked = std::getenv("PRONGHORN_CPU");
  if (!asked || !*asked) return levels.front();
  std::string name = asked;
  if (name.ends_with(":sim")) name.replace(name.size() - 4, 4, "_sim");
  if (std::find(levels.begin(), levels.end(), name) != levels.end()) return name;
  std::string known;
  for (const auto& each : levels) known += (known.empty() ? "" : ", ") + each;
  PH_FAIL("PRONGHORN_CPU=", asked, ": this level was not built or cannot run here; levels here: ", known);
}

}  // namespace

std::vector<std::string> cpu_levels() {
  std::vector<std::string> levels;
  for (const char* level : {"avx512", "avx2", "baseline", "avx512_sim", "avx2_sim"}) {
    if (was_built(level) && processor_has(level)) levels.push_back(level);
  }
  return levels;
}

const std::string& cpu_level() {
  static const std::string level = pick();
  return level;
}

}  // namespace ph
