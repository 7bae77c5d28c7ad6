// Barriers, and what the lanes of a warp do together.
#include "cuda/sim/block.h"
#include "cuda/sim/device.h"

namespace ph::sim {

static bool same_place(const Place& a, const Place& b) {
  return a.line == b.line && a.file == b.file && a.what == b.what;
}

void block_barrier(const Place& place) {
  Block* b = this_block();
  Meeting& barrier = b->barriers[0];
  if (barrier.arrived && !same_place(barrier.place, place)) {
    fail("divergent __syncthreads: some threads are at line %d, others at line %d", barrier.place.line, place.line);
  }
  meet(barrier, b->alive, place, true, [] {});
}

void named_barrier(unsigned number, unsigned threads, const Place& place) {
  if (number < 1 || number > 15) fail("barrier %u: wanted 1 to 15", number);
  if (threads == 0 || threads % 32 || threads > this_block()->fibers.size()) {
    fail("barrier %u: %u threads, wanted a multiple of 32 up to %zu", number, threads, this_block()->fibers.size());
  }
  meet(this_block()->barriers[number], threads, place, true, [] {});
}

static WarpMeeting& meeting_of(Warp& warp, unsigned mask) {
  for (int i = 0; i < warp.count; ++i) {
    if (warp.meetings[i].mask == mask) return warp.meetings[i];
  }
  int i = warp.count;
  if (i < Warp::most) {
    ++warp.count;
  } else {
    while (--i >= 0 && warp.meetings[i].arrived) continue;
    if (i < 0) fail("lanes of a warp wait under more than %d masks", Warp::most);
  }
  warp.meetings[i] = {};
  warp.meetings[i].mask = mask;
  return warp.meetings[i];
}

void warp_meeting(unsigned mask, const void* in, void* out, const Place& place, bool orders_memory,
                  WarpOperation operation, const void* argument) {
  Fiber* fiber = this_fiber();
  Warp& warp = this_block()->warps[fiber->warp];
  const size_t threads = this_block()->fibers.size(), rest = threads % 32;
  // a full mask may name lanes that never existed, as in the last warp of 48 threads
  const unsigned exists = fiber->warp == threads / 32 ? (1u << rest) - 1 : ~0u, wanted = mask & exists;
  const char *what = place.what, *file = place.file;
  if (!(mask >> fiber->lane & 1)) fail("%s:%d %s: the calling lane is not in its own mask", file, place.line, what);
  if ((wanted & warp.alive) != wanted) fail("%s:%d %s: the mask names a lane that has ended", file, place.line, what);
  WarpMeeting& meeting = meeting_of(warp, mask);
  if (meeting.arrived && !same_place(meeting.place, place)) {
    fail("divergent warp: %s at line %d meets %s at line %d", meeting.place.what, meeting.place.line, what, place.line);
  }
  meeting.in[fiber->lane] = in;
  meeting.out[fiber->lane] = out;
  meet(meeting, static_cast<unsigned>(__builtin_popcount(wanted)), place, orders_memory, [&] {
    if (operation) operation(meeting.in, meeting.out, wanted, argument);
  });
}

// One occasion for all: as the memory model asks, threads that fence see what was written before an earlier fence.
void memory_fence() {
  static Occasion fence;
  __atomic_thread_fence(__ATOMIC_SEQ_CST);
  release(&fence);
  acquire(&fence);
}

void ballot(const void** in, void** out, unsigned mask, const void*) {
  unsigned votes = 0;
  for (int l = 0; l < 32; ++l) {
    if (mask >> l & 1 && *static_cast<const int*>(in[l])) votes |= 1u << l;
  }
  for (int l = 0; l < 32; ++l) {
    if (mask >> l & 1) *static_cast<unsigned*>(out[l]) = votes;
  }
}

static int shuffle_source(int lane, int operand, int width, Shuffle kind) {
  const int base = lane & ~(width - 1), within = lane & (width - 1);
  switch (kind) {
    case Shuffle::index:
      return base | (operand & (width - 1));
    case Shuffle::butterfly: {
      const int source = lane ^ operand;
      return (source & ~(width - 1)) > base ? lane : source;
    }
    case Shuffle::down:
      return within + operand < width ? lane + operand : lane;
    case Shuffle::up:
      return within - operand >= 0 ? lane - operand : lane;
  }
  return lane;
}

void shuffle(const void** in, void** out, unsigned mask, const void* argument) {
  const auto& a = *static_cast<const ShuffleArgument*>(argument);
  for (int l = 0; l < 32; ++l) {
    if (!(mask >> l & 1)) continue;
    const auto& own = *static_cast<const ShuffleInput*>(in[l]);
    const int source = shuffle_source(l, own.operand, a.width, a.kind);
    auto& result = *static_cast<ShuffleWords*>(out[l]);
    if (mask >> source & 1) {
      result = static_cast<const ShuffleInput*>(in[source])->words;
    } else {
      for (uint32_t& word : result.word) word = ~0u;  // a lane outside the mask: undefined
    }
  }
}

}  // namespace ph::sim
