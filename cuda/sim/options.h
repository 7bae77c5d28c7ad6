// The modes of the simulator, read from the environment once.
#pragma once

namespace ph::sim {

enum class Order { forward, reverse, random };
struct Options {
  Order order = Order::forward;
  unsigned seed = 1;
  bool late_copies = false, late_streams = false;
  unsigned threads = 1;  // of the host
  int capability = 90;   // compute capability times ten
};
const Options& options();

}  // namespace ph::sim
