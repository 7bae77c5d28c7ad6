// Variable: a named place for a tensor that changes over time (weights, optimizer slots, metrics, random state).
#pragma once
#include <memory>
#include <optional>
#include <string>

#include "core/tensor.h"

namespace ph {

// The dtype in which floating variables are seen by op calls of this thread; none outside layers of mixed precision.
// Set by layers around their calls. Defined in graph/variable.cpp, as is what reads variables.
std::optional<DType>& autocast_dtype();

class Variable : public std::enable_shared_from_this<Variable> {
 public:
  Variable(Tensor value, std::string name, bool trainable)
      : name(std::move(name)), trainable(trainable), value_(std::move(value)) {}

  // The present value; inside a trace, the traced value as of the assignments traced so far. Tapes watch trainable
  // variables that are read.
  Tensor read();
  // The same, cast to seen_dtype(): what op calls see.
  Tensor seen();
  // autocast_dtype() for floating variables that have `autocast`, where there is one; else the variable's own.
  DType seen_dtype() const;
  // Inside a trace: records (variable, new value). Otherwise replaces the value. The spec must stay the same.
  void assign(const Tensor& value);

  const Spec& spec() const { return value_.spec(); }
  // The stored tensor, whatever is being traced. Programs write through this.
  const Tensor& stored() const { return value_; }
  void store(Tensor value) { value_ = std::move(value); }

  std::string name;
  bool trainable;
  bool autocast = true;

 private:
  Tensor value_;
};

}  // namespace ph
