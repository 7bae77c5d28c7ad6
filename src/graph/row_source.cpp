#include "graph/row_source.h"

namespace ph {

void RowSource::prepare(const Device* device, const int64_t* indices, int64_t count) {
  indices_ = indices;
  Backend& backend = *device->backend;
  if (backend.is_host()) {
    device_ = device;
    return;
  }
  if (device_ != device) {
    device_ = device;
    resident_.clear();
    size_t bytes = 0;
    for (const HostArray& array : arrays_) bytes += array.bytes();
    if (bytes <= backend.free_bytes() / 4) {
      for (const HostArray& array : arrays_) {
        resident_.push_back(std::make_shared<Buffer>(device, array.bytes()));
        backend.copy_from_host(resident_.back()->data(), array.data, array.bytes());
      }
    }
  }
  if (resident_.empty() || count == 0) return;
  const size_t bytes = static_cast<size_t>(count) * sizeof(int64_t);
  if (!resident_indices_ || resident_indices_->bytes() < bytes || resident_indices_->device() != device) {
    resident_indices_ = std::make_shared<Buffer>(device, bytes);
  }
  backend.copy_from_host(resident_indices_->data(), indices, bytes);
}

void RowSource::gather(const std::vector<Tensor>& slots, int64_t first) {
  Backend& backend = *device_->backend;
  for (size_t i = 0; i < arrays_.size(); ++i) {
    void* to = slots[i].buffer()->data();
    const int64_t count = slots[i].shape()[0];
    const size_t row_bytes = arrays_[i].row.bytes();
    if (backend.is_host()) {
      gather_host_rows(to, arrays_[i].data, indices_ + first, count, row_bytes);
    } else if (!resident_.empty()) {
      const int64_t* indices = static_cast<const int64_t*>(resident_indices_->data());
      backend.gather_rows(to, resident_[i]->data(), indices + first, count, row_bytes);
    } else {
      staging_.resize(slots[i].spec().bytes());
      gather_host_rows(staging_.data(), arrays_[i].data, indices_ + first, count, row_bytes);
      backend.copy_from_host(to, staging_.data(), staging_.size());
    }
  }
}

}  // namespace ph
