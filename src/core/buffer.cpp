#include "core/buffer.h"

namespace ph {

Buffer::Buffer(const Device* device, size_t bytes)
    : device_(device), data_(device->backend->allocate(bytes)), bytes_(bytes) {}

Buffer::Buffer(const Device* device, void* data, size_t bytes, std::function<void()> release)
    : device_(device), data_(data), bytes_(bytes), release_(std::move(release)) {}

Buffer::~Buffer() {
  if (release_) {
    release_();
  } else {
    device_->backend->release(data_, bytes_);
  }
}

}  // namespace ph
