// RowSource: the arrays of a fit, from which a program's batches are gathered on the program's device.
#pragma once
#include <cstdint>
#include <memory>
#include <vector>

#include "core/tensor.h"

namespace ph {

// Rows of a user's array, from which batches are gathered; or an output array that batches are appended to.
struct HostArray {
  char* data;
  int64_t rows;
  Spec row;  // shape and dtype of one row

  size_t bytes() const { return static_cast<size_t>(rows) * row.bytes(); }
};

// Where memory is the processor's own, batches are copied straight out of the arrays. Elsewhere the arrays are brought
// to the device once, as they are, where they take no more than a quarter of its free memory; larger ones stay, and
// each batch is gathered here and sent over.
class RowSource {
 public:
  explicit RowSource(std::vector<HostArray> arrays) : arrays_(std::move(arrays)) {}

  const std::vector<HostArray>& arrays() const { return arrays_; }

  // To be called before gather(): makes the rows of so many batches, named by `indices`, known to the device.
  void prepare(const Device* device, const int64_t* indices, int64_t count);
  // slot i = the rows of array i that indices[first], ... name, as many as the slot's first dimension.
  void gather(const std::vector<Tensor>& slots, int64_t first);

 private:
  std::vector<HostArray> arrays_;
  const Device* device_ = nullptr;
  const int64_t* indices_ = nullptr;
  std::vector<std::shared_ptr<Buffer>> resident_;  // on the device, or empty
  std::shared_ptr<Buffer> resident_indices_;
  std::vector<char> staging_;
};

}  // namespace ph
