#include "bindings/bindings.h"
#include "core/error.h"

namespace py = pybind11;

PYBIND11_MODULE(_core, module) {
  module.doc() = "Pronghorn's native core: tensors, the op table, tapes, graphs and programs.";
  py::register_exception_translator([](std::exception_ptr error) {
    try {
      std::rethrow_exception(error);
    } catch (const ph::TypeError& e) {
      PyErr_SetString(PyExc_TypeError, e.what());
    } catch (const ph::IndexError& e) {
      PyErr_SetString(PyExc_IndexError, e.what());
    } catch (const ph::MemoryError& e) {
      PyErr_SetString(PyExc_MemoryError, e.what());
    } catch (const ph::Error& e) {
      PyErr_SetString(PyExc_ValueError, e.what());
    }
  });
  ph::bind_tensor(module);
  ph::bind_ops(module);
  ph::bind_graph(module);
  ph::bind_program(module);
  ph::bind_devices(module);
  ph::bind_runtime(module);
}
