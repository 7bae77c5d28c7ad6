// Local rewrites that leave the result as it was, bit for bit: views of views, casts and transposes that change
// nothing, x * 1, x + 0 (but for the sign of a zero), transposes in front of a matmul, the mask of a ReLU in front of a
// pooling.
#include <optional>

#include "graph/passes.h"
#include "ops/cast.h"
#include "ops/matmul.h"
#include "ops/shape.h"

namespace ph {

namespace {

class Simplifier {
 public:
  explicit Simplifier(const Graph& graph) : graph_(graph), uses_(count_uses(graph)), copy_(graph) {}

  GraphPtr run() {
    for (const Node& node : graph_.nodes) {
      if (!skip_view(node) && !skip_same(node) && !skip_neutral(node) && !fold_transposes(node) && !mask_pooled(node)) {
        copy_.copy(node);
      }
    }
    return copy_.finish();
  }

 private:
  const Graph& now() const { return *copy_.graph; }
  const Spec& spec(int id) const { return now().values[id].spec; }

  // The node of the new graph that makes a value, if any.
  const Node* maker(int id) const {
    const Value& value = now().values[id];
    return value.kind == ValueKind::result ? &now().nodes[value.index] : nullptr;
  }

  std::optional<double> scalar_constant(int id) const {
    const Value& value = now().values[id];
    if (value.kind != ValueKind::constant || value.spec.shape.size() != 1) return {};
    const Tensor& tensor = now().constants[value.index];
    if (value.spec.dtype == DType::float32) return read<float>(tensor);
    if (value.spec.dtype == DType::float64) return read<double>(tensor);
    return {};
  }
  template <class T>
  static double read(const Tensor& tensor) {
    T value;
    tensor.to_host(&value);
    return value;
  }

  bool skip_view(const Node& node) {
    if (!node.op->traits.view) return false;
    int source = copy_[node.inputs[0]];
    const Node* before = maker(source);
    if (before && before->op->traits.view) source = before->inputs[0];
    if (spec(source) == graph_.values[node.outputs[0]].spec) {
      copy_.rename(node.outputs[0], source);
    } else {
      const ReshapeAttrs shape{IntList(graph_.values[node.outputs[0]].spec.shape)};
      copy_.replace(node, find_op("reshape"), {source}, Attributes::of(shape));
    }
    return true;
  }

  // A cast to the dtype that is there, a transpose that leaves all axes where they are, a broadcast to the same shape.
  bool skip_same(const Node& node) {
    if (node.inputs.empty()) return false;
    const std::string_view op = node.op->name;
    const int source = copy_[node.inputs[0]];
    bool same = false;
    if (op == "cast") same = spec(source).dtype == node.attributes.as<CastAttrs>().dtype;
    if (op == "broadcast_to") same = spec(source) == graph_.values[node.outputs[0]].spec;
    if (op == "transpose") {
      const IntList& axes = node.attributes.as<TransposeAttrs>().axes;
      same = axes.size() > 0 || spec(source).shape.rank() < 2;
      for (int i = 0; i < axes.size(); ++i) same = same && axes[i] == i;
    }
    if (same) copy_.rename(node.outputs[0], source);
    return same;
  }

  bool skip_neutral(const Node& node) {
    const std::string_view op = node.op->name;
    const bool multiplies = op == "multiply", adds = op == "add";
    if (!multiplies && !adds && op != "divide" && op != "subtract") return false;
    const double neutral = multiplies || op == "divide" ? 1 : 0;
    const int a = copy_[node.inputs[0]], b = copy_[node.inputs[1]];
    const Spec& result = graph_.values[node.outputs[0]].spec;
    if (scalar_constant(b) == neutral && spec(a) == result) {
      copy_.rename(node.outputs[0], a);
      return true;
    }
    if ((multiplies || adds) && scalar_constant(a) == neutral && spec(b) == result) {
      copy_.rename(node.outputs[0], b);
      return true;
    }
    return false;
  }

  // The source of a transpose that swaps just the last two axes.
  std::optional<int> transposed_source(int id) const {
    const Node* node = maker(id);
    if (!node || std::string_view(node->op->name) != "transpose") return {};
    const IntList& axes = node->attributes.as<TransposeAttrs>().axes;
    const int rank = spec(id).shape.rank();
    if (rank < 2) return {};
    for (int i = 0; i < rank - 2; ++i) {
      if (axes.size() != rank || axes[i] != i) return {};
    }
    if (axes.size() == 0) return rank == 2 ? std::optional(node->inputs[0]) : std::nullopt;
    if (axes[rank - 2] != rank - 1 || axes[rank - 1] != rank - 2) return {};
    return node->inputs[0];
  }

  bool fold_transposes(const Node& node) {
    if (std::string_view(node.op->name) != "matmul") return false;
    auto attributes = node.attributes.as<MatmulAttrs>();
    std::vector<int> inputs;
    for (int id : node.inputs) inputs.push_back(copy_[id]);
    bool changed = false;
    for (int i = 0; i < 2; ++i) {
      if (const auto source = transposed_source(inputs[i])) {
        inputs[i] = *source;
        (i ? attributes.transpose_b : attributes.transpose_a) ^= true;
        changed = true;
      }
    }
    if (changed) copy_.replace(node, *node.op, inputs, Attributes::of(attributes));
    return changed;
  }

  // relu_grad(max_pool2d_grad(x, y, dy), x) = max_pool2d_grad(x, y, relu_grad(dy, y)): a gradient goes to an element
  // that equals y, so that element is positive where y is; and y is the smaller one.
  bool mask_pooled(const Node& node) {
    if (std::string_view(node.op->name) != "relu_grad" || uses_[node.inputs[0]] != 1) return false;
    const Node* pooling = maker(copy_[node.inputs[0]]);
    if (!pooling || std::string_view(pooling->op->name) != "max_pool2d_grad") return false;
    const std::vector<int> of = pooling->inputs;
    if (of[0] != copy_[node.inputs[1]]) return false;
    const Op& op = *pooling->op;
    const Attributes attributes = pooling->attributes;
    const Parts parts = pooling->parts;
    const int mask = copy_.graph->add_node(*node.op, {of[2], of[1]}, node.attributes);
    copy_.graph->nodes[mask].parts = node.parts;
    copy_.replace(node, op, {of[0], of[1], now().nodes[mask].outputs[0]}, attributes);
    copy_.graph->nodes.back().parts = parts;
    return true;
  }

  const Graph& graph_;
  const std::vector<int> uses_;
  GraphCopy copy_;
};

}  // namespace

GraphPtr simplify(const Graph& graph) { return Simplifier(graph).run(); }

}  // namespace ph
