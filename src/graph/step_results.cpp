#include "graph/step_results.h"

#include <algorithm>

#include "core/backend.h"

namespace ph {

StepResults::StepResults(const Device* device, const std::vector<Tensor>& slots, const std::vector<HostArray>& arrays,
                         int64_t steps)
    : backend_(*device->backend) {
  constexpr size_t most_waiting = size_t{32} << 20;
  size_t of_a_step = 0;
  for (size_t i = 0; i < arrays.size(); ++i) {
    results_.push_back({&slots[i], arrays[i].data, nullptr});
    of_a_step += slots[i].spec().bytes();
  }
  if (backend_.is_host() || of_a_step == 0) return;
  most_ = std::clamp<int64_t>(static_cast<int64_t>(most_waiting / of_a_step), 1, std::max<int64_t>(steps, 1));
  for (Result& result : results_) {
    result.waiting = std::make_shared<Buffer>(device, static_cast<size_t>(most_) * result.slot->spec().bytes());
  }
}

void StepResults::take() {
  for (const Result& result : results_) {
    const size_t bytes = result.slot->spec().bytes();
    char* to = result.waiting ? static_cast<char*>(result.waiting->data()) + static_cast<size_t>(steps_ - sent_) * bytes
                              : result.to + static_cast<size_t>(steps_) * bytes;
    backend_.copy(to, result.slot->buffer()->data(), bytes);
  }
  ++steps_;
  if (steps_ - sent_ == most_) finish();
}

void StepResults::finish() {
  if (results_.empty() || sent_ == steps_) return;
  backend_.synchronize();
  for (const Result& result : results_) {
    if (!result.waiting) continue;
    const size_t bytes = result.slot->spec().bytes();
    backend_.copy_to_host(result.to + static_cast<size_t>(sent_) * bytes, result.waiting->data(),
                          static_cast<size_t>(steps_ - sent_) * bytes);
  }
  sent_ = steps_;
}

}  // namespace ph
