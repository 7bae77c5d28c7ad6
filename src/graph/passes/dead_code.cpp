#include "graph/passes.h"

namespace ph {

GraphPtr dead_code(const Graph& graph) {
  std::vector<bool> needed(graph.values.size(), false);
  for (int id : graph.outputs) needed[id] = true;
  for (const auto& [variable, id] : graph.updates) needed[id] = true;
  std::vector<bool> keep(graph.nodes.size(), false);
  for (size_t i = graph.nodes.size(); i-- > 0;) {
    for (int id : graph.nodes[i].outputs) keep[i] = keep[i] || needed[id];
    if (!keep[i]) continue;
    for (int id : graph.nodes[i].inputs) needed[id] = true;
  }
  GraphCopy copy(graph);
  for (size_t i = 0; i < graph.nodes.size(); ++i) {
    if (keep[i]) copy.copy(graph.nodes[i]);
  }
  return copy.finish();
}

}  // namespace ph
