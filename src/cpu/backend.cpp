// The CPU as a device: picks the instruction-set level once, and keeps freed memory for reuse.
#include "core/backend.h"

#include <pthread.h>
#ifdef __linux__
#include <sys/mman.h>
#endif

#include <cstdlib>
#include <cstring>
#include <map>
#include <mutex>
#include <new>

#include "core/error.h"
#include "core/kernel.h"
#include "cpu/level.h"

namespace ph {

namespace {

// Freed blocks by size, so that eager code asks the system for memory only when it grows. Big blocks go straight back.
class CachingAllocator {
 public:
  void* allocate(size_t bytes) {
    const size_t size = rounded(bytes);
    {
      const std::lock_guard lock(mutex_);
      auto& blocks = free_[size];
      if (!blocks.empty()) {
        void* block = blocks.back();
        blocks.pop_back();
        cached_ -= size;
        return block;
      }
    }
    const bool is_large = size >= 2 * huge_page;
    void* block = std::aligned_alloc(is_large ? huge_page : alignment, is_large ? round_up(size, huge_page) : size);
    if (!block) out_of_memory(bytes);
#ifdef __linux__
    // first touched a huge page at a time: a network's arena costs hundreds of page faults, not tens of thousands
    if (is_large) madvise(block, size, MADV_HUGEPAGE);
#endif
    return block;
  }

  // Held over a fork by the thread that forks, so that the child finds the lock free and the lists whole.
  void before_fork() { mutex_.lock(); }
  void after_fork() { mutex_.unlock(); }

  void release(void* block, size_t bytes) {
    const size_t size = rounded(bytes);
    {
      const std::lock_guard lock(mutex_);
      if (cached_ + size <= most_cached) {
        free_[size].push_back(block);
        cached_ += size;
        return;
      }
    }
    std::free(block);
  }

 private:
  static constexpr size_t alignment = 64, huge_page = size_t{2} << 20, most_cached = size_t{256} << 20;

  [[noreturn]] static void out_of_memory(size_t bytes) {
    throw MemoryError(concat("out of memory: could not allocate ", bytes, " bytes"));
  }

  static size_t round_up(size_t bytes, size_t step) { return (bytes + step - 1) / step * step; }

  // To an eighth of a power of two: few distinct sizes, little waste.
  static size_t rounded(size_t bytes) {
    if (bytes < alignment) return alignment;
    size_t step = alignment;
    while (step * 16 <= bytes) step *= 2;
    const size_t size = round_up(bytes, step);
    if (size < bytes) out_of_memory(bytes);
    return size;
  }

  std::mutex mutex_;
  std::map<size_t, std::vector<void*>> free_;
  size_t cached_ = 0;
};

// Never destroyed: tensors may be released after the static objects.
CachingAllocator& allocator() {
  static CachingAllocator* shared = [] {
    auto* made = new CachingAllocator;
    pthread_atfork([] { allocator().before_fork(); }, [] { allocator().after_fork(); },
                   [] { allocator().after_fork(); });
    return made;
  }();
  return *shared;
}

class CpuBackend : public Backend {
 public:
  const char* name() const override { return "cpu"; }
  std::string description() const override { return "CPU, level " + cpu_level(); }
  std::vector<std::string> kernel_sets() const override { return {cpu_level()}; }
  void* allocate(size_t bytes) override { return allocator().allocate(bytes); }
  void release(void* data, size_t bytes) override { allocator().release(data, bytes); }
  void copy_from_host(void* to, const void* from, size_t bytes) override { std::memcpy(to, from, bytes); }
  void copy_to_host(void* to, const void* from, size_t bytes) override { std::memcpy(to, from, bytes); }
  void copy(void* to, const void* from, size_t bytes) override { std::memcpy(to, from, bytes); }
  bool is_host() const override { return true; }
  void gather_rows(void* to, const void* from, const int64_t* indices, int64_t count, size_t row_bytes) override {
    gather_host_rows(to, from, indices, count, row_bytes);
  }
  void run(const Kernel& kernel, const KernelCall& call, const void* attributes) override {
    kernel.run(call, attributes);
  }
  void synchronize() override {}
};

const bool registered = (register_device("cpu:0", std::make_unique<CpuBackend>()), true);

}  // namespace

}  // namespace ph
