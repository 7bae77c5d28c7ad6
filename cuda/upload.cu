#include <algorithm>
#include <atomic>
#include <cstring>
#include <exception>
#include <thread>
#include <vector>

#include "cuda/upload.h"

namespace ph::cuda {

void Upload::run(const Device& device, void* to, const void* from, size_t bytes) {
  const std::lock_guard lock(mutex_);
  for (Piece& piece : pieces_) {
    if (piece.fetched) continue;
    if (!piece.pinned) check(cudaMallocHost(&piece.pinned, piece_bytes), "cudaMallocHost");
    check(cudaEventCreateWithFlags(&piece.fetched, cudaEventDisableTiming), "cudaEventCreateWithFlags");
  }

  std::atomic<size_t> next{0};
  std::array<std::exception_ptr, threads> errors;
  const auto work = [&](int thread) {
    try {
      set_device(device);
      for (int turn = 0;; turn ^= 1) {
        const size_t begin = next.fetch_add(piece_bytes);
        if (begin >= bytes) return;
        const size_t size = std::min(piece_bytes, bytes - begin);
        const Piece& piece = pieces_[2 * thread + turn];
        check(cudaEventSynchronize(piece.fetched), "cudaEventSynchronize");
        std::memcpy(piece.pinned, static_cast<const char*>(from) + begin, size);
        check(
            cudaMemcpyAsync(static_cast<char*>(to) + begin, piece.pinned, size, cudaMemcpyHostToDevice, device.stream),
            "cudaMemcpyAsync");
        check(cudaEventRecord(piece.fetched, device.stream), "cudaEventRecord");
      }
    } catch (...) {
      errors[thread] = std::current_exception();
    }
  };
  std::vector<std::thread> others;
  for (int thread = 1; thread < threads; ++thread) others.emplace_back(work, thread);
  work(0);
  for (std::thread& other : others) other.join();
  for (const std::exception_ptr& error : errors) {
    if (error) std::rethrow_exception(error);
  }
}

}  // namespace ph::cuda
