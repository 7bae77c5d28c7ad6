// Tensor: a handle to an immutable, contiguous, row-major array on one device, or to a value of a graph being traced.
#pragma once
#include <cstdint>
#include <memory>
#include <vector>

#include "core/buffer.h"
#include "core/spec.h"

namespace ph {

class Graph;

class Tensor {
 public:
  Tensor() = default;  // undefined: "no gradient", "optional input left out"

  static Tensor concrete(const Spec& spec, std::shared_ptr<Buffer> buffer);
  static Tensor traced(const Spec& spec, std::shared_ptr<Graph> graph, int value);

  // Fresh memory on the current device, not initialised.
  static Tensor empty(const Spec& spec);
  static Tensor from_host(const Spec& spec, const void* data);
  // A tensor of rank 0.
  static Tensor scalar(double value, DType dtype);

  bool defined() const { return impl_ != nullptr; }
  bool is_traced() const { return impl_->graph != nullptr; }
  const Spec& spec() const { return impl_->spec; }
  const Shape& shape() const { return impl_->spec.shape; }
  DType dtype() const { return impl_->spec.dtype; }
  uint64_t id() const { return impl_->id; }  // unique for the life of the process

  const std::shared_ptr<Graph>& graph() const { return impl_->graph; }
  int value() const { return impl_->value; }

  const std::shared_ptr<Buffer>& buffer() const;  // throws on a traced tensor
  const Device* device() const { return buffer()->device(); }
  View view() const;
  // The same values on `device`: this tensor where it lies there already, else a copy.
  Tensor on(const Device* device) const;
  void to_host(void* data) const;

  // True when nobody else can see this tensor's memory, so that it may be written to.
  bool is_sole_owner() const { return impl_.use_count() == 1 && impl_->buffer.use_count() == 1; }

 private:
  struct Impl {
    Spec spec;
    std::shared_ptr<Buffer> buffer;
    std::shared_ptr<Graph> graph;
    int value = -1;
    uint64_t id;
  };
  explicit Tensor(Impl impl);
  std::shared_ptr<Impl> impl_;
};

using Tensors = std::vector<Tensor>;

Specs specs_of(const Tensors& tensors);

}  // namespace ph
