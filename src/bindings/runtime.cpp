// What runs the kernels: instruction-set levels, threads.
#include "bindings/bindings.h"
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
    const int32_t choice = find_choice(Choices<Precision>::names, name);
    PH_CHECK(choice >= 0, "set_matmul_precision: precision must be 'highest' or 'high', got '", name, "'");
    set_matmul_precision(static_cast<Precision>(choice));
  });
}

}  // namespace ph
