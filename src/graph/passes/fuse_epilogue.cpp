// Bias and ReLU into the op that makes their operand: relu(add(matmul(a, b), bias)) becomes one matmul whose kernel
// adds the bias and clips before it stores. Only where nobody else reads what lies between. A reshape that keeps the
// last axis may stand in between, as it does where a matrix is applied to more than one axis of rows; it then comes
// last.
#include "core/activation.h"
#include "graph/passes.h"

namespace ph {

namespace {

// Where a node's attribute `activation` lies; ops with the epilogue trait have one.
Activation& activation_of(Attributes& attributes) {
  for (int i = 0; i < attributes.type()->fields.count; ++i) {
    const Field& field = attributes.type()->fields.fields[i];
    if (std::string_view(field.name) == "activation") {
      return *reinterpret_cast<Activation*>(static_cast<char*>(attributes.data()) + field.offset);
    }
  }
  PH_FAIL("an op with the epilogue trait has no attribute `activation`");
}

// The position of the input of add(a, b) that is a bias of the other: one dimension, the size of the last.
int bias_position(const Graph& graph, const Node& add) {
  for (int i = 0; i < 2; ++i) {
    const Shape& bias = graph.values[add.inputs[i]].spec.shape;
    const Shape& other = graph.values[add.inputs[1 - i]].spec.shape;
    if (bias.rank() == 1 && other.rank() > 1 && bias[0] == other.back()) return i;
  }
  return -1;
}

class Fuser {
 public:
  explicit Fuser(const Graph& graph)
      : graph_(graph), uses_(count_uses(graph)), reader_(graph.values.size(), -1), plans_(graph.nodes.size()) {
    for (size_t i = 0; i < graph.nodes.size(); ++i) {
      for (int id : graph.nodes[i].inputs) reader_[id] = static_cast<int>(i);
    }
  }

  GraphPtr run() {
    for (size_t i = 0; i < graph_.nodes.size(); ++i) follow(static_cast<int>(i));
    GraphCopy copy(graph_);
    for (size_t i = 0; i < graph_.nodes.size(); ++i) {
      const Node& node = graph_.nodes[i];
      const Plan& plan = plans_[i];
      if (plan.absorbed) continue;
      if (plan.producer < 0) {
        copy.copy(node);
        continue;
      }
      // stands where the last absorbed node stood: by then the bias exists
      const Node& producer = graph_.nodes[plan.producer];
      std::vector<int> inputs{copy[producer.inputs[0]], copy[producer.inputs[1]]};
      if (plan.bias >= 0) inputs.push_back(copy[plan.bias]);
      Attributes attributes = producer.attributes;
      if (plan.relu) activation_of(attributes) = Activation::relu;
      const Parts parts = parts_of(plan.producer, static_cast<int>(i));
      if (plan.reshape >= 0) {
        const Node& reshape = graph_.nodes[plan.reshape];
        const int product = copy.graph->add_node(*producer.op, inputs, attributes);
        copy.graph->nodes[product].parts = parts;
        copy.replace(node, *reshape.op, {copy.graph->nodes[product].outputs[0]}, reshape.attributes);
      } else {
        copy.replace(node, *producer.op, inputs, attributes);
      }
      copy.graph->nodes.back().parts = parts;
    }
    return copy.finish();
  }

 private:
  struct Plan {
    bool absorbed = false;  // computed within a later node
    int producer = -1;      // this node becomes that producer with ...
    int bias = -1;          // ... this bias (a value), if not negative ...
    bool relu = false;      // ... and this activation ...
    int reshape = -1;       // ... and this node behind it
  };

  // The only node that reads a value, or -1 where there are several readers or it is no node.
  int only_reader(int id) const { return uses_[id] == 1 ? reader_[id] : -1; }

  Parts parts_of(int producer, int last) const {
    std::vector<const Node*> nodes{&graph_.nodes[producer]};
    while (producer != last) {
      producer = only_reader(graph_.nodes[producer].outputs[0]);
      nodes.push_back(&graph_.nodes[producer]);
    }
    return join_parts(nodes);
  }

  bool keeps_last_axis(const Node& node) const {
    if (std::string_view(node.op->name) != "reshape") return false;
    const Shape &from = graph_.values[node.inputs[0]].spec.shape, &to = graph_.values[node.outputs[0]].spec.shape;
    return from.rank() > 0 && to.rank() > 0 && from.back() == to.back();
  }

  void follow(int producer) {
    const Node& node = graph_.nodes[producer];
    if (!node.op->traits.epilogue || node.inputs.size() != 2) return;
    int last = producer, bias = -1, reshape = -1;
    bool relu = false;
    int result = node.outputs[0], reader = only_reader(result);
    if (reader >= 0 && keeps_last_axis(graph_.nodes[reader])) {
      reshape = reader;
      result = graph_.nodes[reshape].outputs[0];
      reader = only_reader(result);
    }
    if (reader >= 0 && std::string_view(graph_.nodes[reader].op->name) == "add") {
      const Node& add = graph_.nodes[reader];
      const int position = bias_position(graph_, add);
      if (position >= 0 && add.inputs[1 - position] == result) {
        bias = add.inputs[position];
        last = reader;
        reader = only_reader(add.outputs[0]);
      }
    }
    if (bias >= 0 && reader >= 0 && std::string_view(graph_.nodes[reader].op->name) == "relu") {
      relu = true;
      last = reader;
    }
    if (last == producer) return;
    for (int absorbed = producer; absorbed != last;) {
      plans_[absorbed].absorbed = true;
      absorbed = only_reader(graph_.nodes[absorbed].outputs[0]);
    }
    plans_[last] = {false, producer, bias, relu, reshape};
  }

  const Graph& graph_;
  std::vector<int> uses_;
  std::vector<int> reader_;  // the last node that reads a value
  std::vector<Plan> plans_;
};

}  // namespace

GraphPtr fuse_epilogue(const Graph& graph) { return Fuser(graph).run(); }

}  // namespace ph
