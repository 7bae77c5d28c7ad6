// Buffer: a piece of device memory with one owner count.
#pragma once
#include <cstddef>
#include <functional>
#include <memory>

#include "core/backend.h"

namespace ph {

class Buffer {
 public:
  // Memory from the device's allocator. Not initialised.
  Buffer(const Device* device, size_t bytes);
  // Memory somebody else owns (an imported DLPack tensor); `release` is called when the last user is gone.
  Buffer(const Device* device, void* data, size_t bytes, std::function<void()> release);
  ~Buffer();
  Buffer(const Buffer&) = delete;

  void* data() const { return data_; }
  size_t bytes() const { return bytes_; }
  const Device* device() const { return device_; }

 private:
  const Device* device_;
  void* data_;
  size_t bytes_;
  std::function<void()> release_;
};

}  // namespace ph
