// What a simulated CUDA thread may ask of the engine.
#pragma once
#include <cstddef>
#include <functional>
#include <string>

#include "cuda/sim/types.h"

namespace ph::sim {

struct BlockView {
  uint3 index{};
  dim3 size, grid;
  char* dynamic = nullptr;  // dynamic shared memory
  size_t dynamic_bytes = 0;
};

struct Thread {
  uint3 index{};
  BlockView* block = nullptr;
  unsigned linear = 0, lane = 0, warp = 0;
};
// Fibers of a block stay on one thread of the host.
extern __thread Thread* current __attribute__((tls_model("initial-exec")));

// Where a thread waits, for messages.
struct Place {
  const char *what = nullptr, *file = nullptr;
  int line = 0;
};

// Ends the kernel with an error that names kernel, block and thread.
[[noreturn]] void fail(const char* format, ...) __attribute__((format(printf, 1, 2)));

// __syncthreads, and the barriers 1 to 15 at which `threads` threads meet.
void block_barrier(const Place& place);
void named_barrier(unsigned number, unsigned threads, const Place& place);

// What the lanes of a warp do together, over the registers of all lanes in `mask`.
using WarpOperation = void (*)(const void** in, void** out, unsigned mask, const void* argument);

// All lanes of `mask` meet here; the last one to come runs `operation`. With orders_memory it is __syncwarp as well.
void warp_meeting(unsigned mask, const void* in, void* out, const Place& place, bool orders_memory,
                  WarpOperation operation, const void* argument);

// __threadfence.
void memory_fence();

// Static shared memory of the running block: one allocation for each declaration, filled with NaN.
void* shared_variable(const void* declaration, size_t bytes, size_t alignment);
// Whether an address lies in shared memory of the running block, static or dynamic.
bool is_shared(const void* at);
// Addresses of dynamic shared memory as instructions see them, and back.
uint32_t shared_address(const void* at);
const char* at_shared_address(uint32_t address);

// cp.async: begin, close a group, wait until at most `pending` groups are under way.
struct Copy {
  void* to;
  const void* from;
  int bytes;     // 4, 8 or 16
  bool enabled;  // else zeros are written
};
void start_copy(const Copy& copy);
void commit_copies();
void wait_copies(unsigned pending);

// mbarrier: an object of 8 bytes whose phase turns when all arrivals and all bytes it expects have come.
void mbarrier_init(uint64_t* barrier, unsigned arrivals);
void mbarrier_arrive(uint64_t* barrier, unsigned more_bytes);
void mbarrier_wait(uint64_t* barrier, unsigned parity, const Place& place);

// TMA: a box of a tensor goes to shared memory and its bytes to an mbarrier.
struct TileAxis {
  int64_t size, stride;  // stride in bytes
  int box, step;
};
struct Tile {
  const char* tensor;
  int rank;
  TileAxis axes[4];  // the slowest first
  int element_bytes;
  int swizzle_bytes;  // 0, 32, 64 or 128
  bool rounds_to_tf32;

  const TileAxis& last() const { return axes[rank - 1]; }
};
struct TileCopy {
  Tile tile;
  int64_t corner[4];
  char* to;
  uint64_t* barrier;
};
void start_tile_copy(const TileCopy& copy);

// wgmma: each of the 128 threads of a warpgroup brings its accumulators.
struct ProductKind {
  int columns, element_bytes;
  float (*element)(const char* at);
  bool a_transposed, b_transposed;
  int least_exponent;  // of the elements' normal numbers
};
struct Product {
  const ProductKind* kind;
  uint64_t a, b;  // descriptors
  float* sums;
  bool adds;
};
void start_product(const Product& product);
void fence_products();
void commit_products();
void wait_products(unsigned pending);

// Runs a whole grid; returns an empty string or the error.
std::string run_grid(dim3 grid, dim3 block, size_t dynamic_bytes, const std::function<void()>& body, const char* name);

}  // namespace ph::sim
