// Common subexpressions: a node equal to an earlier one (op, attributes, inputs) gives way to it.
#include <algorithm>
#include <cstring>
#include <unordered_map>

#include "graph/passes.h"

namespace ph {

// Small constants with the same bits get one id, so that nodes that use them can be equal.
static void merge_constants(const Graph& graph, GraphCopy& copy) {
  constexpr size_t most_bytes = 64;
  std::unordered_map<std::string, int> seen;
  for (size_t id = 0; id < graph.values.size(); ++id) {
    const Value& value = graph.values[id];
    if (value.kind != ValueKind::constant || value.spec.bytes() > most_bytes) continue;
    std::string bits(value.spec.bytes(), '\0');
    graph.constants[value.index].to_host(bits.data());
    const auto [at, added] = seen.emplace(concat(value.spec, bits), copy[static_cast<int>(id)]);
    if (!added) copy.rename(static_cast<int>(id), at->second);
  }
}

GraphPtr common(const Graph& graph) {
  GraphCopy copy(graph);
  merge_constants(graph, copy);
  std::unordered_multimap<size_t, int> seen;  // hash -> node of the new graph
  for (const Node& node : graph.nodes) {
    std::vector<int> inputs;
    for (int id : node.inputs) inputs.push_back(copy[id]);
    if (node.op->traits.commutative) std::sort(inputs.begin(), inputs.end());
    size_t hash = std::hash<const void*>()(node.op) ^ node.attributes.hash();
    for (int id : inputs) hash = hash * 1000003 ^ static_cast<size_t>(id);

    const auto [begin, end] = seen.equal_range(hash);
    const auto equal = std::find_if(begin, end, [&](const auto& entry) {
      const Node& other = copy.graph->nodes[entry.second];
      return other.op == node.op && other.inputs == inputs && other.attributes == node.attributes;
    });
    if (equal != end) {
      const Node& other = copy.graph->nodes[equal->second];
      for (size_t i = 0; i < node.outputs.size(); ++i) copy.rename(node.outputs[i], other.outputs[i]);
    } else {
      copy.replace(node, *node.op, inputs, node.attributes);
      seen.emplace(hash, static_cast<int>(copy.graph->nodes.size()) - 1);
    }
  }
  return copy.finish();
}

}  // namespace ph
