// Counts, for every address function of the matrix products' main loops, bank conflicts in shared memory and the
// 32-byte sectors that a warp's loads from global memory touch. Prints a line for each: name, the most words that lanes
// served together want of one bank beyond the first, sectors touched, sectors needed. Run by test_shared_tiles.py.
#include <cstdio>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "cuda/gemm/fitting.h"

__thread ph::sim::Thread* ph::sim::current = nullptr;

namespace ph::cuda {

static constexpr int lanes = 32, bank_bytes = 4, banks = 32, sector_bytes = 32;

// Addresses in bytes, one for each lane, of accesses of `size` bytes.
using Warp = std::vector<int64_t>;

// Lanes are served together as far as their bytes fill all banks once.
static int conflicts(const Warp& warp, int size) {
  int most = 0;
  const int together = banks * bank_bytes / size;
  for (size_t first = 0; first < warp.size(); first += static_cast<size_t>(together)) {
    std::map<int64_t, std::set<int64_t>> words;
    for (size_t lane = first; lane < first + static_cast<size_t>(together) && lane < warp.size(); ++lane) {
      for (int64_t at = warp[lane]; at < warp[lane] + size; at += bank_bytes) {
        words[at / bank_bytes % banks].insert(at / bank_bytes);
      }
    }
    for (const auto& [bank, wanted] : words) most = std::max(most, static_cast<int>(wanted.size()) - 1);
  }
  return most;
}

static int sectors(const Warp& warp, int size) {
  std::set<int64_t> touched;
  for (const int64_t at : warp) {
    for (int64_t byte = at; byte < at + size; ++byte) touched.insert(byte / sector_bytes);
  }
  return static_cast<int>(touched.size());
}

struct Row {
  std::string name;
  int conflicts = 0, touched = 0, needed = 0;

  void shared(const Warp& warp, int size) { conflicts = std::max(conflicts, cuda::conflicts(warp, size)); }
  void global(const Warp& warp, int size) {
    touched += sectors(warp, size);
    needed += static_cast<int>(warp.size()) * size / sector_bytes;
  }
  ~Row() { std::printf("%s|%d|%d|%d\n", name.c_str(), conflicts, touched, needed); }
};

// body(lane) on each lane of each warp, as thread of a block.
template <class Body>
static void for_each_warp(int threads, Body body) {
  sim::Thread thread{};
  sim::current = &thread;
  for (int first = 0; first < threads; first += lanes) {
    body([&](int lane) { thread.index.x = static_cast<unsigned>(first + lane); });
  }
  sim::current = nullptr;
}

// The copies of a tile: from a matrix whose rows are long, to where `place(line, place)` says, `size` bytes at a time.
template <class Reader, class Operand, class Place>
static void check_copies(const std::string& name, int threads, int size, Place shared_place) {
  using Element = typename Operand::Element;
  Row row{name};
  constexpr int stride = 4096;
  for_each_warp(threads, [&](auto become) {
    for (int i = 0; i < Reader::count; ++i) {
      Warp to, from;
      for (int lane = 0; lane < lanes; ++lane) {
        become(lane);
        const int line = Reader::line(i), place = Reader::place(i);
        to.push_back(static_cast<int64_t>(sizeof(Element)) * shared_place(line, place));
        from.push_back(static_cast<int64_t>(sizeof(Element)) *
                       (Operand::depth_fast ? line * stride + place : place * stride + line));
      }
      row.shared(to, size);
      row.global(from, Operand::vector * static_cast<int>(sizeof(Element)));
    }
  });
}

template <class Loop, int lines, bool depth_fast>
static void check_tensor_tile(const std::string& name) {
  using Element = typename Loop::Element;
  constexpr int size = sizeof(Element), vector = 16 / size;
  using Tile = SharedTile<size, lines, Loop::depth, depth_fast>;
  using Operand = MatrixOperand<Element, depth_fast, vector>;
  using Reader = TileReader<Operand, lines, Loop::depth, Loop::threads, Loop::template run<Operand, lines>>;
  check_copies<Reader, Operand>(name + ", copies", Loop::threads, 16, Tile::offset);

  Row row{name + ", fragments"};
  const auto check = [&](int bytes, auto&& offset) {
    Warp warp;
    for (int lane = 0; lane < lanes; ++lane) warp.push_back(int64_t{size} * offset(lane));
    row.shared(warp, bytes);
  };
  for (int line = 0; line < lines; line += 16) {
    for (int place = 0; place < Loop::depth; place += 32 / size) {
      if constexpr (depth_fast || size == 2) {
        check(16, [&](int lane) { return Tile::a_row(lane, line, place); });
        check(16, [&](int lane) { return Tile::b_row(lane, line, place); });
      } else {
        for (int r = 0; r < 4; ++r) {
          check(4, [&](int lane) { return Tile::a_element(lane, r, line, place); });
          check(4, [&](int lane) { return Tile::b_element(lane, r, line, place); });
        }
      }
    }
  }
}

// Sums as they leave the tensor cores, and as threads take them to the output.
template <int rows, int columns, int threads>
static void check_staged_output(const std::string& name) {
  using Staged = StagedOutput<rows, columns>;
  Row row{name + ", staged output"};
  for (int first = 0; first < rows; first += 8) {
    for (int column = 0; column < columns; column += 8) {
      Warp warp;
      for (int lane = 0; lane < lanes; ++lane) {
        warp.push_back(4 * int64_t{Staged::offset(first + lane / 4, column + lane % 4 * 2)});
      }
      row.shared(warp, 8);
    }
  }
  constexpr int across = columns / 4;
  for (int first = 0; first < threads; first += lanes) {
    Warp from, to;
    for (int i = first; i < first + lanes; ++i) {
      from.push_back(4 * int64_t{Staged::offset(i / across, i % across * 4)});
      to.push_back(4 * (int64_t{i / across} * 4096 + i % across * 4));
    }
    row.shared(from, 16);
    row.global(to, 16);
  }
}

template <class Loop>
static void check_tensor_loop(const std::string& name) {
  check_tensor_tile<Loop, Loop::rows, true>(name + ", A along the depth");
  check_tensor_tile<Loop, Loop::rows, false>(name + ", A along the lines");
  check_tensor_tile<Loop, Loop::columns, true>(name + ", B along the depth");
  check_tensor_tile<Loop, Loop::columns, false>(name + ", B along the lines");
  check_staged_output<Loop::rows, Loop::columns, Loop::threads>(name);
}

template <class Loop, int lines, bool depth_fast, int vector>
static void check_ffma_tile(const std::string& name) {
  using Operand = MatrixOperand<float, depth_fast, vector>;
  using Reader = TileReader<Operand, lines, Loop::depth, Loop::threads, ffma_run<Operand, lines, Loop::depth>>;
  constexpr int width = lines + ffma_padding<float>;
  // along the depth elements are stored one by one, all lanes the same place of their vectors
  check_copies<Reader, Operand>(name + (vector == 1 ? ", single elements" : ""), Loop::threads,
                                depth_fast ? 4 : 4 * vector, [](int line, int place) { return place * width + line; });
}

template <class Loop>
static void check_ffma_loop(const std::string& name) {
  check_ffma_tile<Loop, Loop::rows, true, 4>(name + ", A along the depth");
  check_ffma_tile<Loop, Loop::rows, false, 4>(name + ", A along the lines");
  check_ffma_tile<Loop, Loop::columns, true, 4>(name + ", B along the depth");
  check_ffma_tile<Loop, Loop::columns, false, 4>(name + ", B along the lines");
  check_ffma_tile<Loop, Loop::rows, true, 1>(name + ", A along the depth");
  check_ffma_tile<Loop, Loop::rows, false, 1>(name + ", A along the lines");
}

// A tile without padding or swizzle, which the count must not miss.
static void check_plain_tile() {
  Row row{"planted"};
  Warp warp;
  for (int lane = 0; lane < lanes; ++lane) warp.push_back(4 * (lane % 16 * 16 + lane / 16 * 4));
  row.shared(warp, 16);
  warp.clear();
  for (int lane = 0; lane < lanes; ++lane) warp.push_back(64 * lane);
  row.global(warp, 16);
}

static void check_all() {
  check_plain_tile();
  check_tensor_loop<Tensor128<Tf32>::Loop>("128 x 128 of 4 bytes");
  check_tensor_loop<Tensor64<Tf32>::Loop>("64 x 64 of 4 bytes");
  check_tensor_loop<TensorCores<Tf32, 128, 32, 32, 32, 4>>("128 x 32 of 4 bytes");
  check_tensor_loop<Tensor128<Halves<Float16>>::Loop>("128 x 128 of 2 bytes");
  check_tensor_loop<Tensor64<Halves<Float16>>::Loop>("64 x 64 of 2 bytes");
  check_staged_output<64, 256, 128>("wgmma");
  check_ffma_loop<Ffma128::Loop>("multiply-adds, 128 x 128");
  check_ffma_loop<Ffma64::Loop>("multiply-adds, 64 x 64");
  check_ffma_loop<Ffma32::Loop>("multiply-adds, 32 x 32");
  check_ffma_loop<Ffma<float, 128, 32, 16, 8, 4>>("multiply-adds, 128 x 32");
}

}  // namespace ph::cuda

int main() { ph::cuda::check_all(); }
