// A ReLU into the batch normalization before it: forward, relu(batch_norm_train(...)) clips before it stores; backward,
// batch_norm_grad(..., relu_grad(dy, y)) takes dy and y as they are. Each saves a walk through the activations.
#include "core/activation.h"
#include "graph/passes.h"
#include "ops/norm.h"

namespace ph {

namespace {

bool is(const Node& node, std::string_view name) { return node.op->name == name; }

}  // namespace

GraphPtr fuse_norm(const Graph& graph) {
  const std::vector<int> uses = count_uses(graph);
  std::vector<int> relu_of(graph.values.size(), -1);  // value -> the ReLU node that alone reads it
  for (size_t i = 0; i < graph.nodes.size(); ++i) {
    const Node& node = graph.nodes[i];
    if (is(node, "relu") && uses[node.inputs[0]] == 1) relu_of[node.inputs[0]] = static_cast<int>(i);
  }
  GraphCopy copy(graph);
  std::vector<bool> absorbed(graph.nodes.size(), false);
  for (size_t i = 0; i < graph.nodes.size(); ++i) {
    const Node& node = graph.nodes[i];
    if (absorbed[i]) continue;
    if (is(node, "batch_norm_train") && relu_of[node.outputs[0]] >= 0) {
      Attributes attributes = node.attributes;
      attributes.as<BatchNormAttrs>().activation = Activation::relu;
      copy.replace(node, *node.op, {copy[node.inputs[0]], copy[node.inputs[1]], copy[node.inputs[2]]}, attributes);
      const int relu = relu_of[node.outputs[0]];
      copy.graph->nodes.back().parts = join_parts({&node, &graph.nodes[relu]});
      copy.rename(graph.nodes[relu].outputs[0], copy[node.outputs[0]]);
      absorbed[relu] = true;
      continue;
    }
    if (is(node, "batch_norm_grad") && node.inputs.size() == 5) {
      const Value& dy = graph.values[node.inputs[4]];
      if (dy.kind == ValueKind::result && uses[node.inputs[4]] == 1 && is(graph.nodes[dy.index], "relu_grad")) {
        const Node& relu_grad = graph.nodes[dy.index];
        if (graph.values[relu_grad.inputs[0]].spec == dy.spec && graph.values[relu_grad.inputs[1]].spec == dy.spec) {
          std::vector<int> inputs;
          for (int k = 0; k < 4; ++k) inputs.push_back(copy[node.inputs[k]]);
          for (int id : relu_grad.inputs) inputs.push_back(copy[id]);
          copy.replace(node, *node.op, inputs, node.attributes);
          copy.graph->nodes.back().parts = join_parts({&node, &relu_grad});
          continue;
        }
      }
    }
    copy.copy(node);
  }
  return dead_code(*copy.finish());
}

}  // namespace ph
