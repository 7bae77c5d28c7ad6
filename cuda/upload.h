// Large copies from the host: threads copy pieces into pinned memory, from where the device fetches them, so that both
// work at once. A plain copy of pageable memory does the same with one thread, at about a fifth of the bus's speed.
#pragma once
#include <array>
#include <mutex>

#include "cuda/device.h"

namespace ph::cuda {

class Upload {
 public:
  static constexpr size_t smallest = size_t{16} << 20;  // bytes from which on it pays

  // Puts the copy into the device's stream; `from` may change when this returns, `to` is whole after all work so far.
  void run(const Device& device, void* to, const void* from, size_t bytes);

 private:
  static constexpr size_t piece_bytes = size_t{2} << 20;
  static constexpr int threads = 4;
  struct Piece {
    void* pinned = nullptr;
    cudaEvent_t fetched = nullptr;
  };
  std::array<Piece, 2 * threads> pieces_;  // two for each thread; made at the first copy, kept
  std::mutex mutex_;
};

}  // namespace ph::cuda
