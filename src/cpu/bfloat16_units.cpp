#include "cpu/bfloat16_units.h"

#if defined(__x86_64__)
#include <cpuid.h>
#endif
#if defined(__x86_64__) && defined(__linux__)
#include <sys/syscall.h>
#include <unistd.h>
#endif

#include "cpu/level.h"

namespace ph {

// Linux gives a process the larger register state only if it asks (arch_prctl(2), ARCH_REQ_XCOMP_PERM).
static bool request_tiles() {
#if defined(__x86_64__) && defined(__linux__)
  unsigned a = 0, b = 0, c = 0, d = 0;
  constexpr unsigned bfloat16 = 1u << 22, tiles = 1u << 24;
  if (!__get_cpuid_count(7, 0, &a, &b, &c, &d) || !(d & bfloat16) || !(d & tiles)) return false;
  constexpr long request_permission = 0x1023, tile_data = 18;
  return syscall(SYS_arch_prctl, request_permission, tile_data) == 0;
#else
  return false;
#endif
}

static bool processor_has_dots() {
#if defined(__x86_64__)
  unsigned a = 0, b = 0, c = 0, d = 0;
  constexpr unsigned dots = 1u << 5;
  return __get_cpuid_count(7, 1, &a, &b, &c, &d) && (a & dots);
#else
  return false;
#endif
}

bool has_amx() {
  static const bool granted = cpu_level() == "avx512_sim" || (cpu_level() == "avx512" && request_tiles());
  return granted;
}

bool has_bfloat16_dots() {
  static const bool had = cpu_level() == "avx512_sim" || (cpu_level() == "avx512" && processor_has_dots());
  return had;
}

}  // namespace ph
