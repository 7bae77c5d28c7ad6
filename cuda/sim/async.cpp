// Work that goes on beside the threads: cp.async, TMA with its mbarriers, wgmma. Eager: done when it is begun. Late:
// copies of a thread when it waits for them, tiles when no thread of the block can go on without, products when waited
// for.
#include <bit>

#include "cuda/sim/block.h"
#include "cuda/sim/memory.h"
#include "cuda/sim/options.h"
#include "cuda/sim/ptx/references.h"

namespace ph::sim {

void start_copy(const Copy& copy) {
  const auto addresses =
      reinterpret_cast<uintptr_t>(copy.to) | (copy.enabled ? reinterpret_cast<uintptr_t>(copy.from) : 0);
  if (addresses % static_cast<unsigned>(copy.bytes)) {
    fail("cp.async: an address is no multiple of %d bytes", copy.bytes);
  }
  if (!options().late_copies) return copy_now(copy);
  Fiber* fiber = this_fiber();
  if (fiber->copies.is_full()) fail("more asynchronous copies are under way than the simulator keeps");
  fiber->copies.begin(copy);
}

void commit_copies() {
  Fiber* fiber = this_fiber();
  if (fiber->copies.has_most_groups()) fail("more groups of copies are under way than the simulator keeps");
  fiber->copies.commit();
}

void wait_copies(unsigned pending) {
  this_fiber()->copies.wait(pending, copy_now, [](unsigned) {});
}

namespace {

// What an mbarrier's 8 bytes hold here.
struct Mbarrier {
  int32_t bytes;                               // yet to come in this phase
  uint16_t arrivals, awaited : 15, phase : 1;  // of every phase, and yet to come in this one
};
static_assert(sizeof(Mbarrier) == sizeof(uint64_t));

Mbarrier& state_of(uint64_t* barrier) {
  if (reinterpret_cast<uintptr_t>(barrier) % 8) fail("mbarrier: its address is no multiple of 8 bytes");
  if (*barrier == ~uint64_t{0}) fail("mbarrier: used before it was initialised");
  return *reinterpret_cast<Mbarrier*>(barrier);
}

Occasion* occasion_of(Block* b, const uint64_t* barrier, unsigned phase) {
  return &b->mbarriers[phase][reinterpret_cast<uintptr_t>(barrier) / 8 % std::size(b->mbarriers[0])];
}

void turn_if_complete(Block* b, Mbarrier& state) {
  if (state.awaited || state.bytes) return;
  state.phase ^= 1;
  state.awaited = static_cast<uint16_t>(state.arrivals & 0x7fff);
  wake(b, b->wait_for_mbarrier);
}

// Where row number `row` of the box lies in the tensor; nullptr: outside.
const char* row_of(const TileCopy& copy, int row) {
  const Tile& tile = copy.tile;
  const char* at = tile.tensor;
  for (int d = tile.rank - 2; d >= 0; --d) {
    const TileAxis& axis = tile.axes[d];
    const int64_t place = copy.corner[d] + row % axis.box * axis.step;
    if (place < 0 || place >= axis.size) return nullptr;
    row /= axis.box;
    at += place * axis.stride;
  }
  return at;
}

void copy_tile(Block* b, const TileCopy& copy) {
  const Tile& tile = copy.tile;
  const int row_bytes = tile.last().box * tile.element_bytes;
  int rows = 1;
  for (int d = 0; d < tile.rank - 1; ++d) rows *= tile.axes[d].box;
  const auto base = reinterpret_cast<uintptr_t>(copy.to);
  for (int row = 0; row < rows; ++row) {
    const char* from = row_of(copy, row);
    for (int at = 0; at < row_bytes; at += 16) {
      const auto offset = static_cast<uint32_t>(row * row_bytes + at);
      char* to = copy.to + (ptx::swizzled(static_cast<uint32_t>(base) + offset, tile.swizzle_bytes) -
                            static_cast<uint32_t>(base));
      copy_chunk(tile, from, copy.corner[tile.rank - 1] + at / tile.element_bytes, to);
    }
  }
  auto& state = *reinterpret_cast<Mbarrier*>(copy.barrier);
  release(occasion_of(b, copy.barrier, state.phase));
  state.bytes -= rows * row_bytes;
  turn_if_complete(b, state);
}

// The copy engine is a thread of its own to the race checker: who asked does not see the tile without waiting.
void finish(Block* b, int place) {
  b->tiles_under_way &= ~(uint64_t{1} << place);
  const AsAnotherThread copier;
  acquire(&b->tile_started[place]);
  copy_tile(b, b->tiles[place]);
}

}  // namespace

void mbarrier_init(uint64_t* barrier, unsigned arrivals) {
  if (arrivals < 1 || arrivals > 0x7fff) fail("mbarrier: %u arrivals, wanted 1 to %d", arrivals, 0x7fff);
  *barrier = 0;
  Mbarrier& state = state_of(barrier);
  state.arrivals = static_cast<uint16_t>(arrivals);
  state.awaited = static_cast<uint16_t>(arrivals & 0x7fff);
}

void mbarrier_arrive(uint64_t* barrier, unsigned more_bytes) {
  Mbarrier& state = state_of(barrier);
  if (!state.awaited) fail("mbarrier: more arrivals than the %u it was initialised for", state.arrivals);
  release(occasion_of(this_block(), barrier, state.phase));
  state.bytes += static_cast<int32_t>(more_bytes);
  --state.awaited;
  turn_if_complete(this_block(), state);
}

void mbarrier_wait(uint64_t* barrier, unsigned parity, const Place& place) {
  Block* b = this_block();
  while (state_of(barrier).phase == parity) wait_in(b->wait_for_mbarrier, place);
  acquire(occasion_of(b, barrier, parity));
}

void start_tile_copy(const TileCopy& copy) {
  const int alignment = copy.tile.swizzle_bytes ? copy.tile.swizzle_bytes * 8 : 128;
  if (reinterpret_cast<uintptr_t>(copy.to) % static_cast<unsigned>(alignment)) {
    fail("TMA: the tile's address is no multiple of %d bytes", alignment);
  }
  const int64_t column_bytes = copy.corner[copy.tile.rank - 1] * copy.tile.element_bytes;
  if (column_bytes % 16) {
    fail("TMA: the tile's column is %lld bytes into its row, no multiple of 16", static_cast<long long>(column_bytes));
  }
  shared_address(copy.to);
  state_of(copy.barrier);
  Block* b = this_block();
  const int place = std::countr_one(b->tiles_under_way);
  if (place == 64) fail("more tiles are under way than the simulator keeps");
  b->tiles_under_way |= uint64_t{1} << place;
  b->tiles[place] = copy;
  release(&b->tile_started[place]);
  if (!options().late_copies) finish(b, place);
}

// Copies end in any order.
bool finish_a_tile_copy(Block* b) {
  if (!b->tiles_under_way) return false;
  int place = std::countr_zero(b->tiles_under_way);
  if (options().order == Order::reverse) place = 63 - std::countl_zero(b->tiles_under_way);
  if (options().order == Order::random) {
    do {
      place = static_cast<int>(b->random() / 8 % 64);
    } while (!(b->tiles_under_way >> place & 1));
  }
  finish(b, place);
  return true;
}

namespace {

Warpgroup& this_warpgroup() { return this_block()->warpgroups[current->linear / 128]; }

// All threads of the warpgroup meet and the product is made.
void multiply_together(const Product& product, unsigned group_number) {
  Warpgroup& group = this_warpgroup();
  if (this_block()->fibers.size() < current->linear / 128 * 128 + 128)
    fail("wgmma: the warpgroup has less than 128 threads");
  group.products[current->linear % 128] = &product;
  meet(group, 128, {"wgmma", __FILE__, __LINE__}, false, [&] {
    ptx::warpgroup_product_reference(group.products);
    release(&group.finished[group_number % 16]);
  });
}

}  // namespace

void fence_products() { this_fiber()->products_fenced = true; }

void start_product(const Product& product) {
  Fiber* fiber = this_fiber();
  if (!fiber->products_fenced) fail("wgmma: no wgmma.fence since registers may have changed");
  if (!options().late_copies) return multiply_together(product, fiber->products.committed());
  if (fiber->products.is_full()) fail("more products are under way than the simulator keeps");
  fiber->products.begin(product);
}

void commit_products() {
  Fiber* fiber = this_fiber();
  if (fiber->products.has_most_groups()) fail("more groups of products are under way than the simulator keeps");
  fiber->products.commit();
}

void wait_products(unsigned pending) {
  Fiber* fiber = this_fiber();
  fiber->products_fenced = false;
  unsigned group_number = fiber->products.waited();
  fiber->products.wait(
      pending, [&](const Product& product) { multiply_together(product, group_number); },
      [&](unsigned group) {
        acquire(&this_warpgroup().finished[group % 16]);
        group_number = group + 1;
      });
}

}  // namespace ph::sim
