// tiles: a chain of elementwise ops run as one kernel, tile by tile, so that what passes between them stays in the
// cache. Made by graph passes; a single eager op is a chain of one.
#pragma once
#include "core/apply.h"

namespace ph {

// In the order of ops/elementwise.def.
enum class ElementwiseCode : uint8_t {
#define PH_ELEMENTWISE(name, arity, cls, slope) name##_code,
#include "ops/elementwise.def"
#undef PH_ELEMENTWISE
};
constexpr int elementwise_count = 0
#define PH_ELEMENTWISE(name, arity, cls, slope) +1
#include "ops/elementwise.def"
#undef PH_ELEMENTWISE
    ;

// The type a chain computes in; its inputs and outputs may be stored in others (bool, int8, float16 ...).
enum class TileType : uint8_t { float32, float64, int32, int64 };
PH_INLINE TileType tile_type_of(DType storage) {
  switch (storage) {
    case DType::float64:
      return TileType::float64;
    case DType::float16:
    case DType::bfloat16:
    case DType::float32:
      return TileType::float32;
    case DType::int64:
    case DType::uint32:
    case DType::uint64:
      return TileType::int64;
    default:
      return TileType::int32;
  }
}

// Bytes only, so that programs are compared and hashed as bytes.
struct TileInstruction {
  uint8_t code;        // ElementwiseCode
  uint8_t operand[3];  // < first_slot: an input; else slot operand - first_slot
  uint8_t slot;        // where the result goes
  uint8_t output;      // which output of the kernel it also is, or no_output
};

struct TileProgram {
  static constexpr int max_inputs = 16, max_outputs = 8, max_slots = 16, max_instructions = 48;
  static constexpr uint8_t first_slot = 16, no_output = 255;

  uint8_t type = 0;  // TileType
  uint8_t instruction_count = 0;
  uint8_t output_count = 0;
  uint8_t output_dtype[max_outputs] = {};  // DType
  TileInstruction code[max_instructions] = {};
};

struct TilesAttrs {
  TileProgram program;
  PH_FIELDS(TilesAttrs, program)
};

// "t0 = multiply(x0, x1); t1 = relu(t0) -> y0"
std::string text_of(const TileProgram& program);
const char* name_of(ElementwiseCode code);
int arity_of(ElementwiseCode code);
// -1 for a name that is no elementwise op.
int elementwise_code(std::string_view name);

}  // namespace ph
