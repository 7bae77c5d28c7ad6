// A block of a grid: its fibers take turns, and meet at barriers and warp operations.
#pragma once
#include <functional>
#include <random>
#include <string>
#include <vector>

#include "cuda/sim/fiber.h"
#include "cuda/sim/sanitizers.h"

namespace ph::sim {

class Queue {
 public:
  bool empty() const { return !first_; }
  void push(Fiber* fiber) {
    fiber->next = nullptr;
    (last_ ? last_->next : first_) = fiber;
    last_ = fiber;
  }
  Fiber* pop() {
    Fiber* fiber = first_;
    if (fiber && !(first_ = fiber->next)) last_ = nullptr;
    return fiber;
  }

 private:
  Fiber *first_ = nullptr, *last_ = nullptr;
};

// Addresses that stand for order between threads, for the race checker.
using Occasion = uint64_t;

struct Meeting {
  unsigned arrived = 0, round = 0;
  Place place;
  Queue waiting;
  Occasion
      occasions[2];  // of even and odd rounds: a thread may arrive for the next one before others have left this one
};

struct WarpMeeting : Meeting {
  unsigned mask = 0;
  const void* in[32];
  void* out[32];
};

// Masks seen so far; code that runs in fibers allocates nothing.
struct Warp {
  static constexpr int most = 8;
  WarpMeeting meetings[most];
  int count = 0;
  unsigned alive = 0;
};

struct Warpgroup : Meeting {
  const Product* products[128];
  Occasion finished[16];  // by the number of the group of products
};

struct SharedVariable {
  const void* declaration;
  void* memory;
  size_t bytes;
};

struct Block : BlockView {
  const char* name = nullptr;
  const std::function<void()>* body = nullptr;
  std::string error;
  std::minstd_rand random;

  std::vector<Fiber*> fibers;
  unsigned alive = 0;
  Queue ready;
  Fiber* woken[1024];

  Meeting barriers[16];
  std::vector<Warp> warps;
  std::vector<Warpgroup> warpgroups;

  std::vector<SharedVariable> shared;
  size_t shared_bytes = 0;

  // asynchronous copies of tiles under way, and what waits for mbarriers
  TileCopy tiles[64];
  Occasion tile_started[64];
  uint64_t tiles_under_way = 0;  // a bit for each of these places
  Queue wait_for_mbarrier;
  Occasion mbarriers[2][128];  // by phase and address

  // Prepares for the block `index` of a grid; `dynamic_bytes` and what does not change are set by the caller.
  void start(uint3 at);
  // Runs until all threads have ended or one has failed.
  void run();
};

inline Block* this_block() { return this_fiber()->owner; }

// Switches to a fiber that is ready; comes back when this one is made ready and its turn comes.
void wait_in(Queue& waiting, const Place& place);
// Lets all waiting fibers go on, in the order of the mode.
void wake(Block* b, Queue& waiting);

// The calling thread arrives at a meeting of `members` and returns when all have; the last one runs `last` first.
template <class Last>
void meet(Meeting& meeting, unsigned members, const Place& place, bool orders_memory, Last last) {
  Occasion& occasion = meeting.occasions[meeting.round % 2];
  meeting.place = place;
  if (orders_memory) release(&occasion);
  if (++meeting.arrived == members) {
    meeting.arrived = 0;
    ++meeting.round;
    last();
    wake(this_block(), meeting.waiting);
  } else {
    wait_in(meeting.waiting, place);
  }
  if (orders_memory) acquire(&occasion);
}

// Memory filled with NaN of every float type.
void* poisoned(size_t bytes, size_t alignment);

// Does one of the tile copies under way; false where there is none.
bool finish_a_tile_copy(Block* b);

}  // namespace ph::sim
