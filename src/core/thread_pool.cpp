#include "core/thread_pool.h"

#include <pthread.h>
#include <sched.h>

#include <atomic>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "core/error.h"

namespace ph {

namespace {

inline void pause_processor() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

// A limit set on the container: "max 100000" or "200000 100000" (quota and period).
int cgroup_processors() {
  std::FILE* file = std::fopen("/sys/fs/cgroup/cpu.max", "r");
  if (!file) return 1 << 20;
  long quota = 0, period = 0;
  const int read = std::fscanf(file, "%ld %ld", &quota, &period);
  std::fclose(file);
  return read == 2 && quota > 0 && period > 0 ? std::max(1, static_cast<int>(std::ceil(double(quota) / double(period))))
                                              : 1 << 20;
}

int default_threads() {
  for (const char* name : {"PRONGHORN_NUM_THREADS", "OMP_NUM_THREADS"}) {
    const char* value = std::getenv(name);
    if (value && std::atoi(value) >= 1) return std::atoi(value);
  }
  cpu_set_t set;
  CPU_ZERO(&set);
  const int allowed = sched_getaffinity(0, sizeof(set), &set) == 0
                          ? CPU_COUNT(&set)
                          : static_cast<int>(std::thread::hardware_concurrency());
  return std::max(1, std::min(allowed, cgroup_processors()));
}

// Written by the caller before `generation` moves on; a worker that claims a chunk has seen it.
struct Job {
  void (*task)(void*, int64_t) = nullptr;
  void* context = nullptr;
  int64_t chunks = 0;
  std::atomic<int64_t> next{0};
  std::atomic<int64_t> finished{0};
  std::atomic<int> inside{0};  // workers that may still look at the job
  std::atomic<bool> failed{false};
  std::exception_ptr error;
};

thread_local bool inside_job = false;

// While it lives, what this thread calls runs serially.
class InsideJob {
 public:
  InsideJob() : before_(std::exchange(inside_job, true)) {}
  ~InsideJob() { inside_job = before_; }
  InsideJob(const InsideJob&) = delete;
  InsideJob& operator=(const InsideJob&) = delete;

 private:
  bool before_;
};

class Pool {
 public:
  int threads() const { return threads_; }

  void resize(int threads) {
    const std::lock_guard lock(use_);
    stop();
    threads_ = threads;
  }

  // False where another Python thread is using the pool.
  bool run(int64_t chunks, void (*task)(void*, int64_t), void* context) {
    const std::unique_lock lock(use_, std::try_to_lock);
    if (!lock.owns_lock()) return false;
    start();
    job_.task = task;
    job_.context = context;
    job_.chunks = chunks;
    job_.finished.store(0, std::memory_order_relaxed);
    job_.failed.store(false, std::memory_order_relaxed);
    job_.error = nullptr;
    job_.next.store(0, std::memory_order_release);
    open_.store(true, std::memory_order_seq_cst);
    generation_.fetch_add(1, std::memory_order_seq_cst);
    if (sleeping_.load(std::memory_order_seq_cst) > 0) generation_.notify_all();
    work();
    for (int spins = 0; job_.finished.load(std::memory_order_acquire) < chunks;) wait_a_little(spins);
    open_.store(false, std::memory_order_seq_cst);
    // a worker that came late may still be looking for chunks of this job
    for (int spins = 0; job_.inside.load(std::memory_order_seq_cst) > 0;) wait_a_little(spins);
    if (job_.error) std::rethrow_exception(std::exchange(job_.error, nullptr));
    return true;
  }

  // In a forked child the workers do not exist: forget them, neither joined nor destroyed.
  void forget_workers() {
    new (&workers_) std::vector<std::thread>;
    new (&use_) std::mutex;
    sleeping_.store(0);
    job_.inside.store(0);
    open_.store(false);
  }

  ~Pool() { stop(); }

 private:
  static void wait_a_little(int& spins) {
    pause_processor();
    if (++spins % 4000 == 0) sched_yield();
  }

  void start() {
    if (static_cast<int>(workers_.size()) >= threads_ - 1) return;
    quit_ = false;
    while (static_cast<int>(workers_.size()) < threads_ - 1) {
      workers_.emplace_back([this, seen = generation_.load()] { serve(seen); });
    }
  }

  void stop() {
    quit_ = true;
    generation_.fetch_add(1);
    generation_.notify_all();
    for (auto& worker : workers_) worker.join();
    workers_.clear();
  }

  void serve(uint32_t seen) {
    for (;;) {
      seen = await(seen);
      if (quit_) return;
      job_.inside.fetch_add(1, std::memory_order_seq_cst);
      if (open_.load(std::memory_order_seq_cst)) work();
      job_.inside.fetch_sub(1, std::memory_order_seq_cst);
    }
  }

  // Spins for about 50 microseconds, then sleeps until there is a new job.
  uint32_t await(uint32_t seen) {
    for (int spins = 0; spins < 1500; ++spins) {
      const uint32_t now = generation_.load(std::memory_order_acquire);
      if (now != seen) return now;
      pause_processor();
    }
    sleeping_.fetch_add(1, std::memory_order_seq_cst);
    generation_.wait(seen, std::memory_order_seq_cst);
    sleeping_.fetch_sub(1, std::memory_order_seq_cst);
    return generation_.load(std::memory_order_acquire);
  }

  void work() {
    const InsideJob inside;
    for (;;) {
      const int64_t chunk = job_.next.fetch_add(1, std::memory_order_acq_rel);
      if (chunk >= job_.chunks) break;
      if (!job_.failed.load(std::memory_order_relaxed)) {
        try {
          job_.task(job_.context, chunk);
        } catch (...) {
          if (!job_.failed.exchange(true)) job_.error = std::current_exception();
        }
      }
      job_.finished.fetch_add(1, std::memory_order_release);
    }
  }

  std::atomic<int> threads_ = default_threads();
  std::mutex use_;
  std::vector<std::thread> workers_;
  Job job_;
  std::atomic<bool> open_{false};
  std::atomic<bool> quit_{false};
  alignas(64) std::atomic<uint32_t> generation_{0};
  alignas(64) std::atomic<int> sleeping_{0};
};

// Never destroyed: workers asleep at interpreter exit end with the process.
Pool& pool() {
  static Pool* shared = [] {
    auto* made = new Pool;
    pthread_atfork(nullptr, nullptr, [] { pool().forget_workers(); });
    return made;
  }();
  return *shared;
}

}  // namespace

int num_threads() { return pool().threads(); }

void set_num_threads(int threads) {
  PH_CHECK(threads >= 1, "set_num_threads: threads must be at least 1, got ", threads);
  pool().resize(threads);
}

void run_chunks(int64_t chunks, void (*task)(void*, int64_t), void* context) {
  if (!inside_job && pool().threads() > 1 && pool().run(chunks, task, context)) return;
  const InsideJob inside;
  for (int64_t chunk = 0; chunk < chunks; ++chunk) task(context, chunk);
}

}  // namespace ph
