#include "bindings/bindings.h"

namespace py = pybind11;

namespace ph {

void set_python_error(const Error& error) {
  PyObject* kind = PyExc_ValueError;
  if (dynamic_cast<const TypeError*>(&error)) kind = PyExc_TypeError;
  if (dynamic_cast<const IndexError*>(&error)) kind = PyExc_IndexError;
  if (dynamic_cast<const MemoryError*>(&error)) kind = PyExc_MemoryError;
  PyErr_SetString(kind, error.what());
}

}  // namespace ph

PYBIND11_MODULE(_core, module) {
  module.doc() = "Pronghorn's native core: tensors, the op table, tapes, graphs and programs.";
  py::register_exception_translator([](std::exception_ptr error) {
    try {
      std::rethrow_exception(error);
    } catch (const ph::Error& native) {
      ph::set_python_error(native);
    }
  });
  ph::bind_tensor(module);
  ph::bind_ops(module);
  ph::bind_graph(module);
  ph::bind_program(module);
  ph::bind_devices(module);
  ph::bind_runtime(module);
}
