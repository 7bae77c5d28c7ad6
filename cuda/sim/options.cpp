#include "cuda/sim/options.h"

#include <algorithm>
#include <cstdlib>
#include <stdexcept>
#include <string>

namespace ph::sim {

// A misspelt mode must not pass for a tested one.
[[noreturn]] static void refuse(const char* name, const std::string& value, const char* wanted) {
  throw std::invalid_argument(std::string(name) + "=" + value + ": wanted " + wanted);
}

static bool late(const char* name) {
  const char* given = std::getenv(name);
  const std::string value = given ? given : "eager";
  if (value != "eager" && value != "late") refuse(name, value, "eager or late");
  return value == "late";
}

static Options read() {
  Options o;
  if (const char* given = std::getenv("PRONGHORN_SIM_ORDER")) {
    const std::string value = given, random = "random:";
    if (value == "reverse") {
      o.order = Order::reverse;
    } else if (value.starts_with(random)) {
      o.order = Order::random;
      o.seed = static_cast<unsigned>(std::atoi(value.c_str() + random.size()));
    } else if (value != "forward") {
      refuse("PRONGHORN_SIM_ORDER", value, "forward, reverse or random:SEED");
    }
  }
  o.late_copies = late("PRONGHORN_SIM_ASYNC");
  o.late_streams = late("PRONGHORN_SIM_STREAM");
  if (const char* given = std::getenv("PRONGHORN_SIM_THREADS")) {
    o.threads = static_cast<unsigned>(std::max(1, std::atoi(given)));
  }
  if (const char* given = std::getenv("PRONGHORN_SIM_CAPABILITY")) {
    o.capability = std::atoi(given);
    if (o.capability < 10) refuse("PRONGHORN_SIM_CAPABILITY", given, "a compute capability times ten, such as 90");
  }
  if (const char* given = std::getenv("PRONGHORN_SIM_MEMORY")) {
    o.memory = static_cast<size_t>(std::atoll(given)) << 20;
    if (o.memory == 0) refuse("PRONGHORN_SIM_MEMORY", given, "the device's memory in MiB");
  }
  return o;
}

const Options& options() {
  static const Options chosen = read();
  return chosen;
}

}  // namespace ph::sim
