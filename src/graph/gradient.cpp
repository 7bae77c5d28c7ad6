// One reverse walk over records of op calls.
#include <algorithm>

#include "graph/graph.h"
#include "graph/tape.h"
#include "ops/creation.h"
#include "ops/elementwise.h"

namespace ph {

namespace {

// Gradients by tensor id.
class Accumulator {
 public:
  void add(const Tensor& of, const Tensor& grad) {
    if (!grad.defined()) return;
    PH_CHECK(grad.shape() == of.shape(), "gradient: a rule gave shape ", grad.shape(), " for a tensor of shape ",
             of.shape());
    Tensor& slot = grads_[of.id()];
    slot = slot.defined() ? ph::add(slot, grad) : grad;
  }
  Tensor get(const Tensor& of) const {
    const auto found = grads_.find(of.id());
    return found == grads_.end() ? Tensor() : found->second;
  }

 private:
  std::unordered_map<uint64_t, Tensor> grads_;
};

// While alive, traced nodes belong to the part of the node that made `result`, as its gradient.
class BackwardPart {
 public:
  explicit BackwardPart(const Tensor& result) {
    if (!result.is_traced()) return;
    graph_ = result.graph();
    before_ = graph_->part;
    const Value& value = graph_->values[result.value()];
    if (value.kind == ValueKind::result) graph_->part = {graph_->nodes[value.index].parts.main.path, Phase::backward};
  }
  ~BackwardPart() {
    if (graph_) graph_->part = before_;
  }
  BackwardPart(const BackwardPart&) = delete;

 private:
  std::shared_ptr<Graph> graph_;
  Part before_;
};

}  // namespace

Tensors gradient(const std::vector<Record>& records, const Tensors& targets, const Tensors& target_grads,
                 const Tensors& sources) {
  // What depends on a source: only there are gradients of interest.
  std::unordered_set<uint64_t> reached;
  for (const Tensor& source : sources) reached.insert(source.id());
  for (const Record& record : records) {
    const bool any = std::any_of(record.inputs.begin(), record.inputs.end(),
                                 [&](const Tensor& t) { return reached.contains(t.id()); });
    if (!any) continue;
    for (const Tensor& output : record.outputs) {
      if (is_float(output.dtype())) reached.insert(output.id());
    }
  }

  Accumulator grads;
  for (size_t i = 0; i < targets.size(); ++i) {
    const bool given = i < target_grads.size() && target_grads[i].defined();
    grads.add(targets[i], given ? target_grads[i] : ones(targets[i].spec()));
  }
  for (auto record = records.rbegin(); record != records.rend(); ++record) {
    Tensors output_grads;
    bool any = false;
    for (const Tensor& output : record->outputs) {
      output_grads.push_back(grads.get(output));
      any = any || output_grads.back().defined();
    }
    std::vector<bool> need;
    bool needed = false;
    for (const Tensor& input : record->inputs) {
      need.push_back(is_float(input.dtype()) && reached.contains(input.id()));
      needed = needed || need.back();
    }
    if (!any || !needed) continue;
    PH_CHECK(!record->op->lacks_gradient, "gradient: there is no rule for the gradient of ", record->op->name, ": ",
             record->op->no_gradient_reason);
    if (!record->op->gradient) continue;
    const BackwardPart part(record->outputs[0]);
    const Tensors input_grads =
        record->op->gradient({record->inputs, record->outputs, output_grads, need}, record->attributes.data());
    for (size_t i = 0; i < input_grads.size(); ++i) {
      if (i < need.size() && need[i]) grads.add(record->inputs[i], input_grads[i]);
    }
  }

  Tensors results;
  for (const Tensor& source : sources) results.push_back(grads.get(source));
  return results;
}

}  // namespace ph
