// A device whose kernels are Python functions over NumPy arrays: the smallest whole backend. Tests use it to show that
// a new device needs nothing but what core/backend.h and core/kernel.h ask for.
#include <cstdlib>
#include <cstring>
#include <map>

#include "bindings/bindings.h"
#include "core/backend.h"
#include "core/device_library.h"
#include "core/op.h"

namespace py = pybind11;

namespace ph {

namespace {

py::object field_value(const Field& field, const void* attributes) {
  const char* at = static_cast<const char*>(attributes) + field.offset;
  const auto get = [&](auto typed) {
    std::memcpy(&typed, at, sizeof(typed));
    return typed;
  };
  switch (field.kind) {
    case FieldKind::boolean:
      return py::bool_(get(bool{}));
    case FieldKind::integer:
      return py::int_(get(int64_t{}));
    case FieldKind::real:
      return py::float_(get(double{}));
    case FieldKind::dtype:
      return py::str(name_of(get(DType{})));
    case FieldKind::choice:
      return py::str(field.choices[get(int32_t{})]);
    case FieldKind::bytes:
      return py::bytes(at, field.size);
    case FieldKind::integers: {
      py::list list;
      for (const int64_t item : get(IntList{})) list.append(item);
      return py::tuple(list);
    }
  }
  return py::none();
}

py::array array_over(const View& view) {
  std::vector<py::ssize_t> shape(view.shape.begin(), view.shape.end());
  return py::array(numpy_dtype(view.dtype), shape, view.data, py::capsule(view.data, [](void*) {}));
}

class PythonBackend : public Backend {
 public:
  PythonBackend(std::string name, py::dict kernels) : name_(std::move(name)), kernels_(std::move(kernels)) {}
  const char* name() const override { return name_.c_str(); }
  std::string description() const override { return "kernels in Python"; }
  std::vector<std::string> kernel_sets() const override { return {name_}; }
  void* allocate(size_t bytes) override { return std::malloc(bytes ? bytes : 1); }
  void release(void* data, size_t) override { std::free(data); }
  void copy_from_host(void* to, const void* from, size_t bytes) override { std::memcpy(to, from, bytes); }
  void copy_to_host(void* to, const void* from, size_t bytes) override { std::memcpy(to, from, bytes); }
  void copy(void* to, const void* from, size_t bytes) override { std::memcpy(to, from, bytes); }
  bool is_host() const override { return true; }
  void gather_rows(void* to, const void* from, const int64_t* indices, int64_t count, size_t row_bytes) override {
    gather_host_rows(to, from, indices, count, row_bytes);
  }
  void synchronize() override {}

  // function(inputs, outputs, attributes): writes into the output arrays.
  void run(const Kernel& kernel, const KernelCall& call, const void* attributes) override {
    const py::gil_scoped_acquire gil;
    const Op& op = find_op(kernel.variant);
    py::list inputs, outputs;
    for (const View& view : call.in) inputs.append(array_over(view));
    for (const View& view : call.out) outputs.append(array_over(view));
    py::dict settings;
    for (int i = 0; i < op.attributes->fields.count; ++i) {
      const Field& field = op.attributes->fields.fields[i];
      settings[field.name] = field_value(field, attributes);
    }
    kernels_[kernel.variant](inputs, outputs, settings);
  }

 private:
  std::string name_;
  py::dict kernels_;
};

void register_python_device(const std::string& name, const py::dict& kernels) {
  for (const auto& [op, function] : kernels) {
    // kernel tables live as long as the process
    auto* variant = new std::string(py::cast<std::string>(op));
    find_op(*variant);
    auto* set = new std::string(name);
    auto* kernel = new Kernel{variant->c_str(), nullptr, nullptr, nullptr};
    KernelRegistrar(variant->c_str(), set->c_str(), kernel, 1);
  }
  auto owned = py::dict(kernels);
  register_device(name + ":0", std::make_unique<PythonBackend>(name, owned));
}

// A `with` block in which new tensors are made on a device.
class PythonDeviceScope {
 public:
  explicit PythonDeviceScope(const std::string& name) : device_(find_device(name)) {}
  void start() { scopes_.push_back(std::make_unique<DeviceScope>(device_)); }
  void stop() { scopes_.pop_back(); }

 private:
  const Device* device_;
  std::vector<std::unique_ptr<DeviceScope>> scopes_;  // the block may be entered again within itself
};

}  // namespace

void bind_devices(py::module_& module) {
  module.def("devices", &device_names);
  module.def("default_device", [] { return default_device()->name; });
  module.def("current_device", [] { return current_device()->name; });
  module.def("device_description", [](const std::string& name) { return find_device(name)->backend->description(); });
  module.def("why_no_gpu", &open_gpu_library, "Why no GPU can be used; empty where one can.");
  module.def(
      "copy_to_device", [](const Tensor& tensor, const std::string& name) { return tensor.on(find_device(name)); },
      py::arg("tensor"), py::arg("device"));
  module.def("register_python_device", &register_python_device, py::arg("name"), py::arg("kernels"));
  py::class_<PythonDeviceScope>(module, "DeviceScope")
      .def(py::init<const std::string&>())
      .def("__enter__", &PythonDeviceScope::start)
      .def("__exit__", [](PythonDeviceScope& self, const py::args&) { self.stop(); });
}

}  // namespace ph
