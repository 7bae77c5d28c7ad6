// Op: one entry of the op table - name, inputs, attributes, shape rule, gradient rule, traits.
//
//   PH_OP(softmax, "x", SoftmaxAttrs, infer, gradient);
//   PH_OP(argmax, "x", ArgmaxAttrs, infer_argmax, no_gradient<"the result is an integer">);
//
// Input list: "x, kernel, bias?" names the inputs; `?` marks trailing optional ones, "xs..." any number of inputs.
// infer:     Specs(SpecSpan inputs, const SomeAttrs&); the only place that knows shapes, dtypes and errors
// gradient:  Tensors(const GradCall&, const SomeAttrs&); op calls, one result per input, Tensor{} where there is none
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "core/attributes.h"
#include "core/error.h"
#include "core/kernel.h"
#include "core/tensor.h"

namespace ph {

struct GradCall {
  const Tensors& inputs;
  const Tensors& outputs;
  const Tensors& grads;           // of the outputs; undefined where an output did not matter
  const std::vector<bool>& need;  // per input

  bool needs(size_t input) const { return input < need.size() && need[input]; }
};

struct OpTraits {
  bool view = false;         // the result is the first input's memory under another shape: no kernel
  bool elementwise = false;  // one scalar formula per element (ops/elementwise.def)
  bool commutative = false;  // op(a, b) == op(b, a), bit for bit
  bool promotes = false;     // from Python, inputs of different dtypes are brought to their common one first
  bool float_input = false;  // from Python, integer and bool inputs become the default float first
  bool epilogue = false;     // takes an optional bias as third input and an attribute `activation`
  // in_place[i] >= 0: output i may be written over that input
  int8_t in_place[6] = {-1, -1, -1, -1, -1, -1};
  bool checks_values = false;  // an index or label among its inputs may be out of range, which a device reports later
  // > 0: takes any number of groups of so many inputs, each treated on its own, then inputs that all share. The outputs
  // are all of a group but its last, each of which may be written over the input it replaces. Nodes that share and
  // attribute alike are made one (pass group_optimizer).
  int8_t group = 0;
  // Copies elements and computes nothing with them: no operations, and of an input no more elements are read than are
  // written.
  bool copies = false;
  // Arithmetic operations of a call, comparisons and functions such as exp counted as one each; nullptr: one for each
  // element of the results.
  double (*operations)(SpecSpan inputs, SpecSpan outputs, const void* attributes) = nullptr;
  // The op's meaning in other ops, run where a device has no kernel of it.
  Tensors (*decompose)(const Tensors& inputs, const void* attributes) = nullptr;
};

// The input that an output of an op may be written over; -1 for none.
inline int in_place_input(const OpTraits& traits, int output) {
  if (traits.group) return output / (traits.group - 1) * traits.group + output % (traits.group - 1);
  return output < 6 ? traits.in_place[output] : -1;
}

struct Op {
  const char* name;
  std::vector<std::string> inputs;
  int required_inputs;
  bool variadic;
  const AttributesType* attributes;
  Specs (*infer)(SpecSpan inputs, const void* attributes);
  Tensors (*gradient)(const GradCall& call, const void* attributes);  // nullptr: none, for the reason below
  const char* no_gradient_reason;
  bool lacks_gradient;  // there is one, but no rule for it: whoever asks for it gets an error
  OpTraits traits;
  mutable std::vector<std::pair<const Device*, KernelList>> kernels;  // found so far, by device; see kernels_of
};

// A compile-time string, for no_gradient<"reason"> and gradient_not_offered<"reason">.
template <size_t N>
struct Reason {
  char text[N];
  constexpr Reason(const char (&from)[N]) {
    for (size_t i = 0; i < N; ++i) text[i] = from[i];
  }
};

template <Reason reason, bool is_lacking>
struct NoGradient {
  static constexpr const char* text = reason.text;
  static constexpr bool lacking = is_lacking;
};
// For an op through which nothing flows back: it is flat, or its results are not numbers that vary.
template <Reason reason>
inline constexpr NoGradient<reason, false> no_gradient{};
// For an op that has a gradient, but no rule for it.
template <Reason reason>
inline constexpr NoGradient<reason, true> gradient_not_offered{};

template <class G>
struct IsNoGradient : std::false_type {};
template <Reason reason, bool is_lacking>
struct IsNoGradient<NoGradient<reason, is_lacking>> : std::true_type {};

const Op& register_op(const char* name, const char* inputs, Op op);

template <class Attrs, auto infer, auto gradient>
const Op& make_op(const char* name, const char* inputs, const OpTraits& traits) {
  Op op{};
  op.name = name;
  op.attributes = attributes_type<Attrs>();
  op.infer = [](SpecSpan specs, const void* attributes) {
    return infer(specs, *static_cast<const Attrs*>(attributes));
  };
  using G = std::remove_cv_t<decltype(gradient)>;
  if constexpr (IsNoGradient<G>::value) {
    op.no_gradient_reason = G::text;
    op.lacks_gradient = G::lacking;
  } else {
    op.gradient = [](const GradCall& call, const void* attributes) {
      return gradient(call, *static_cast<const Attrs*>(attributes));
    };
  }
  op.traits = traits;
  return register_op(name, inputs, op);
}

// For OpTraits::decompose.
template <auto decompose>
Tensors decomposed(const Tensors& inputs, const void* attributes) {
  return decompose(inputs, *static_cast<const typename LastArgument<decltype(decompose)>::type*>(attributes));
}

// For OpTraits::operations: a rule, or so many for each element of an input.
template <auto rule>
double operations(SpecSpan inputs, SpecSpan outputs, const void* attributes) {
  return rule(inputs, outputs, *static_cast<const typename LastArgument<decltype(rule)>::type*>(attributes));
}
template <int count, int input = 0>
double operations_per_element(SpecSpan inputs, SpecSpan, const void*) {
  return static_cast<double>(count) * static_cast<double>(inputs[input].shape.size());
}

// What a call does: arithmetic operations, and the bytes it must at least read and write.
struct Work {
  double operations = 0, bytes = 0;
};
Work work_of(const Op& op, SpecSpan inputs, SpecSpan outputs, const void* attributes);

// Traits follow without braces: PH_OP(add, "a, b", NoAttrs, infer, gradient, .commutative = true, .promotes = true);
#define PH_OP(op_name, inputs, Attrs, infer, gradient, ...) \
  static const ::ph::Op& op_##op_name = ::ph::make_op<Attrs, infer, gradient>(#op_name, inputs, {__VA_ARGS__})

// Throws naming similar ops if there is none.
const Op& find_op(const std::string& name);
std::vector<const Op*> all_ops();  // sorted by name

// The kernels of `op` on `device`, looked up once (by callers that hold Python's lock); empty for views and for ops
// that only have a decomposition there.
KernelList kernels_of(const Op& op, const Device& device);

}  // namespace ph
