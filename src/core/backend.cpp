#include "core/backend.h"

#include <algorithm>

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

std::vector<std::string> device_names() {
  std::vector<std::string> names;
  for (const auto& device : registry().devices) names.push_back(device->name);
  return names;
}

const Device* find_device(const std::string& name) {
  const std::string full = name.find(':') == std::string::npos ? name + ":0" : name;
  for (const auto& device : registry().devices) {
    if (device->name == full) return device.get();
  }
  std::string known;
  for (const auto& each : device_names()) known += (known.empty() ? "" : ", ") + each;
  PH_FAIL("there is no device '", name, "'; devices here: ", known);
}

const Device* current_device() {
  static const Device* cpu = find_device("cpu:0");
  return scoped_device ? scoped_device : cpu;
}

DeviceScope::DeviceScope(const Device* device) : previous_(scoped_device) { scoped_device = device; }
DeviceScope::~DeviceScope() { scoped_device = previous_; }

}  // namespace ph
