#include "graph/passes.h"

#include <algorithm>
#include <cstdlib>

namespace ph {

const std::vector<Pass>& all_passes() {
  static const std::vector<Pass> passes = {
      {"dead_code", dead_code},
      {"fold_constants", fold_constants},
      {"simplify", simplify},
      {"common", common},
      {"fold_scale", fold_scale},
      {"fuse_epilogue", fuse_epilogue},
      {"fuse_norm", fuse_norm},
      {"fuse_elementwise", fuse_elementwise},
      {"group_optimizer", group_optimizer},
  };
  return passes;
}

static bool is_wanted(const std::string& name, const std::string& setting) {
  if (setting.empty()) return true;
  return ("," + setting + ",").find("," + name + ",") != std::string::npos;
}

GraphPtr run_passes(GraphPtr graph) {
  const char* setting = std::getenv("PRONGHORN_PASSES");
  for (const Pass& pass : all_passes()) {
    if (pass.run == dead_code || is_wanted(pass.name, setting ? setting : "")) graph = pass.run(*graph);
  }
  return dead_code(*graph);
}

GraphCopy::GraphCopy(const Graph& from)
    : graph(std::make_shared<Graph>()), from_(from), renamed_(from.values.size(), -1) {
  graph->closed = true;
  graph->variables = from.variables;
  graph->paths = from.paths;
  graph->inputs.resize(from.inputs.size());
  for (size_t id = 0; id < from.values.size(); ++id) {
    const Value& value = from.values[id];
    if (value.kind == ValueKind::result) continue;
    if (value.kind == ValueKind::constant) {
      renamed_[id] = graph->add_constant(from.constants[value.index]);
    } else {
      renamed_[id] = graph->add_value(value);
    }
    if (value.kind == ValueKind::input) graph->inputs[value.index] = renamed_[id];
  }
}

void GraphCopy::replace(const Node& node, const Op& op, std::vector<int> new_inputs, const Attributes& attributes) {
  const int added = graph->add_node(op, std::move(new_inputs), attributes);
  graph->nodes[added].parts = node.parts;
  for (size_t i = 0; i < node.outputs.size(); ++i) rename(node.outputs[i], graph->nodes[added].outputs[i]);
}

void GraphCopy::copy(const Node& node) {
  std::vector<int> inputs;
  for (int id : node.inputs) inputs.push_back((*this)[id]);
  replace(node, *node.op, std::move(inputs), node.attributes);
}

GraphPtr GraphCopy::finish() {
  for (int id : from_.outputs) graph->outputs.push_back((*this)[id]);
  for (const auto& [variable, id] : from_.updates) graph->updates.emplace_back(variable, (*this)[id]);
  return graph;
}

Parts join_parts(const std::vector<const Node*>& nodes) {
  Parts joined{nodes[0]->parts.main, {}};
  const auto add = [&](const Part& part) {
    const bool known =
        part == joined.main || std::find(joined.others.begin(), joined.others.end(), part) != joined.others.end();
    if (!known) joined.others.push_back(part);
  };
  for (const Node* node : nodes) {
    add(node->parts.main);
    for (const Part& part : node->parts.others) add(part);
  }
  return joined;
}

std::vector<int> count_uses(const Graph& graph) {
  std::vector<int> uses(graph.values.size(), 0);
  for (const Node& node : graph.nodes) {
    for (int id : node.inputs) ++uses[id];
  }
  for (int id : graph.outputs) ++uses[id];
  for (const auto& [variable, id] : graph.updates) ++uses[id];
  return uses;
}

}  // namespace ph
