// Programs: compile, run.
#include "graph/program.h"

#include <algorithm>

#include "bindings/bindings.h"

namespace py = pybind11;

namespace ph {

namespace {

HostArray host_array(const py::array& array, const char* what, int position) {
  PH_CHECK(array.flags() & py::array::c_style, what, " ", position, ": the array must be C-contiguous");
  PH_CHECK(array.ndim() >= 1, what, " ", position, ": the array must have a batch dimension");
  HostArray out{static_cast<char*>(const_cast<void*>(array.data())), array.shape(0), {}};
  out.row.dtype = dtype_from_numpy(array.dtype());
  for (py::ssize_t d = 1; d < array.ndim(); ++d) out.row.shape.checked_push_back(array.shape(d));
  return out;
}

Spec batched(const Spec& row, int64_t batch) {
  Spec spec{{batch}, row.dtype};
  for (int64_t d : row.shape) spec.shape.checked_push_back(d);
  return spec;
}

// Holds the arrays for as long as batches may be gathered from them.
struct PythonRowSource {
  explicit PythonRowSource(std::vector<py::array> given) : arrays(std::move(given)), source(host_arrays(arrays)) {}
  static std::vector<HostArray> host_arrays(const std::vector<py::array>& arrays) {
    std::vector<HostArray> out;
    for (size_t i = 0; i < arrays.size(); ++i) {
      out.push_back(host_array(arrays[i], "RowSource: array", static_cast<int>(i)));
    }
    return out;
  }

  std::vector<py::array> arrays;
  RowSource source;
};

void run_steps(Program& program, PythonRowSource& arrays, const py::array_t<int64_t, py::array::c_style>& indices,
               int64_t steps, const std::vector<py::array>& outputs) {
  const Graph& graph = program.graph();
  PH_CHECK(!graph.inputs.empty(), "run_steps: the program has no inputs");
  const std::vector<HostArray>& from = arrays.source.arrays();
  PH_CHECK(from.size() == graph.inputs.size(), "run_steps: the program takes ", graph.inputs.size(), " arrays, got ",
           from.size());
  const int64_t batch = graph.values[graph.inputs[0]].spec.shape[0];
  PH_CHECK(steps >= 0 && indices.ndim() == 1 && indices.size() == steps * batch, "run_steps: ", steps, " steps of ",
           batch, " rows need ", steps * batch, " indices, got ", indices.size());
  std::vector<HostArray> to;
  for (size_t i = 0; i < from.size(); ++i) {
    const Spec& wanted = graph.values[graph.inputs[i]].spec;
    PH_CHECK(batched(from[i].row, batch) == wanted, "run_steps: array ", i, " gives batches of ",
             batched(from[i].row, batch), ", the program takes ", wanted);
    for (py::ssize_t k = 0; k < indices.size(); ++k) {
      const int64_t index = indices.data()[k];
      if (index < 0 || index >= from[i].rows) {
        throw IndexError(concat("run_steps: index ", index, " is outside array ", i, " of ", from[i].rows, " rows"));
      }
    }
  }
  PH_CHECK(outputs.empty() || outputs.size() == graph.outputs.size(), "run_steps: the program has ",
           graph.outputs.size(), " outputs, got ", outputs.size(), " output arrays");
  for (size_t i = 0; i < outputs.size(); ++i) {
    PH_CHECK(outputs[i].writeable(), "run_steps: output array ", i, " is read-only");
    to.push_back(host_array(outputs[i], "run_steps: output array", static_cast<int>(i)));
    const Spec& made = graph.values[graph.outputs[i]].spec;
    const size_t wanted = made.bytes() * static_cast<size_t>(steps);
    PH_CHECK(to[i].row.dtype == made.dtype && static_cast<size_t>(outputs[i].nbytes()) == wanted,
             "run_steps: output array ", i, " must hold ", steps, " batches of ", made);
  }
  const py::gil_scoped_release release;
  program.run_steps(arrays.source, indices.data(), steps, to);
}

py::tuple profile(Program& program, const py::list& inputs, int repeats) {
  Tensors tensors;
  for (py::handle input : inputs) tensors.push_back(tensor_from(input, "Program.profile"));
  Timings timings;
  {
    const py::gil_scoped_release release;
    timings = program.profile(tensors, repeats);
  }
  const auto rows = static_cast<py::ssize_t>(timings.steps.size());
  py::array_t<double> steps({rows, static_cast<py::ssize_t>(timings.steps[0].size())});
  for (py::ssize_t r = 0; r < rows; ++r) {
    const std::vector<double>& row = timings.steps[static_cast<size_t>(r)];
    std::copy(row.begin(), row.end(), steps.mutable_data(r, 0));
  }
  return py::make_tuple(steps, py::array_t<double>(rows, timings.whole.data()));
}

py::list steps(const Program& program) {
  py::list infos;
  for (const StepInfo& step : program.steps()) {
    py::list parts;
    const auto add = [&](const Part& part) {
      parts.append(py::make_tuple(program.graph().paths[static_cast<size_t>(part.path)], phase_name(part.phase)));
    };
    add(step.parts.main);
    for (const Part& part : step.parts.others) add(part);
    py::dict info;
    info["op"] = step.op;
    info["kernel"] = step.variant;
    info["results"] = step.results;
    info["dtype"] = name_of(step.dtype);
    info["parts"] = parts;
    info["operations"] = step.work.operations;
    info["bytes"] = step.work.bytes;
    infos.append(info);
  }
  return infos;
}

}  // namespace

void bind_program(py::module_& module) {
  py::class_<PythonRowSource>(module, "RowSource", "Arrays that batches are gathered from, row by row.")
      .def(py::init<std::vector<py::array>>(), py::arg("arrays"));
  py::class_<Program, std::shared_ptr<Program>>(module, "Program", "A compiled graph.")
      .def("run",
           [](Program& self, const py::list& inputs) {
             Tensors tensors;
             for (py::handle input : inputs) tensors.push_back(tensor_from(input, "Program.run"));
             const py::gil_scoped_release release;
             return self.run(tensors);
           })
      .def("run_steps", &run_steps, py::arg("source"), py::arg("indices"), py::arg("steps"),
           py::arg("outputs") = std::vector<py::array>())
      .def("profile", &profile, py::arg("inputs"), py::arg("repeats"),
           "Seconds of each entry of steps() and of all together, float64 (repeats, entries) and (repeats,). Variables "
           "keep their values.")
      .def("steps", &steps, "What each step of the list is, as dicts, and last the copies at its end.")
      .def("text", &Program::text)
      .def("graph_text", [](const Program& self) { return self.graph().text(); })
      .def_property_readonly("arena_bytes", &Program::arena_bytes)
      .def_property_readonly("step_count", &Program::step_count);
}

}  // namespace ph
