// What scales and shifts the channels of a product goes into its weights: add(multiply(subtract(conv2d(x, k), mean),
// scale), beta), which a batch normalization is when nothing is trained, becomes add(conv2d(x, multiply(k, scale)),
// add(multiply(negative(mean), scale), beta)). The weights are small beside the images, of which walks are saved. Only
// where nobody else reads what lies between; results differ by rounding.
#include "graph/passes.h"
#include "ops/matmul.h"
#include "ops/shape.h"

namespace ph {

namespace {

class Folder {
 public:
  explicit Folder(const Graph& graph)
      : graph_(graph), uses_(count_uses(graph)), reader_(graph.values.size(), -1), chains_(graph.nodes.size()) {
    for (size_t i = 0; i < graph.nodes.size(); ++i) {
      for (int id : graph.nodes[i].inputs) reader_[id] = static_cast<int>(i);
    }
  }

  GraphPtr run() {
    std::vector<bool> absorbed(graph_.nodes.size(), false);
    for (const Node& node : graph_.nodes) {
      if (!makes_channels(node)) continue;
      Chain chain = chain_of(node);
      if (chain.empty()) continue;
      for (const Node* part : chain) absorbed[part - graph_.nodes.data()] = true;
      chains_[chain.back() - graph_.nodes.data()] = std::move(chain);
    }
    GraphCopy copy(graph_);
    for (size_t i = 0; i < graph_.nodes.size(); ++i) {
      // stands where the last node stood: by then all vectors exist
      if (!chains_[i].empty()) {
        fold(copy, chains_[i]);
      } else if (!absorbed[i]) {
        copy.copy(graph_.nodes[i]);
      }
    }
    return copy.finish();
  }

 private:
  using Chain = std::vector<const Node*>;  // the product, and what is folded into it

  static bool is(const Node& node, std::string_view name) { return node.op->name == name; }

  // Products whose results' channels are the last axis of their weights, which are not larger than half of what is
  // saved by not scaling the result.
  bool makes_channels(const Node& node) const {
    const bool is_product = is(node, "matmul") && !node.attributes.as<MatmulAttrs>().transpose_b;
    if (node.inputs.size() != 2 || !(is_product || is(node, "conv2d"))) return false;
    const Shape& weights = graph_.values[node.inputs[1]].spec.shape;
    const Shape& result = graph_.values[node.outputs[0]].spec.shape;
    return weights.rank() == (is_product ? 2 : 4) && 2 * weights.size() <= result.size();
  }

  // The input of an addition, subtraction or multiplication that has one element for each channel of the other, `of`;
  // -1 where it is another node.
  int vector_of(const Node& node, int of) const {
    const bool either_way = is(node, "add") || is(node, "multiply");
    if (!either_way && !(is(node, "subtract") && node.inputs[0] == of)) return -1;
    const int vector = node.inputs[node.inputs[0] == of ? 1 : 0];
    const Spec &spec = graph_.values[vector].spec, &whole = graph_.values[of].spec;
    const int64_t channels = whole.shape.back();
    const bool fits = spec.shape.rank() > 0 && spec.shape.rank() <= whole.shape.rank() && spec.dtype == whole.dtype &&
                      spec.shape.size() == channels && spec.shape.back() == channels;
    return fits && vector != of ? vector : -1;
  }

  // Up to the last of the nodes that follow one another; empty where nothing scales.
  Chain chain_of(const Node& product) const {
    Chain chain{&product};
    bool scales = false;
    for (int id = product.outputs[0]; uses_[id] == 1 && reader_[id] >= 0;) {
      const Node& next = graph_.nodes[reader_[id]];
      if (vector_of(next, id) < 0) break;
      scales = scales || is(next, "multiply");
      chain.push_back(&next);
      id = next.outputs[0];
    }
    return scales ? chain : Chain{};
  }

  void fold(GraphCopy& copy, const Chain& chain) const {
    const Node& product = *chain[0];
    const auto add = [&](const char* op, std::vector<int> inputs, const Node& of,
                         const Attributes& attributes = Attributes::of(NoAttrs{})) {
      const int node = copy.graph->add_node(find_op(op), std::move(inputs), attributes);
      copy.graph->nodes[node].parts = of.parts;
      return copy.graph->nodes[node].outputs[0];
    };
    const auto flat = [&](int vector, const Node& of) {
      const Shape& shape = copy.graph->values[vector].spec.shape;
      if (shape.rank() == 1) return vector;
      return add("reshape", {vector}, of, Attributes::of(ReshapeAttrs{IntList(Shape{shape.back()})}));
    };
    int weights = copy[product.inputs[1]], bias = -1;
    for (size_t i = 1; i < chain.size(); ++i) {
      const Node& node = *chain[i];
      const int vector = flat(copy[vector_of(node, chain[i - 1]->outputs[0])], node);
      if (is(node, "multiply")) weights = add("multiply", {weights, vector}, node);
      if (bias >= 0) {
        bias = add(node.op->name, {bias, vector}, node);
      } else if (is(node, "add")) {
        bias = vector;
      } else if (is(node, "subtract")) {
        bias = add("negative", {vector}, node);
      }
    }
    const Node& last = *chain.back();
    const int made = copy.graph->add_node(*product.op, {copy[product.inputs[0]], weights}, product.attributes);
    const Parts parts = join_parts(chain);
    copy.graph->nodes[made].parts = parts;
    int result = copy.graph->nodes[made].outputs[0];
    if (bias >= 0) result = add("add", {result, bias}, product);
    copy.rename(last.outputs[0], result);
  }

  const Graph& graph_;
  std::vector<int> uses_;
  std::vector<int> reader_;    // the last node that reads a value
  std::vector<Chain> chains_;  // of the node that ends it
};

}  // namespace

GraphPtr fold_scale(const Graph& graph) { return Folder(graph).run(); }

}  // namespace ph
