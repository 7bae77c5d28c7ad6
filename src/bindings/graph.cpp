// Tapes and traces.
#include "graph/graph.h"

#include <algorithm>

#include "bindings/bindings.h"
#include "graph/passes.h"
#include "graph/program.h"
#include "graph/tape.h"
#include "ops/elementwise.h"

namespace py = pybind11;

namespace ph {

namespace {

// A `with` block that records op calls; leaving it keeps the records.
class PythonTape {
 public:
  PythonTape(bool persistent, bool watch_variables) : tape_(watch_variables), persistent_(persistent) {}
  ~PythonTape() { stop(); }

  void start() {
    auto& tapes = active_tapes();
    PH_CHECK(std::find(tapes.begin(), tapes.end(), &tape_) == tapes.end(), "GradientTape: it is already recording");
    if (used_ && !persistent_) tape_.clear();  // of what was used up, the watched variables were still known
    tapes.push_back(&tape_);
  }
  void stop() {
    auto& tapes = active_tapes();
    tapes.erase(std::remove(tapes.begin(), tapes.end(), &tape_), tapes.end());
  }
  void reset() { tape_.clear(); }
  void watch(py::handle object) {
    if (py::isinstance<Variable>(object)) {
      auto variable = py::cast<std::shared_ptr<Variable>>(object);
      tape_.watch(variable, variable->read());
    } else {
      const Tensor tensor = tensor_held_by(object);
      PH_CHECK_TYPE(tensor.defined(), "GradientTape.watch: wants tensors or variables, got ",
                    std::string(py::repr(object)));
      tape_.watch(tensor);
    }
  }

  // One gradient per source, None where no path leads to it.
  py::list gradient(const py::list& targets, const py::list& sources, const py::list& target_grads) {
    PH_CHECK(
        !used_ || persistent_,
        "GradientTape.gradient: a tape that is not persistent gives gradients once; use GradientTape(persistent=True)");
    used_ = true;
    Tensors target_tensors, grads;
    for (py::handle target : targets) {
      target_tensors.push_back(tensor_held_by(target));
      PH_CHECK_TYPE(target_tensors.back().defined(), "GradientTape.gradient: target must be tensors, got ",
                    std::string(py::repr(target)));
      PH_CHECK_TYPE(is_float(target_tensors.back().dtype()), "GradientTape.gradient: target must be floating, got ",
                    target_tensors.back().spec());
    }
    for (py::handle grad : target_grads) {
      grads.push_back(grad.is_none() ? Tensor() : tensor_from(grad, "GradientTape.gradient: output_gradients"));
    }
    for (size_t i = 0; i < grads.size(); ++i) {
      PH_CHECK(i < target_tensors.size() && (!grads[i].defined() || grads[i].shape() == target_tensors[i].shape()),
               "GradientTape.gradient: output_gradients must have the form and shapes of the target");
    }
    // A variable may have been read several times, with assignments in between: its gradient is the sum over the reads.
    Tensors source_tensors;
    std::vector<size_t> ends;
    for (py::handle source : sources) {
      if (py::isinstance<Variable>(source)) {
        for (const Tensor& read : tape_.reads_of(py::cast<Variable&>(source))) source_tensors.push_back(read);
      } else {
        source_tensors.push_back(tensor_held_by(source));
        PH_CHECK_TYPE(source_tensors.back().defined(),
                      "GradientTape.gradient: sources must be tensors or variables, got ",
                      std::string(py::repr(source)));
      }
      ends.push_back(source_tensors.size());
    }
    const std::vector<Record> records = tape_.records();  // the walk itself may be recorded here (second derivatives)
    const Tensors found = ph::gradient(records, target_tensors, grads, source_tensors);
    if (!persistent_) tape_.forget_records();
    py::list results;
    size_t begin = 0;
    for (const size_t end : ends) {
      Tensor sum;
      for (size_t i = begin; i < end; ++i) {
        if (found[i].defined()) sum = sum.defined() ? add(sum, found[i]) : found[i];
      }
      begin = end;
      results.append(sum.defined() ? py::cast(sum) : py::none());
    }
    return results;
  }

  std::vector<std::shared_ptr<Variable>> watched_variables() const { return tape_.watched_variables(); }

 private:
  Tape tape_;
  bool persistent_, used_ = false;
};

// A `with` block that traces op calls into a graph.
class PythonGraph {
 public:
  PythonGraph() : graph(std::make_shared<Graph>()) {}
  void start() {
    PH_CHECK(!scope_ && !graph->closed, "Graph: it has already traced");
    scope_ = std::make_unique<TraceScope>(graph);
  }
  void stop() { scope_.reset(); }
  std::shared_ptr<Graph> graph;

 private:
  std::unique_ptr<TraceScope> scope_;
};

// A `with` block whose ops, where they are traced, become nodes of a named part of the model.
class PythonPart {
 public:
  PythonPart(std::string name, bool updates) : name_(std::move(name)), updates_(updates) {}
  void start() {
    graph_ = current_graph();
    if (graph_) before_ = graph_->enter(name_, updates_ ? Phase::update : graph_->part.phase);
  }
  void stop() {
    if (graph_) graph_->part = before_;
    graph_.reset();
  }

 private:
  std::string name_;
  bool updates_;
  std::shared_ptr<Graph> graph_;
  Part before_;
};

// Asked at every call of a layer: without the matching of arguments that pybind11 does.
PyObject* is_tracing(PyObject*, PyObject*) { return PyBool_FromLong(current_graph() != nullptr); }
PyMethodDef quick_functions[] = {{"is_tracing", is_tracing, METH_NOARGS, "Whether this thread traces into a graph."},
                                 {nullptr, nullptr, 0, nullptr}};

}  // namespace

void bind_graph(py::module_& module) {
  py::class_<PythonTape>(module, "Tape")
      .def(py::init<bool, bool>(), py::arg("persistent"), py::arg("watch_variables"))
      .def("start", &PythonTape::start)
      .def("stop", &PythonTape::stop)
      .def("reset", &PythonTape::reset)
      .def("watch", &PythonTape::watch)
      .def("gradient", &PythonTape::gradient)
      .def("watched_variables", &PythonTape::watched_variables);

  py::class_<PauseRecording>(module, "PauseRecording").def(py::init<>());

  py::class_<PythonPart>(module, "Part", "A block whose ops belong to a named part of the model.")
      .def(py::init<std::string, bool>(), py::arg("name"), py::arg("updates") = false)
      .def("__enter__", &PythonPart::start)
      .def("__exit__", [](PythonPart& self, const py::args&) { self.stop(); });

  py::class_<PythonGraph>(module, "Graph", "A trace: op calls on its inputs become nodes.")
      .def(py::init<>())
      .def(
          "__enter__",
          [](PythonGraph& self) -> PythonGraph& {
            self.start();
            return self;
          },
          py::return_value_policy::reference)
      .def("__exit__", [](PythonGraph& self, const py::args&) { self.stop(); })
      .def("input",
           [](PythonGraph& self, const std::vector<int64_t>& shape, const std::string& dtype) {
             Spec spec;
             spec.dtype = dtype_from_name(dtype);
             for (int64_t d : shape) spec.shape.checked_push_back(d);
             return self.graph->add_input(spec);
           })
      .def("set_outputs",
           [](PythonGraph& self, const py::list& outputs) {
             Tensors tensors;
             for (py::handle output : outputs) tensors.push_back(tensor_from(output, "Graph.set_outputs"));
             self.graph->set_outputs(tensors);
           })
      .def_property_readonly("variables", [](const PythonGraph& self) { return self.graph->variables; })
      .def("text", [](const PythonGraph& self) { return self.graph->text(); });

  module.def(
      "compile", [](const PythonGraph& traced) { return std::make_shared<Program>(traced.graph); }, py::arg("graph"));
  module.def("passes", [] {
    std::vector<std::string> names;
    for (const Pass& pass : all_passes()) names.push_back(pass.name);
    return names;
  });
  module.def(
      "run_passes",
      [](const PythonGraph& traced, const std::vector<std::string>& names) {
        GraphPtr graph = traced.graph;
        for (const std::string& name : names) {
          const auto& passes = all_passes();
          const auto pass = std::find_if(passes.begin(), passes.end(), [&](const Pass& p) { return p.name == name; });
          PH_CHECK(pass != passes.end(), "there is no pass named '", name, "'");
          graph = pass->run(*graph);
        }
        return graph->text();
      },
      "The text of a traced graph after some passes.");
  if (PyModule_AddFunctions(module.ptr(), quick_functions) != 0) throw py::error_already_set();
  module.def(
      "active_tapes", [] { return active_tapes().size(); }, "How many tapes of this thread are recording.");
}

}  // namespace ph
