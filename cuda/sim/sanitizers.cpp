#include "cuda/sim/sanitizers.h"

// Absent where the program is built without the sanitizer.
extern "C" {
#define PH_MAYBE __attribute__((weak))
PH_MAYBE void* __tsan_get_current_fiber();
PH_MAYBE void* __tsan_create_fiber(unsigned flags);
PH_MAYBE void __tsan_destroy_fiber(void* fiber);
PH_MAYBE void __tsan_switch_to_fiber(void* fiber, unsigned flags);
PH_MAYBE void __tsan_acquire(void* address);
PH_MAYBE void __tsan_release(void* address);
PH_MAYBE void AnnotateIgnoreReadsBegin(const char* file, int line);
PH_MAYBE void AnnotateIgnoreReadsEnd(const char* file, int line);
PH_MAYBE void AnnotateIgnoreWritesBegin(const char* file, int line);
PH_MAYBE void AnnotateIgnoreWritesEnd(const char* file, int line);
PH_MAYBE void __sanitizer_start_switch_fiber(void** fake_stack_save, const void* bottom, size_t size);
PH_MAYBE void __sanitizer_finish_switch_fiber(void* fake_stack_save, const void** bottom_old, size_t* size_old);
PH_MAYBE void __asan_unpoison_memory_region(const volatile void* address, size_t size);
#undef PH_MAYBE
}

namespace ph::sim {

bool addresses_are_watched() { return __asan_unpoison_memory_region != nullptr; }
bool races_are_watched() { return __tsan_release != nullptr; }

void release(void* address) {
  if (races_are_watched()) __tsan_release(address);
}
void acquire(void* address) {
  if (races_are_watched()) __tsan_acquire(address);
}

Unwatched::Unwatched() {
  if (!races_are_watched()) return;
  AnnotateIgnoreReadsBegin(__FILE__, __LINE__);
  AnnotateIgnoreWritesBegin(__FILE__, __LINE__);
}
Unwatched::~Unwatched() {
  if (!races_are_watched()) return;
  AnnotateIgnoreWritesEnd(__FILE__, __LINE__);
  AnnotateIgnoreReadsEnd(__FILE__, __LINE__);
}

void* current_identity() { return races_are_watched() ? __tsan_get_current_fiber() : nullptr; }
void* new_identity() { return races_are_watched() ? __tsan_create_fiber(0) : nullptr; }
void end_identity(void* identity) {
  if (identity) __tsan_destroy_fiber(identity);
}
void take_identity(void* identity) {
  if (identity) __tsan_switch_to_fiber(identity, 1);  // 1: switching orders no memory
}

AsAnotherThread::AsAnotherThread() : own_(current_identity()), other_(new_identity()) { take_identity(other_); }
AsAnotherThread::~AsAnotherThread() {
  take_identity(own_);
  end_identity(other_);
}

void begin_switch(void** own_fake_stack, const void* stack, size_t bytes) {
  if (addresses_are_watched()) __sanitizer_start_switch_fiber(own_fake_stack, stack, bytes);
}
void end_switch(void* fake_stack) {
  if (addresses_are_watched()) __sanitizer_finish_switch_fiber(fake_stack, nullptr, nullptr);
}
void forget_poison(const void* stack, size_t bytes) {
  if (addresses_are_watched()) __asan_unpoison_memory_region(stack, bytes);
}

}  // namespace ph::sim
