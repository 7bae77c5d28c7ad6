#include "core/device_library.h"

#include <dlfcn.h>

#include <cstdlib>
#include <memory>
#include <mutex>

#include "core/error.h"

namespace ph {

namespace {

const CoreServices services{&matmul_precision};

std::string beside_the_core(const char* file) {
  Dl_info here{};
  PH_CHECK(dladdr(reinterpret_cast<const void*>(&open_simulator), &here) && here.dli_fname,
           "the native core does not know where it lies");
  const std::string path = here.dli_fname;
  return path.substr(0, path.rfind('/') + 1) + file;
}

// Returns why the library brings no device, or nothing. Registers its kernels and devices.
std::string open_library(const std::string& path) {
  void* handle = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!handle) return dlerror();
  const auto function = reinterpret_cast<DeviceLibraryFunction>(dlsym(handle, device_library_function));
  if (!function) return path + " is no device library of Pronghorn";
  const DeviceLibrary& library = *function(&services);
  if (library.layout != device_library_layout) return path + " was built for another version of the core";
  const char* reason = "it found no device";
  const int count = library.device_count(&reason);
  if (count == 0) return reason;
  for (const KernelEntry& entry : library.kernels) {
    KernelRegistrar(entry.op, library.kernel_set, entry.kernels.items, entry.kernels.count);
  }
  for (int i = 0; i < count; ++i) {
    register_device(library.device_name(i), std::unique_ptr<Backend>(library.make_backend(i)));
  }
  return {};
}

}  // namespace

const std::string& open_gpu_library() {
  static const std::string reason = []() -> std::string {
    // the driver's own library; a machine without it has no GPU that CUDA can use
    if (!dlopen("libcuda.so.1", RTLD_NOW | RTLD_GLOBAL)) return "there is no NVIDIA driver (libcuda.so.1) here";
    return open_library(beside_the_core("libpronghorn_cuda.so"));
  }();
  return reason;
}

void open_simulator() {
  static const std::string reason = [] {
    const char* given = std::getenv("PRONGHORN_SIMULATOR");
    return open_library(given && *given ? given : beside_the_core("libpronghorn_sim.so"));
  }();
  PH_CHECK(reason.empty(), "gpu:sim: ", reason,
           " (build it with cmake -DPRONGHORN_SIMULATOR=ON, name it in PRONGHORN_SIMULATOR)");
}

}  // namespace ph
