// The Tensor type and the ways in and out of it.
#include <bit>
#include <cstdint>

#include "bindings/bindings.h"
#include "bindings/dlpack.h"
#include "core/error.h"
#include "core/variable.h"
#include "graph/graph.h"

namespace py = pybind11;

namespace ph {

static DType float_type = DType::float32;

DType default_float() { return float_type; }

py::dtype numpy_dtype(DType dtype) {
  if (dtype == DType::bfloat16) return py::dtype::from_args(py::module_::import("ml_dtypes").attr("bfloat16"));
  return py::dtype(name_of(dtype));
}

DType dtype_from_numpy(const py::dtype& dtype) {
  // by kind and size, which is quicker than by name
  constexpr DType signed_of[] = {DType::int8, DType::int16, DType::int32, DType::int64};
  constexpr DType unsigned_of[] = {DType::uint8, DType::uint16, DType::uint32, DType::uint64};
  const auto size = static_cast<size_t>(dtype.itemsize());
  const char kind = dtype.kind();
  if (kind == 'b') return DType::bool_;
  if (kind == 'i') return signed_of[std::countr_zero(size)];
  if (kind == 'u') return unsigned_of[std::countr_zero(size)];
  if (kind == 'f' && size == 4) return DType::float32;
  if (kind == 'f' && size == 8) return DType::float64;
  const std::string name = py::str(dtype.attr("name"));
  try {
    return dtype_from_name(name);
  } catch (const TypeError&) {
    throw TypeError(concat("NumPy arrays of dtype ", name, " cannot become tensors"));
  }
}

Tensor tensor_from_array(const py::array& array) {
  Spec spec;
  spec.dtype = dtype_from_numpy(array.dtype());
  for (py::ssize_t i = 0; i < array.ndim(); ++i) spec.shape.checked_push_back(array.shape(i));
  const auto dense = py::array::ensure(array, py::array::c_style);
  // a byte-swapped array has the same name but other bits
  if (!py::cast<bool>(dense.dtype().attr("isnative"))) {
    return tensor_from_array(dense.attr("astype")(numpy_dtype(spec.dtype)));
  }
  return Tensor::from_host(spec, dense.data());
}

py::array array_from_tensor(const Tensor& tensor) {
  std::vector<py::ssize_t> shape(tensor.shape().begin(), tensor.shape().end());
  py::array array(numpy_dtype(tensor.dtype()), shape);
  tensor.to_host(array.mutable_data());
  return array;
}

Tensor tensor_held_by(py::handle object) {
  if (py::isinstance<Tensor>(object)) return py::cast<Tensor>(object);
  if (py::isinstance<Variable>(object)) return py::cast<Variable&>(object).seen();
  return {};
}

// Nested lists that hold tensors: stacked by NumPy from their values.
static py::object with_arrays_for_tensors(py::handle object) {
  if (py::isinstance<py::list>(object) || py::isinstance<py::tuple>(object)) {
    py::list out;
    for (py::handle item : object) out.append(with_arrays_for_tensors(item));
    return out;
  }
  const Tensor held = tensor_held_by(object);
  return held.defined() ? py::object(array_from_tensor(held)) : py::reinterpret_borrow<py::object>(object);
}

static bool holds_array(py::handle object) {
  if (py::isinstance<py::list>(object) || py::isinstance<py::tuple>(object)) {
    for (py::handle item : object) {
      if (holds_array(item)) return true;
    }
    return false;
  }
  return py::hasattr(object, "dtype");
}

Tensor tensor_from(py::handle object, const char* what) {
  const Tensor held = tensor_held_by(object);
  if (held.defined()) return held;
  if (PyBool_Check(object.ptr())) return Tensor::scalar(object.ptr() == Py_True, DType::bool_);
  if (PyFloat_CheckExact(object.ptr())) return Tensor::scalar(PyFloat_AS_DOUBLE(object.ptr()), float_type);
  if (PyLong_CheckExact(object.ptr())) {
    int overflow = 0;
    const int64_t value = PyLong_AsLongLongAndOverflow(object.ptr(), &overflow);
    if (value == static_cast<int32_t>(value) && !overflow) {
      return Tensor::scalar(static_cast<double>(value), DType::int32);
    }
  }
  if (py::isinstance<py::array>(object)) return tensor_from_array(py::reinterpret_borrow<py::array>(object));
  if (object.is_none() || py::isinstance<py::str>(object) || py::isinstance<py::dict>(object)) {
    throw TypeError(concat(what, ": cannot make a tensor of ", std::string(py::repr(object))));
  }
  py::array array;
  try {
    array = py::array::ensure(py::module_::import("numpy").attr("asarray")(with_arrays_for_tensors(object)));
  } catch (py::error_already_set& error) {
    throw Error(concat(what, ": cannot make a tensor of this value: ", std::string(py::str(error.value()))));
  }
  if (!array || array.dtype().kind() == 'O' || array.dtype().kind() == 'U' || array.dtype().kind() == 'S') {
    throw TypeError(concat(what, ": cannot make a tensor of ", std::string(py::repr(object))));
  }
  if (!holds_array(object)) {  // Python numbers: the defaults, not NumPy's 64 bits
    if (array.dtype().kind() == 'f') array = array.attr("astype")(numpy_dtype(float_type));
    if (array.dtype().kind() == 'i') {
      const py::object narrow = array.attr("astype")("int32");
      if (py::cast<bool>(py::module_::import("numpy").attr("array_equal")(narrow, array))) array = narrow;
    }
  }
  return tensor_from_array(array);
}

static py::tuple shape_tuple(const Shape& shape) {
  py::tuple out(shape.rank());
  for (int i = 0; i < shape.rank(); ++i) out[i] = shape[i];
  return out;
}

void bind_tensor(py::module_& module) {
  py::class_<Tensor>(module, "Tensor", py::dynamic_attr(), "An immutable array on a device.")
      .def_property_readonly("shape", [](const Tensor& t) { return shape_tuple(t.shape()); })
      .def_property_readonly("dtype", [](const Tensor& t) { return name_of(t.dtype()); })
      .def_property_readonly("ndim", [](const Tensor& t) { return t.shape().rank(); })
      .def_property_readonly("size", [](const Tensor& t) { return t.shape().size(); })
      .def_property_readonly("is_traced", &Tensor::is_traced)
      .def_property_readonly(
          "is_of_ended_trace", [](const Tensor& t) { return t.is_traced() && t.graph()->closed; },
          "Whether it was made in a trace that is over, so that it must not be used.")
      .def_property_readonly("id", &Tensor::id, "A number that no other tensor of this process has.")
      .def_property_readonly("device", [](const Tensor& t) { return t.device()->name; })
      .def("numpy", &array_from_tensor, "Returns the values as a NumPy array (a copy).")
      .def("__dlpack_device__", [](const Tensor& t) { return dlpack_device(t); })
      .def("__dlpack__", [](const Tensor& t, const py::kwargs&) { return to_dlpack(t); });
  module.def("from_dlpack", &from_dlpack, "A tensor sharing the memory of any object with __dlpack__.");
  module.def(
      "convert", [](py::handle object) { return tensor_from(object, "convert_to_tensor"); }, py::arg("value"));
  module.def("set_default_float", [](const std::string& name) { float_type = dtype_from_name(name); });

  py::class_<Variable, std::shared_ptr<Variable>>(module, "Variable", py::dynamic_attr())
      .def(py::init([](py::handle value, const std::string& name, bool trainable) {
             const Tensor tensor = tensor_from(value, "Variable");
             PH_CHECK(!tensor.is_traced(),
                      "Variable: cannot be created from a traced tensor; create variables in build() or __init__");
             return std::make_shared<Variable>(tensor, name, trainable);
           }),
           py::arg("value"), py::arg("name") = "variable", py::arg("trainable") = true)
      .def("read", &Variable::read, "Returns the value in the dtype in which it is kept.")
      .def("seen", &Variable::seen, "Returns the value as op calls see it: cast where a layer of mixed precision asks.")
      .def("write", &Variable::assign)
      .def_property_readonly("stored", &Variable::stored)
      .def_property_readonly("shape", [](const Variable& v) { return shape_tuple(v.spec().shape); })
      .def_property_readonly("dtype", [](const Variable& v) { return name_of(v.seen_dtype()); })
      .def_property_readonly("stored_dtype", [](const Variable& v) { return name_of(v.spec().dtype); })
      .def_readwrite("native_autocast", &Variable::autocast)
      .def_readwrite("native_name", &Variable::name)
      .def_readwrite("native_trainable", &Variable::trainable);

  module.def(
      "set_autocast_dtype",
      [](std::optional<std::string> name) {
        std::optional<DType>& dtype = autocast_dtype();
        const std::optional<DType> before = dtype;
        dtype = name ? std::optional(dtype_from_name(*name)) : std::nullopt;
        return before ? py::object(py::str(name_of(*before))) : py::object(py::none());
      },
      py::arg("name"), "Sets the dtype in which this thread's op calls see floating variables, None for their own.");
  module.def("autocast_dtype", [] {
    return autocast_dtype() ? py::object(py::str(name_of(*autocast_dtype()))) : py::object(py::none());
  });
}

}  // namespace ph
