#include "core/kernel.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <string_view>

#include "core/error.h"

namespace ph {

using KernelTable = std::map<std::pair<std::string, std::string>, KernelList>;

static KernelTable& table() {
  static KernelTable kernels;
  return kernels;
}

KernelRegistrar::KernelRegistrar(const char* op, const char* kernel_set, const Kernel* kernels, int count) {
  table()[{kernel_set, op}] = {kernels, count};
}

KernelList find_kernels(const char* op, const std::string& kernel_set) {
  const auto found = table().find({kernel_set, op});
  return found == table().end() ? KernelList{} : found->second;
}

// The variant forced for this op through PRONGHORN_KERNEL, read at each call so that tests may change it.
static std::string_view forced_variant(std::string_view op) {
  const char* setting = std::getenv("PRONGHORN_KERNEL");
  if (!setting) return {};
  std::string_view rest(setting);
  while (!rest.empty()) {
    const size_t comma = rest.find(',');
    const std::string_view item = rest.substr(0, comma);
    if (item.size() > op.size() && item.substr(0, op.size()) == op && item[op.size()] == ':') {
      return item.substr(op.size() + 1);
    }
    rest = comma == std::string_view::npos ? std::string_view() : rest.substr(comma + 1);
  }
  return {};
}

static bool verbose() {
  const char* setting = std::getenv("PRONGHORN_VERBOSE");
  return setting && std::strstr(setting, "kernels");
}

const Kernel& choose_kernel(const char* op, KernelList kernels, SpecSpan inputs, const void* attributes) {
  const std::string_view forced = forced_variant(op);
  const bool explain = verbose();
  std::string refusals;
  for (const Kernel& kernel : kernels) {
    const char* reason = kernel.accepts ? kernel.accepts(inputs, attributes) : nullptr;
    if (!reason && !forced.empty() && forced != kernel.variant) reason = "another variant is forced";
    if (!reason) {
      if (explain) std::fprintf(stderr, "pronghorn: %s:%s%s\n", op, kernel.variant, refusals.c_str());
      return kernel;
    }
    refusals += std::string("; ") + kernel.variant + " refused: " + reason;
  }
  std::string specs;
  for (const Spec& spec : inputs) specs += (specs.empty() ? "" : ", ") + concat(spec);
  PH_FAIL(op, ": no kernel takes inputs ", specs, refusals);
}

}  // namespace ph
