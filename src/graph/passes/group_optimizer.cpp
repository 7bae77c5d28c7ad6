// The optimizer updates of all variables into one node, so that a network's many small variables cost one kernel call.
// Nodes are grouped when they are the same op with the same attributes and the same shared inputs on variables of one
// dtype; the group stands where its last member stood, so a node whose results are read before that stays on its own.
#include <algorithm>

#include "graph/passes.h"

namespace ph {

namespace {

int shared_inputs(const Node& node) { return static_cast<int>(node.inputs.size()) % node.op->traits.group; }

bool alike(const Graph& graph, const Node& a, const Node& b) {
  const auto dtype = [&](const Node& node) { return graph.values[node.inputs[0]].spec.dtype; };
  return a.op == b.op && dtype(a) == dtype(b) && a.attributes == b.attributes && shared_inputs(a) == shared_inputs(b) &&
         std::equal(a.inputs.end() - shared_inputs(a), a.inputs.end(), b.inputs.end() - shared_inputs(b));
}

// The first node that reads a result of `node`, or the number of nodes.
size_t first_reader(const Graph& graph, const Node& node) {
  for (size_t i = 0; i < graph.nodes.size(); ++i) {
    for (int id : graph.nodes[i].inputs) {
      if (std::find(node.outputs.begin(), node.outputs.end(), id) != node.outputs.end()) return i;
    }
  }
  return graph.nodes.size();
}

}  // namespace

GraphPtr group_optimizer(const Graph& graph) {
  std::vector<std::vector<size_t>> groups;  // positions of nodes that are alike
  for (size_t i = 0; i < graph.nodes.size(); ++i) {
    if (!graph.nodes[i].op->traits.group) continue;
    const auto group = std::find_if(groups.begin(), groups.end(), [&](const std::vector<size_t>& members) {
      return alike(graph, graph.nodes[members.front()], graph.nodes[i]);
    });
    group == groups.end() ? groups.push_back({i}) : group->push_back(i);
  }
  for (auto& members : groups) {
    const size_t last = members.back();
    std::erase_if(members, [&](size_t i) { return first_reader(graph, graph.nodes[i]) < last; });
  }

  GraphCopy copy(graph);
  for (size_t i = 0; i < graph.nodes.size(); ++i) {
    const Node& node = graph.nodes[i];
    const auto group = std::find_if(groups.begin(), groups.end(), [&](const std::vector<size_t>& members) {
      return std::find(members.begin(), members.end(), i) != members.end();
    });
    if (group == groups.end()) {
      copy.copy(node);
    } else if (group->back() == i) {
      std::vector<int> inputs;
      std::vector<const Node*> members;
      for (size_t member : *group) {
        members.push_back(&graph.nodes[member]);
        const std::vector<int>& own = graph.nodes[member].inputs;
        for (auto id = own.begin(); id != own.end() - shared_inputs(node); ++id) inputs.push_back(copy[*id]);
      }
      for (auto id = node.inputs.end() - shared_inputs(node); id != node.inputs.end(); ++id)
        inputs.push_back(copy[*id]);
      const int added = copy.graph->add_node(*node.op, std::move(inputs), node.attributes);
      copy.graph->nodes[added].parts = join_parts(members);
      auto result = copy.graph->nodes[added].outputs.begin();
      for (size_t member : *group) {
        for (int id : graph.nodes[member].outputs) copy.rename(id, *result++);
      }
    }
  }
  return copy.finish();
}

}  // namespace ph
