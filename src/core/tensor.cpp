#include "core/tensor.h"

#include <atomic>
#include <cstring>

#include "core/error.h"
#include "core/half.h"

namespace ph {

static uint64_t next_id() {
  static std::atomic<uint64_t> last{0};
  return ++last;
}

Tensor::Tensor(Impl impl) : impl_(std::make_shared<Impl>(std::move(impl))) { impl_->id = next_id(); }

Tensor Tensor::concrete(const Spec& spec, std::shared_ptr<Buffer> buffer) {
  return Tensor(Impl{spec, std::move(buffer), nullptr, -1, 0});
}

Tensor Tensor::traced(const Spec& spec, std::shared_ptr<Graph> graph, int value) {
  return Tensor(Impl{spec, nullptr, std::move(graph), value, 0});
}

// Throws instead of wrapping round.
static void check_size(const Spec& spec) {
  int64_t bytes = static_cast<int64_t>(size_of(spec.dtype));
  for (const int64_t d : spec.shape) {
    if (d == 0) return;
    PH_CHECK(!__builtin_mul_overflow(bytes, d, &bytes), "a tensor of ", spec, " is too large");
  }
}

Tensor Tensor::empty(const Spec& spec) {
  check_size(spec);
  return concrete(spec, std::make_shared<Buffer>(current_device(), spec.bytes()));
}

Tensor Tensor::from_host(const Spec& spec, const void* data) {
  Tensor out = empty(spec);
  out.device()->backend->copy_from_host(out.buffer()->data(), data, spec.bytes());
  return out;
}

Tensor Tensor::scalar(double value, DType dtype) {
  alignas(8) std::byte bytes[8];
  const auto put = [&](auto typed) { std::memcpy(bytes, &typed, sizeof(typed)); };
  switch (dtype) {
    case DType::bool_:
      put(static_cast<uint8_t>(value != 0));
      break;
    case DType::int8:
      put(static_cast<int8_t>(value));
      break;
    case DType::int16:
      put(static_cast<int16_t>(value));
      break;
    case DType::int32:
      put(static_cast<int32_t>(value));
      break;
    case DType::int64:
      put(static_cast<int64_t>(value));
      break;
    case DType::uint8:
      put(static_cast<uint8_t>(value));
      break;
    case DType::uint16:
      put(static_cast<uint16_t>(value));
      break;
    case DType::uint32:
      put(static_cast<uint32_t>(value));
      break;
    case DType::uint64:
      put(static_cast<uint64_t>(value));
      break;
    case DType::float16:
      put(float16_from(static_cast<float>(value)));
      break;
    case DType::bfloat16:
      put(bfloat16_from(static_cast<float>(value)));
      break;
    case DType::float32:
      put(static_cast<float>(value));
      break;
    case DType::float64:
      put(value);
      break;
  }
  return from_host({Shape{}, dtype}, bytes);
}

const std::shared_ptr<Buffer>& Tensor::buffer() const {
  PH_CHECK(
      !is_traced(),
      "this tensor is being traced into a program and has no value yet; Python code that looks at values (float(), "
      "bool(), .numpy(), if) cannot be traced: use ops (ops.where, ops.cond) or compile(run_eagerly=True)");
  return impl_->buffer;
}

View Tensor::view() const { return {buffer()->data(), shape(), dtype()}; }

Tensor Tensor::on(const Device* device) const {
  const Device* here = this->device();
  if (here == device) return *this;
  const DeviceScope scope(device);
  Tensor copy = empty(spec());
  void* to = copy.buffer()->data();
  if (device->backend->is_host()) {
    to_host(to);
  } else if (here->backend->is_host()) {
    device->backend->copy_from_host(to, buffer()->data(), spec().bytes());
  } else {
    std::vector<char> bytes(spec().bytes());
    to_host(bytes.data());
    device->backend->copy_from_host(to, bytes.data(), bytes.size());
  }
  return copy;
}

void Tensor::to_host(void* data) const {
  Backend* backend = device()->backend;
  backend->synchronize();
  backend->copy_to_host(data, buffer()->data(), spec().bytes());
}

Specs specs_of(const Tensors& tensors) {
  Specs specs;
  specs.reserve(tensors.size());
  for (const Tensor& tensor : tensors) specs.push_back(tensor.spec());
  return specs;
}

}  // namespace ph
