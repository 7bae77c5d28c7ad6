// Philox 4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", 2011): a block cipher run on a counter.
// Block n of a key is the same four words on every device and whatever the number of threads.
#pragma once
#include <cstdint>

#include "core/inline.h"

namespace ph::philox {
namespace {

constexpr int rounds = 10;
constexpr uint32_t multiplier_a = 0xD2511F53u, multiplier_b = 0xCD9E8D57u;
constexpr uint32_t weyl_a = 0x9E3779B9u, weyl_b = 0xBB67AE85u;

// One round on the words a, b, c, d of the counter with the round's key.
PH_INLINE void round(uint32_t& a, uint32_t& b, uint32_t& c, uint32_t& d, uint32_t key_a, uint32_t key_b) {
  const uint64_t left = static_cast<uint64_t>(multiplier_a) * a;
  const uint64_t right = static_cast<uint64_t>(multiplier_b) * c;
  a = static_cast<uint32_t>(right >> 32) ^ b ^ key_a;
  b = static_cast<uint32_t>(right);
  c = static_cast<uint32_t>(left >> 32) ^ d ^ key_b;
  d = static_cast<uint32_t>(left);
}

// The order in which elements of a tensor take the words of the blocks, chosen so that 16 blocks computed side by side
// store their words as they are: words come in groups of 64; word i is word (i % 64) / 16 of block i / 64 * 16 + i
// % 16.
constexpr int blocks_per_group = 16;
constexpr int words_per_group = 64;

// Word i of the sequence of a key, for code that needs single ones.
PH_INLINE uint32_t word_at(uint64_t i, uint32_t key_a, uint32_t key_b) {
  const uint64_t block = i / words_per_group * blocks_per_group + i % blocks_per_group;
  uint32_t words[4] = {static_cast<uint32_t>(block), static_cast<uint32_t>(block >> 32), 0, 0};
  for (int r = 0; r < rounds; ++r) {
    round(words[0], words[1], words[2], words[3], key_a, key_b);
    key_a += weyl_a;
    key_b += weyl_b;
  }
  return words[i % words_per_group / blocks_per_group];
}

}  // namespace
}  // namespace ph::philox
