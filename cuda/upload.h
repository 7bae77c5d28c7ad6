// Copies from the host through pinned memory, which the device fetches while the host goes on. Large ones are cut into
// pieces that several threads fill: a plain copy of pageable memory uses one, and a fifth of the bus's speed.
#pragma once
#include <array>
#include <mutex>

#include "cuda/device.h"

namespace ph::cuda {

class Upload {
 public:
  // Puts the copy into the device's stream; `from` may change when this returns, `to` is whole after all work so far.
  void run(const Device& device, void* to, const void* from, size_t bytes);

 private:
  static constexpr size_t piece_bytes = size_t{2} << 20, for_one_thread = size_t{16} << 20;
  static constexpr int threads = 4;
  // Pinned memory, made when it is first needed.
  struct Piece {
    void* pinned = nullptr;
    cudaEvent_t fetched = nullptr;
  };
  // A thread's two pieces take turns, over all copies.
  struct Lane {
    std::array<Piece, 2> pieces;
    int turn = 0;
  };
  Piece& next(Lane& lane);

  std::array<Lane, threads> lanes_;
  std::mutex mutex_;
};

}  // namespace ph::cuda
