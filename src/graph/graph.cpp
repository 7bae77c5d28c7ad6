#include "graph/graph.h"

#include <algorithm>
#include <sstream>

namespace ph {

static thread_local std::shared_ptr<Graph> tracing;

const std::shared_ptr<Graph>& current_graph() { return tracing; }

TraceScope::TraceScope(std::shared_ptr<Graph> graph) : previous_(std::move(tracing)) { tracing = std::move(graph); }

TraceScope::~TraceScope() {
  tracing->closed = true;
  tracing = std::move(previous_);
}

int Graph::add_value(const Value& value) {
  values.push_back(value);
  return static_cast<int>(values.size()) - 1;
}

int Graph::add_constant(const Tensor& tensor) {
  constants.push_back(tensor);
  return add_value({tensor.spec(), ValueKind::constant, static_cast<int>(constants.size()) - 1});
}

int Graph::id_of(const Tensor& tensor) {
  if (tensor.is_traced()) {
    PH_CHECK(tensor.graph().get() == this,
             "a tensor traced in one program was used in another; tensors made while "
             "tracing (in a layer's call, a loss, a metric) must not be kept");
    return tensor.value();
  }
  const auto [at, added] = constant_ids_.emplace(tensor.id(), -1);
  if (added) at->second = add_constant(tensor);
  return at->second;
}

Tensor Graph::add_input(const Spec& spec) {
  const int id = add_value({spec, ValueKind::input, static_cast<int>(inputs.size())});
  inputs.push_back(id);
  return Tensor::traced(spec, shared_from_this(), id);
}

int Graph::add_node(const Op& op, std::vector<int> input_ids, const Attributes& attributes) {
  Specs specs;
  for (int id : input_ids) specs.push_back(values[id].spec);
  Node node{&op, attributes, std::move(input_ids), {}, {part, {}}};
  const int index = static_cast<int>(nodes.size());
  int output = 0;
  for (const Spec& spec : op.infer(span_of(specs), attributes.data())) {
    node.outputs.push_back(add_value({spec, ValueKind::result, index, output++}));
  }
  nodes.push_back(std::move(node));
  return index;
}

Tensors Graph::add_node(const Op& op, const Tensors& inputs, const Attributes& attributes) {
  PH_CHECK(!closed, op.name,
           ": a tensor was used after the trace that made it had ended; tensors made while tracing (in a "
           "layer's call, a loss, a metric) must not be kept");
  std::vector<int> ids;
  for (const Tensor& tensor : inputs) ids.push_back(id_of(tensor));
  const int index = add_node(op, std::move(ids), attributes);
  Tensors results;
  for (int id : nodes[index].outputs) results.push_back(Tensor::traced(values[id].spec, shared_from_this(), id));
  return results;
}

int Graph::index_of(const std::shared_ptr<Variable>& variable) {
  const auto [at, added] = variable_index_.emplace(variable.get(), static_cast<int>(variables.size()));
  if (added) variables.push_back(variable);
  return at->second;
}

Tensor Graph::read(const std::shared_ptr<Variable>& variable) {
  const int index = index_of(variable);
  auto at = current_value_.find(index);
  if (at == current_value_.end()) {
    at = current_value_.emplace(index, add_value({variable->spec(), ValueKind::variable, index})).first;
  }
  return Tensor::traced(variable->spec(), shared_from_this(), at->second);
}

void Graph::assign(const std::shared_ptr<Variable>& variable, const Tensor& value) {
  const int index = index_of(variable), id = id_of(value);
  current_value_[index] = id;
  for (auto& [updated, new_value] : updates) {
    if (updated == index) {
      new_value = id;
      return;
    }
  }
  updates.emplace_back(index, id);
}

void Graph::set_outputs(const Tensors& tensors) {
  outputs.clear();
  for (const Tensor& tensor : tensors) outputs.push_back(id_of(tensor));
}

const char* phase_name(Phase phase) {
  constexpr const char* names[] = {"forward", "backward", "update"};
  return names[static_cast<int>(phase)];
}

Part Graph::enter(const std::string& name, Phase phase) {
  const Part before = part;
  const std::string& outer = paths[before.path];
  std::string path = outer.empty() ? name : outer + "/" + name;
  if (outer == name || outer.ends_with("/" + name)) path = outer;
  const auto known = std::find(paths.begin(), paths.end(), path);
  part = {static_cast<int>(known - paths.begin()), phase};
  if (known == paths.end()) paths.push_back(std::move(path));
  return before;
}

static std::string value_text(const Graph& graph, int id) {
  const Value& value = graph.values[id];
  switch (value.kind) {
    case ValueKind::input:
      return concat("input", value.index);
    case ValueKind::variable:
      return concat("'", graph.variables[value.index]->name, "'");
    case ValueKind::constant:
      return concat("const", value.index);
    case ValueKind::result:
      return concat("%", id);
  }
  return "?";
}

std::string Graph::text() const {
  std::ostringstream out;
  for (const Node& node : nodes) {
    for (size_t i = 0; i < node.outputs.size(); ++i) out << (i ? ", " : "") << "%" << node.outputs[i];
    out << " = " << node.op->name << "(";
    for (size_t i = 0; i < node.inputs.size(); ++i) out << (i ? ", " : "") << value_text(*this, node.inputs[i]);
    const std::string attributes = node.attributes.text();
    if (!attributes.empty()) out << (node.inputs.empty() ? "" : ", ") << attributes;
    out << ")  #";
    for (int id : node.outputs) out << " " << values[id].spec;
    out << "\n";
  }
  for (const auto& [variable, id] : updates) {
    out << "'" << variables[variable]->name << "' <- " << value_text(*this, id) << "\n";
  }
  out << "return";
  for (size_t i = 0; i < outputs.size(); ++i) out << (i ? ", " : " ") << value_text(*this, outputs[i]);
  out << "\n";
  return out.str();
}

}  // namespace ph
