// DeviceLibrary: a shared library beside the core that brings a kind of device - its backends and its kernels - and is
// opened when such a device is first asked for. Both sides are built from one source tree and share its C++ types.
#pragma once
#include <cstdint>
#include <string>

#include "core/attributes.h"
#include "core/backend.h"
#include "core/kernel.h"
#include "core/precision.h"

namespace ph {

// What the core does for the library: settings live in the core alone.
struct CoreServices {
  Precision (*matmul_precision)();
};

struct KernelEntry {
  const char* op;
  KernelList kernels;
};

struct DeviceLibrary {
  uint64_t layout;         // device_library_layout as the library was compiled with
  const char* kernel_set;  // "cuda"
  List<KernelEntry> kernels;
  // How many devices can be used; `reason` gets a static text where it is none.
  int (*device_count)(const char** reason);
  std::string (*device_name)(int device);  // "gpu:0"
  // Never destroyed.
  Backend* (*make_backend)(int device);
};

// What the library exports: extern "C" const DeviceLibrary* pronghorn_device_library(const CoreServices*).
using DeviceLibraryFunction = const DeviceLibrary* (*)(const CoreServices*);
constexpr const char* device_library_function = "pronghorn_device_library";

// Differs where the two sides would misread each other's types.
constexpr uint64_t device_library_layout = sizeof(KernelCall) + sizeof(View) * 0x100 + sizeof(Kernel) * 0x10000 +
                                           Attributes::capacity * 0x1000000 + uint64_t{2} * 0x10000000000;

// Opens libpronghorn_cuda.so beside the core and registers its devices, once. Returns nothing, or why there are none.
const std::string& open_gpu_library();

// Opens the CUDA simulator, a test tool: the library that PRONGHORN_SIMULATOR names, else libpronghorn_sim.so beside
// the core. Registers gpu:sim, once; throws when it cannot.
void open_simulator();

}  // namespace ph
