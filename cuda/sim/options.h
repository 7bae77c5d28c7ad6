// The modes of the simulator, read from the environment once.
#pragma once

#include <cstddef>

namespace ph::sim {

enum class Order { forward, reverse, random };
struct Options {
  Order order = Order::forward;
  unsigned seed = 1;
  bool late_copies = false, late_streams = false;
  unsigned threads = 1;             // of the host
  int capability = 90;              // compute capability times ten
  size_t memory = size_t{8} << 30;  // bytes of the device
};
const Options& options();

}  // namespace ph::sim
