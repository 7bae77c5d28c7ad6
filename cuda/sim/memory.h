// Reads and writes of the asynchronous instructions, watched by sanitizers as a kernel's own are.
#pragma once
#include "cuda/sim/engine.h"

namespace ph::sim {

void copy_now(const Copy& copy);

// 16 bytes of a tensor's row from `column` on, with zeros for what lies outside. row: nullptr where all of it does.
void copy_chunk(const Tile& tile, const char* row, int64_t column, char* to);

float bfloat16_at(const char* at);
float float16_at(const char* at);
float tf32_at(const char* at);

}  // namespace ph::sim
