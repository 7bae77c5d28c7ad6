#include "bindings/dlpack.h"

#include <memory>

#include "core/error.h"

namespace py = pybind11;

namespace ph {

namespace {

// The specification's layout; field names are its own.
struct DLDevice {
  int32_t device_type;
  int32_t device_id;
};
struct DLDataType {
  uint8_t code;
  uint8_t bits;
  uint16_t lanes;
};
struct DLTensor {
  void* data;
  DLDevice device;
  int32_t ndim;
  DLDataType dtype;
  int64_t* shape;
  int64_t* strides;
  uint64_t byte_offset;
};
struct DLManagedTensor {
  DLTensor dl_tensor;
  void* manager_ctx;
  void (*deleter)(DLManagedTensor*);
};

constexpr int32_t cpu_device = 1, cuda_device = 2;
enum Code : uint8_t { code_int = 0, code_uint = 1, code_float = 2, code_bfloat = 4, code_bool = 6 };

DLDataType dl_type(DType dtype) {
  const auto bits = static_cast<uint8_t>(8 * size_of(dtype));
  if (dtype == DType::bool_) return {code_bool, 8, 1};
  if (dtype == DType::bfloat16) return {code_bfloat, 16, 1};
  if (is_float(dtype)) return {code_float, bits, 1};
  return {is_unsigned(dtype) ? code_uint : code_int, bits, 1};
}

DType dtype_from_dl(DLDataType type) {
  for (int i = 0; i < dtype_count; ++i) {
    const DLDataType known = dl_type(static_cast<DType>(i));
    if (known.code == type.code && known.bits == type.bits && type.lanes == 1) return static_cast<DType>(i);
  }
  throw TypeError(
      concat("from_dlpack: element type code ", int{type.code}, " of ", int{type.bits}, " bits is not known"));
}

// The specification's name of a tensor's device.
DLDevice dl_device(const Tensor& tensor) {
  const std::string& name = tensor.device()->name;
  if (name == "cpu:0") return {cpu_device, 0};
  const std::string prefix = "gpu:", number = name.starts_with(prefix) ? name.substr(prefix.size()) : "";
  PH_CHECK(!number.empty() && number.find_first_not_of("0123456789") == std::string::npos,
           "__dlpack__: memory of device ", name, " cannot be shared; copy the tensor to the CPU first");
  return {cuda_device, std::stoi(number)};
}

struct Exported {
  Tensor tensor;
  Shape shape;
  DLManagedTensor managed;
};

}  // namespace

py::tuple dlpack_device(const Tensor& tensor) {
  const DLDevice device = dl_device(tensor);
  return py::make_tuple(device.device_type, device.device_id);
}

py::capsule to_dlpack(const Tensor& tensor) {
  const DLDevice device = dl_device(tensor);
  tensor.device()->backend->synchronize();  // whatever stream the consumer reads in, the values are there
  auto exported = std::make_unique<Exported>(Exported{tensor, tensor.shape(), {}});
  DLTensor& out = exported->managed.dl_tensor;
  out = {
      tensor.buffer()->data(), device, tensor.shape().rank(), dl_type(tensor.dtype()), &exported->shape[0], nullptr, 0};
  exported->managed.manager_ctx = exported.get();
  exported->managed.deleter = [](DLManagedTensor* self) { delete static_cast<Exported*>(self->manager_ctx); };
  return py::capsule(&exported.release()->managed, "dltensor", [](PyObject* capsule) {
    // a consumer renames the capsule and calls the deleter itself
    if (!PyCapsule_IsValid(capsule, "dltensor")) return;
    auto* managed = static_cast<DLManagedTensor*>(PyCapsule_GetPointer(capsule, "dltensor"));
    managed->deleter(managed);
  });
}

Tensor from_dlpack(py::object exporter) {
  if (!py::hasattr(exporter, "__dlpack__")) {
    throw TypeError(concat("from_dlpack: wants an object with __dlpack__, got ", std::string(py::repr(exporter))));
  }
  py::object capsule = exporter.attr("__dlpack__")();
  PH_CHECK(PyCapsule_IsValid(capsule.ptr(), "dltensor"), "from_dlpack: the object gave no unused 'dltensor' capsule");
  auto* managed = static_cast<DLManagedTensor*>(PyCapsule_GetPointer(capsule.ptr(), "dltensor"));
  const DLTensor& from = managed->dl_tensor;
  PH_CHECK(from.device.device_type == cpu_device, "from_dlpack: only CPU memory can be shared, got device type ",
           from.device.device_type);
  Spec spec;
  spec.dtype = dtype_from_dl(from.dtype);
  for (int i = 0; i < from.ndim; ++i) spec.shape.checked_push_back(from.shape[i]);
  if (from.strides && spec.shape.size() > 0) {
    int64_t dense = 1;
    for (int i = from.ndim - 1; i >= 0; --i) {
      PH_CHECK(from.shape[i] == 1 || from.strides[i] == dense,
               "from_dlpack: the array is not contiguous; copy it first");
      dense *= from.shape[i];
    }
  }
  PyCapsule_SetName(capsule.ptr(), "used_dltensor");
  auto buffer = std::make_shared<Buffer>(find_device("cpu:0"), static_cast<char*>(from.data) + from.byte_offset,
                                         spec.bytes(), [managed] {
                                           const py::gil_scoped_acquire gil;  // the owner may be a Python object
                                           if (managed->deleter) managed->deleter(managed);
                                         });
  return Tensor::concrete(spec, std::move(buffer));
}

}  // namespace ph
