#include <algorithm>
#include <atomic>
#include <cstring>
#include <exception>
#include <thread>
#include <vector>

#include "cuda/upload.h"

namespace ph::cuda {

// The piece whose turn it is, once the device has fetched what it held.
Upload::Piece& Upload::next(Lane& lane) {
  Piece& piece = lane.pieces[lane.turn ^= 1];
  if (!piece.pinned) check(cudaMallocHost(&piece.pinned, piece_bytes), "cudaMallocHost");
  if (!piece.fetched) {
    check(cudaEventCreateWithFlags(&piece.fetched, cudaEventDisableTiming), "cudaEventCreateWithFlags");
  }
  check(cudaEventSynchronize(piece.fetched), "cudaEventSynchronize");
  return piece;
}

void Upload::run(const Device& device, void* to, const void* from, size_t bytes) {
  const std::lock_guard lock(mutex_);
  std::atomic<size_t> done{0};
  std::array<std::exception_ptr, threads> errors;
  const auto work = [&](int thread) {
    try {
      set_device(device);
      for (size_t begin; (begin = done.fetch_add(piece_bytes)) < bytes;) {
        const size_t size = std::min(piece_bytes, bytes - begin);
        const Piece& piece = next(lanes_[thread]);
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
  for (int thread = 1; thread < threads && bytes >= for_one_thread; ++thread) others.emplace_back(work, thread);
  work(0);
  for (std::thread& other : others) other.join();
  for (const std::exception_ptr& error : errors) {
    if (error) std::rethrow_exception(error);
  }
}

}  // namespace ph::cuda
