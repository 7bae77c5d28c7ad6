#include "ops/tiles.h"

namespace ph {

static constexpr const char* names[] = {
#define PH_ELEMENTWISE(name, arity, cls, slope) #name,
#include "ops/elementwise.def"
#undef PH_ELEMENTWISE
};
static constexpr int arities[] = {
#define PH_ELEMENTWISE(name, arity, cls, slope) arity,
#include "ops/elementwise.def"
#undef PH_ELEMENTWISE
};

const char* name_of(ElementwiseCode code) { return names[static_cast<int>(code)]; }
int arity_of(ElementwiseCode code) { return arities[static_cast<int>(code)]; }

int elementwise_code(std::string_view name) {
  for (int i = 0; i < elementwise_count; ++i) {
    if (name == names[i]) return i;
  }
  return -1;
}

std::string text_of(const TileProgram& program) {
  std::string out;
  for (int i = 0; i < program.instruction_count; ++i) {
    const TileInstruction& instruction = program.code[i];
    const auto code = static_cast<ElementwiseCode>(instruction.code);
    out += concat(i ? "; " : "", "t", int{instruction.slot}, " = ", name_of(code), "(");
    for (int k = 0; k < arity_of(code); ++k) {
      const int operand = instruction.operand[k];
      out += k ? ", " : "";
      out += operand < TileProgram::first_slot ? concat("x", operand) : concat("t", operand - TileProgram::first_slot);
    }
    out += ")";
    if (instruction.output != TileProgram::no_output) out += concat(" -> y", int{instruction.output});
  }
  return out;
}

static Specs infer(SpecSpan in, const TilesAttrs& attributes) {
  const TileProgram& program = attributes.program;
  PH_CHECK(program.instruction_count > 0 && program.output_count > 0, "tiles: is made by graph passes only");
  PH_CHECK(in.size() <= TileProgram::max_inputs, "tiles: takes at most ", TileProgram::max_inputs, " inputs, got ",
           in.size());
  Shape shape;
  for (const Spec& spec : in) shape = broadcast(shape, spec.shape, "tiles");
  Specs out;
  for (int i = 0; i < program.output_count; ++i) out.push_back({shape, static_cast<DType>(program.output_dtype[i])});
  return out;
}

static double count(SpecSpan, SpecSpan out, const TilesAttrs& attributes) {
  return static_cast<double>(attributes.program.instruction_count) * static_cast<double>(out[0].shape.size());
}

PH_OP(tiles, "inputs...", TilesAttrs, infer, no_gradient<"made by fusion, after gradients were taken">,
      .operations = operations<count>);

}  // namespace ph
