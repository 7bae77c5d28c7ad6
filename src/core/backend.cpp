#include "core/backend.h"

#include <cstdlib>
#include <cstring>

#include "core/device_library.h"
#include "core/error.h"

namespace ph {

namespace {

struct Registry {
  std::vector<std::unique_ptr<Backend>> backends;
  std::vector<std::unique_ptr<Device>> devices;
};

// Never destroyed: tensors may outlive static destruction at interpreter exit.
Registry& registry() {
  static Registry* all = new Registry;
  return *all;
}

thread_local const Device* scoped_device = nullptr;

}  // namespace

void register_device(const std::string& name, std::unique_ptr<Backend> backend) {
  auto& all = registry();
  all.devices.push_back(std::make_unique<Device>(Device{name, backend.get()}));
  all.backends.push_back(std::move(backend));
}

static const Device* registered_device(const std::string& name) {
  for (const auto& device : registry().devices) {
    if (device->name == name) return device.get();
  }
  return nullptr;
}

std::vector<std::string> device_names() {
  open_gpu_library();
  std::vector<std::string> names;
  for (const auto& device : registry().devices) names.push_back(device->name);
  return names;
}

const Device* find_device(const std::string& name) {
  const std::string full = name.find(':') == std::string::npos ? name + ":0" : name;
  if (full == "gpu:sim") open_simulator();
  const bool wants_gpu = full.rfind("gpu:", 0) == 0;
  const std::string reason = wants_gpu ? open_gpu_library() : "";
  if (const Device* device = registered_device(full)) return device;
  std::string known;
  for (const auto& each : device_names()) known += (known.empty() ? "" : ", ") + each;
  PH_FAIL("there is no device '", name, "'; devices here: ", known,
          reason.empty() ? "" : "; no GPU can be used: ", reason);
}

const Device* default_device() {
  static const Device* device = [] {
    const char* asked = std::getenv("PRONGHORN_DEVICE");
    if (asked && *asked) return find_device(asked);
    open_gpu_library();
    const Device* gpu = registered_device("gpu:0");
    return gpu ? gpu : find_device("cpu:0");
  }();
  return device;
}

const Device* current_device() { return scoped_device ? scoped_device : default_device(); }

void gather_host_rows(void* to, const void* from, const int64_t* indices, int64_t count, size_t row_bytes) {
  char* row = static_cast<char*>(to);
  const char* rows = static_cast<const char*>(from);
  bool neighbours = true;
  for (int64_t i = 1; i < count && neighbours; ++i) neighbours = indices[i] == indices[0] + i;
  if (neighbours && count > 0) {
    std::memcpy(row, rows + static_cast<size_t>(indices[0]) * row_bytes, row_bytes * static_cast<size_t>(count));
    return;
  }
  for (int64_t i = 0; i < count; ++i, row += row_bytes) {
    std::memcpy(row, rows + static_cast<size_t>(indices[i]) * row_bytes, row_bytes);
  }
}

DeviceScope::DeviceScope(const Device* device) : previous_(scoped_device) { scoped_device = device; }
DeviceScope::~DeviceScope() { scoped_device = previous_; }

}  // namespace ph
