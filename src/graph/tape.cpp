#include "graph/tape.h"

#include <algorithm>

namespace ph {

std::vector<Tape*>& active_tapes() {
  static thread_local std::vector<Tape*> tapes;
  return tapes;
}

void Tape::watch(const Tensor& tensor) {
  PH_CHECK_TYPE(is_float(tensor.dtype()), "GradientTape.watch: tensor must be floating, got ", tensor.spec());
  followed_.insert(tensor.id());
}

void Tape::watch(const std::shared_ptr<Variable>& variable, const Tensor& value) {
  if (!is_float(value.dtype())) return;
  followed_.insert(value.id());
  auto& reads = reads_[variable.get()];
  if (reads.empty()) watched_.push_back(variable);
  const bool known = std::any_of(reads.begin(), reads.end(), [&](const Tensor& t) { return t.id() == value.id(); });
  if (!known) reads.push_back(value);
}

void Tape::saw_read(const std::shared_ptr<Variable>& variable, const Tensor& value) {
  if ((watch_variables_ && variable->trainable) || reads_.contains(variable.get())) watch(variable, value);
}

void Tape::saw_call(const Op& op, const Attributes& attributes, const Tensors& inputs, const Tensors& outputs) {
  const bool any = std::any_of(inputs.begin(), inputs.end(), [&](const Tensor& t) { return follows(t); });
  if (!any) return;
  for (const Tensor& output : outputs) {
    if (is_float(output.dtype())) followed_.insert(output.id());
  }
  records_.push_back({&op, attributes, inputs, outputs});
}

std::vector<Tensor> Tape::reads_of(const Variable& variable) const {
  const auto found = reads_.find(&variable);
  return found == reads_.end() ? std::vector<Tensor>() : found->second;
}

std::vector<std::shared_ptr<Variable>> Tape::watched_variables() const { return watched_; }

void Tape::forget_records() {
  records_.clear();
  followed_.clear();
  reads_.clear();
}

void Tape::clear() {
  forget_records();
  watched_.clear();
}

}  // namespace ph
