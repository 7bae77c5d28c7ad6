// Backend: what a kind of device must supply. Everything above (ops, graph, Python) knows only this.
#pragma once
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace ph {

struct KernelCall;
struct Kernel;

// Work put on a device once, to be repeated as a whole.
class Recording {
 public:
  virtual ~Recording() = default;
  virtual void replay() = 0;
};

class Backend {
 public:
  virtual ~Backend() = default;

  virtual const char* name() const = 0;         // "cpu", "gpu", ...
  virtual std::string description() const = 0;  // for people: what it is and can do

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

  // Whether the processor reads and writes this memory as its own.
  virtual bool is_host() const = 0;
  // Memory that may still be asked for; 0 where that is not known.
  virtual size_t free_bytes() { return 0; }
  // Row i of `to` becomes row indices[i] of `from`; all three lie on the device.
  virtual void gather_rows(void* to, const void* from, const int64_t* indices, int64_t count, size_t row_bytes) = 0;

  // Runs one kernel; the device may do so later, in order.
  virtual void run(const Kernel& kernel, const KernelCall& call, const void* attributes) = 0;
  // Waits for all that was run. Throws what kernels found wrong since the last time (an index out of range).
  virtual void synchronize() = 0;
  // What run(0), run(1), ... run is not run but kept, bound to the memory it names. Step i must come after the steps
  // after[i] and may run beside all others. nullptr where a device gains nothing by that.
  virtual std::unique_ptr<Recording> record(const std::vector<std::vector<size_t>>& after,
                                            const std::function<void(size_t)>& run) {
    (void)after, (void)run;
    return nullptr;
  }
};

// Backend::gather_rows for memory that is the processor's own, whatever the device.
void gather_host_rows(void* to, const void* from, const int64_t* indices, int64_t count, size_t row_bytes);

// Where tensors live. Devices live as long as the process.
struct Device {
  std::string name;  // "cpu:0"
  Backend* backend;
};

// Called by a backend when it is loaded.
void register_device(const std::string& name, std::unique_ptr<Backend> backend);

// "cpu" means "cpu:0", "gpu" "gpu:0". Opens the library that brings the kind of device. Throws naming the known
// devices.
const Device* find_device(const std::string& name);
std::vector<std::string> device_names();  // with every GPU that can be used

// The device new tensors are made on by this thread: the innermost DeviceScope's, else default_device().
const Device* current_device();

// The device PRONGHORN_DEVICE names; without it the first GPU that can be used, else the CPU. Found once.
const Device* default_device();

class DeviceScope {
 public:
  explicit DeviceScope(const Device* device);
  ~DeviceScope();
  DeviceScope(const DeviceScope&) = delete;

 private:
  const Device* previous_;
};

}  // namespace ph
