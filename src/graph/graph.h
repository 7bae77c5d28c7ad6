// Graph: what a trace recorded. Flat lists; values and nodes are known by their index; nodes stand in an order in which
// they can run. There is no mutation in it: state is the list of (variable, new value) pairs in `updates`.
#pragma once
#include <memory>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "core/op.h"
#include "core/variable.h"

namespace ph {

enum class ValueKind { input, variable, constant, result };

struct Value {
  Spec spec;
  ValueKind kind = ValueKind::result;
  int index = -1;  // input: position in inputs; variable, constant: position in their list; result: the node
  int output = 0;  // result: which of the node's outputs
};

// What a node is for: results, gradients, or new values of variables.
enum class Phase : uint8_t { forward, backward, update };
const char* phase_name(Phase phase);

// A part of a model: the path of the layers whose call made a node ("block/conv2d"), or "loss", "optimizer" and the
// like.
struct Part {
  int path = 0;  // position in Graph::paths
  Phase phase = Phase::forward;
  bool operator==(const Part&) const = default;
};
// A fused node does the work of several parts.
struct Parts {
  Part main;
  std::vector<Part> others;
};

struct Node {
  const Op* op;
  Attributes attributes;
  std::vector<int> inputs;
  std::vector<int> outputs;
  Parts parts;
};

class Graph : public std::enable_shared_from_this<Graph> {
 public:
  // Building, while tracing.
  Tensor add_input(const Spec& spec);
  Tensors add_node(const Op& op, const Tensors& inputs, const Attributes& attributes);
  Tensor read(const std::shared_ptr<Variable>& variable);
  void assign(const std::shared_ptr<Variable>& variable, const Tensor& value);
  void set_outputs(const Tensors& outputs);
  // Makes `name`, within the present part, the part of the nodes that follow; returns the present one. A part within
  // one of the same name is the same.
  Part enter(const std::string& name, Phase phase);

  // Building, in passes.
  int add_value(const Value& value);
  int add_constant(const Tensor& tensor);
  // Appends a node and its result values.
  int add_node(const Op& op, std::vector<int> inputs, const Attributes& attributes);

  // The value id of a tensor: a traced value of this graph, or a constant made of it.
  int id_of(const Tensor& tensor);

  // One line per node: "%3 = matmul(%0, %1, transpose_b=True)  # float32(32, 10)".
  std::string text() const;

  std::vector<Value> values;
  std::vector<Node> nodes;
  std::vector<int> inputs;                           // value ids, in call order
  std::vector<std::shared_ptr<Variable>> variables;  // read or assigned; Value::index points here
  std::vector<Tensor> constants;                     // concrete
  std::vector<int> outputs;                          // value ids
  std::vector<std::pair<int, int>> updates;          // (position in variables, value id)
  std::vector<std::string> paths{""};                // of parts; the first: outside all layers
  Part part;                                         // that of nodes to come
  bool closed = false;                               // set when the trace is over

 private:
  int index_of(const std::shared_ptr<Variable>& variable);
  std::unordered_map<const Variable*, int> variable_index_;
  std::unordered_map<int, int> current_value_;      // variable index -> value id
  std::unordered_map<uint64_t, int> constant_ids_;  // tensor id -> value id
};

// The graph this thread is tracing into, or nullptr.
const std::shared_ptr<Graph>& current_graph();

// While alive, variable reads and assignments on this thread go to `graph`.
class TraceScope {
 public:
  explicit TraceScope(std::shared_ptr<Graph> graph);
  ~TraceScope();
  TraceScope(const TraceScope&) = delete;

 private:
  std::shared_ptr<Graph> previous_;
};

}  // namespace ph
