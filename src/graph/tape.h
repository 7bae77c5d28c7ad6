// Tape: a record of op calls from which gradients are taken, for eager and traced tensors alike.
#pragma once
#include <cstdint>
#include <memory>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "core/op.h"
#include "core/variable.h"

namespace ph {

struct Record {
  const Op* op;
  Attributes attributes;
  Tensors inputs;
  Tensors outputs;
};

class Tape {
 public:
  explicit Tape(bool watch_variables) : watch_variables_(watch_variables) {}

  void watch(const Tensor& tensor);
  void watch(const std::shared_ptr<Variable>& variable, const Tensor& value);  // explicitly
  void saw_read(const std::shared_ptr<Variable>& variable, const Tensor& value);
  void saw_call(const Op& op, const Attributes& attributes, const Tensors& inputs, const Tensors& outputs);

  const std::vector<Record>& records() const { return records_; }
  // The tensors through which a variable was read.
  std::vector<Tensor> reads_of(const Variable& variable) const;
  std::vector<std::shared_ptr<Variable>> watched_variables() const;
  bool follows(const Tensor& tensor) const { return followed_.contains(tensor.id()); }
  // All but which variables were watched.
  void forget_records();
  void clear();

 private:
  bool watch_variables_;
  std::vector<Record> records_;
  std::unordered_set<uint64_t> followed_;
  std::unordered_map<const Variable*, std::vector<Tensor>> reads_;
  std::vector<std::shared_ptr<Variable>> watched_;
};

// Tapes recording on this thread, outermost first.
std::vector<Tape*>& active_tapes();

// While alive, nothing is recorded on this thread (stop_recording, gradient walks of non-persistent tapes).
class PauseRecording {
 public:
  PauseRecording() { std::swap(saved_, active_tapes()); }
  ~PauseRecording() { std::swap(saved_, active_tapes()); }
  PauseRecording(const PauseRecording&) = delete;

 private:
  std::vector<Tape*> saved_;
};

// Gradients of the targets' sum, weighted with `target_grads` (undefined: ones), with respect to `sources`; undefined
// where no path leads. Calls ops, so that outer tapes and traces record it. graph/gradient.cpp.
Tensors gradient(const std::vector<Record>& records, const Tensors& targets, const Tensors& target_grads,
                 const Tensors& sources);

}  // namespace ph
