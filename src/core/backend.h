// Backend: what a kind of device must supply. Everything above (ops, graph, Python) knows only this.
#pragma once
#include <cstddef>
#include <memory>
#include <string>
#include <vector>

namespace ph {

struct KernelCall;
struct Kernel;

class Backend {
 public:
  virtual ~Backend() = default;

  virtual const char* name() const = 0;  // "cpu", "gpu", ...

  // Names of the kernel sets (see core/kernel.h) this device runs, best first: an op takes its kernels from the first
  // set that has any.
  virtual std::vector<std::string> kernel_sets() const = 0;

  // Memory of the device, at least 64-byte aligned; throws when there is none left. `bytes` of release is what was
  // asked.
  virtual void* allocate(size_t bytes) = 0;
  virtual void release(void* data, size_t bytes) = 0;
  virtual void copy_from_host(void* to, const void* from, size_t bytes) = 0;
  virtual void copy_to_host(void* to, const void* from, size_t bytes) = 0;
  virtual void copy(void* to, const void* from, size_t bytes) = 0;  // within the device

  // Runs one kernel; the device may do so later, in order.
  virtual void run(const Kernel& kernel, const KernelCall& call, const void* attributes) = 0;
  virtual void synchronize() = 0;
};

// Where tensors live. Devices live as long as the process.
struct Device {
  std::string name;  // "cpu:0"
  Backend* backend;
};

// Called by a backend when it is loaded.
void register_device(const std::string& name, std::unique_ptr<Backend> backend);

// "cpu" means "cpu:0". Throws naming the known devices.
const Device* find_device(const std::string& name);
std::vector<std::string> device_names();

// The device new tensors are made on by this thread: the innermost DeviceScope's, else "cpu:0".
const Device* current_device();

class DeviceScope {
 public:
  explicit DeviceScope(const Device* device);
  ~DeviceScope();
  DeviceScope(const DeviceScope&) = delete;

 private:
  const Device* previous_;
};

}  // namespace ph
