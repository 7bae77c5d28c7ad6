// What runs the kernels: instruction-set levels, threads.
#include "bindings/bindings.h"
#include "core/thread_pool.h"
#include "cpu/level.h"

namespace py = pybind11;

namespace ph {

void bind_runtime(py::module_& module) {
  module.def("cpu_level", &cpu_level);
  module.def("cpu_levels", &cpu_levels);
  module.def("num_threads", &num_threads);
  module.def("set_num_threads", &set_num_threads);
}

}  // namespace ph
