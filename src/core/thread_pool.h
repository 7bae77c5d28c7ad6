#pragma once
#include <cstdint>
namespace ph {
inline int num_threads() { return 1; }
inline void set_num_threads(int) {}
template <class F>
void parallel_for(int64_t chunks, double, F&& f) {
  for (int64_t i = 0; i < chunks; ++i) f(i);
}
}  // namespace ph
