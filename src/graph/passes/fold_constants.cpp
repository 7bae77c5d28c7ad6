#include <algorithm>

#include "core/apply.h"
#include "graph/passes.h"
#include "graph/tape.h"

namespace ph {

// Results above this size are left to the program: they would live as long as it does.
static constexpr int64_t most_folded_bytes = 1 << 20;

GraphPtr fold_constants(const Graph& graph) {
  const PauseRecording pause;
  GraphCopy copy(graph);
  for (const Node& node : graph.nodes) {
    const bool constant = std::all_of(node.inputs.begin(), node.inputs.end(),
                                      [&](int id) { return copy.graph->values[copy[id]].kind == ValueKind::constant; });
    const bool small = std::all_of(node.outputs.begin(), node.outputs.end(), [&](int id) {
      return static_cast<int64_t>(graph.values[id].spec.bytes()) <= most_folded_bytes;
    });
    if (!constant || !small) {
      copy.copy(node);
      continue;
    }
    Tensors inputs;
    for (int id : node.inputs) inputs.push_back(copy.graph->constants[copy.graph->values[copy[id]].index]);
    const Tensors results = apply(*node.op, inputs, node.attributes);
    for (size_t i = 0; i < results.size(); ++i) copy.rename(node.outputs[i], copy.graph->add_constant(results[i]));
  }
  return copy.finish();
}

}  // namespace ph
