// What runs the kernels: instruction-set levels, threads.
#include "bindings/bindings.h"
#include "core/error.h"
#include "core/precision.h"
#include "core/thread_pool.h"
#include "cpu/level.h"

namespace py = pybind11;

namespace ph {

void bind_runtime(py::module_& module) {
  module.def("cpu_level", &cpu_level);
  module.def("cpu_levels", &cpu_levels);
  module.def("num_threads", &num_threads);
  module.def("set_num_threads", &set_num_threads);
  module.def("matmul_precision", [] { return Choices<Precision>::names[static_cast<int>(matmul_precision())]; });
  module.def("set_matmul_precision", [](const std::string& name) {
    for (int i = 0; Choices<Precision>::names[i]; ++i) {
      if (name == Choices<Precision>::names[i]) return set_matmul_precision(static_cast<Precision>(i));
    }
    PH_CHECK(false, "set_matmul_precision: precision must be 'highest' or 'high', got '", name, "'");
  });
}

}  // namespace ph
