// Shape rule and gradients of the elementwise ops. A rule receives the call and gives one gradient per input;
// broadcasting is undone afterwards for all of them alike.
#include "ops/elementwise.h"

#include <numbers>

#include "ops/cast.h"
#include "ops/reduce.h"
#include "ops/shape.h"

namespace ph {

// 64-bit unsigned numbers are computed in int64: exact modulo 2^64, but not ordered.
static bool needs_order(std::string_view op) {
  for (std::string_view each : {"less", "less_equal", "greater", "greater_equal", "maximum", "minimum", "floor_divide",
                                "mod", "abs", "sign", "relu", "power", "right_shift"}) {
    if (op == each) return true;
  }
  return false;
}

template <ElementwiseClass cls>
static Specs infer_elementwise(SpecSpan in, const NoAttrs&, const char* op) {
  constexpr int first = cls == ElementwiseClass::selection ? 1 : 0;
  Spec out = in[0];
  for (int i = 1; i < in.size(); ++i) out.shape = broadcast(out.shape, in[i].shape, op);
  out.dtype = in[first].dtype;
  for (int i = first + 1; i < in.size(); ++i) {
    PH_CHECK_TYPE(in[i].dtype == out.dtype, op, ": inputs have different dtypes, ", out.dtype, " and ", in[i].dtype);
  }
  PH_CHECK_TYPE(out.dtype != DType::uint64 || !needs_order(op), op,
                ": uint64 is not supported; cast to int64 or a float");
  switch (cls) {
    case ElementwiseClass::floating:
      PH_CHECK_TYPE(is_float(out.dtype), op, ": wants floating inputs, got ", in[0]);
      break;
    case ElementwiseClass::arithmetic:
      PH_CHECK_TYPE(out.dtype != DType::bool_, op, ": wants numbers, got bool");
      break;
    case ElementwiseClass::comparison:
      out.dtype = DType::bool_;
      break;
    case ElementwiseClass::predicate:
      PH_CHECK_TYPE(is_float(out.dtype), op, ": wants floating inputs, got ", in[0]);
      out.dtype = DType::bool_;
      break;
    case ElementwiseClass::logical:
      PH_CHECK_TYPE(out.dtype == DType::bool_, op, ": wants bool inputs, got ", in[0]);
      break;
    case ElementwiseClass::bitwise:
      PH_CHECK_TYPE(is_integer(out.dtype) || (out.dtype == DType::bool_ && in.size() == 2), op,
                    ": wants integer inputs, got ", in[0]);
      break;
    case ElementwiseClass::selection:
      PH_CHECK_TYPE(in[0].dtype == DType::bool_, op, ": condition must be bool, got ", in[0]);
      break;
  }
  return {out};
}

Tensor constant_like(const Tensor& like, double value) { return Tensor::scalar(value, like.dtype()); }

Tensor sum_to_shape(const Tensor& x, const Shape& shape) {
  if (!x.defined() || x.shape() == shape) return x;
  const int extra = x.shape().rank() - shape.rank();
  IntList axes;
  for (int i = 0; i < x.shape().rank(); ++i) {
    if (i < extra || (shape[i - extra] == 1 && x.shape()[i] != 1)) axes.push_back(i);
  }
  return reshape(reduce_sum(x, axes), shape);
}

static Tensor where_positive(const Tensor& condition, const Tensor& value) {
  return select(condition, value, constant_like(value, 0));
}

// The rules. x, a, b: inputs; y: result; dy: gradient of the result.
#define RULE_1(name) \
  static Tensor rule_##name([[maybe_unused]] const Tensor& x, [[maybe_unused]] const Tensor& y, const Tensor& dy)
#define RULE_2(name)                                                                                               \
  static std::pair<Tensor, Tensor> rule_##name([[maybe_unused]] const Tensor& a, [[maybe_unused]] const Tensor& b, \
                                               [[maybe_unused]] const Tensor& y, const Tensor& dy)
#define NUMBER(value) constant_like(dy, value)

RULE_1(negative) { return negative(dy); }
RULE_1(abs) { return multiply(dy, sign(x)); }
RULE_1(square) { return multiply(dy, multiply(x, NUMBER(2))); }
RULE_1(relu) { return relu_grad(dy, y); }
RULE_1(reciprocal) { return negative(multiply(dy, square(y))); }
RULE_1(sqrt) { return divide(multiply(dy, NUMBER(0.5)), y); }
RULE_1(rsqrt) { return multiply(multiply(dy, NUMBER(-0.5)), divide(y, x)); }
RULE_1(exp) { return multiply(dy, y); }
RULE_1(expm1) { return multiply(dy, exp(x)); }
RULE_1(log) { return divide(dy, x); }
RULE_1(log1p) { return divide(dy, add(x, NUMBER(1))); }
RULE_1(sin) { return multiply(dy, cos(x)); }
RULE_1(cos) { return negative(multiply(dy, sin(x))); }
RULE_1(tan) { return multiply(dy, add(square(y), NUMBER(1))); }
RULE_1(arcsin) { return multiply(dy, rsqrt(subtract(NUMBER(1), square(x)))); }
RULE_1(arccos) { return negative(multiply(dy, rsqrt(subtract(NUMBER(1), square(x))))); }
RULE_1(arctan) { return divide(dy, add(square(x), NUMBER(1))); }
RULE_1(sinh) { return multiply(dy, cosh(x)); }
RULE_1(cosh) { return multiply(dy, sinh(x)); }
RULE_1(tanh) { return multiply(dy, subtract(NUMBER(1), square(y))); }
RULE_1(arcsinh) { return multiply(dy, rsqrt(add(square(x), NUMBER(1)))); }
RULE_1(arccosh) { return multiply(dy, rsqrt(subtract(square(x), NUMBER(1)))); }
RULE_1(arctanh) { return divide(dy, subtract(NUMBER(1), square(x))); }
RULE_1(erf) { return multiply(multiply(dy, NUMBER(2 * std::numbers::inv_sqrtpi)), exp(negative(square(x)))); }
RULE_1(erfinv) { return multiply(multiply(dy, NUMBER(0.5 / std::numbers::inv_sqrtpi)), exp(square(y))); }
RULE_1(sigmoid) { return multiply(dy, multiply(y, subtract(NUMBER(1), y))); }
RULE_1(softplus) { return multiply(dy, sigmoid(x)); }
RULE_2(add) { return {dy, dy}; }
RULE_2(subtract) { return {dy, negative(dy)}; }
RULE_2(multiply) { return {multiply(dy, b), multiply(dy, a)}; }
RULE_2(divide) { return {divide(dy, b), negative(divide(multiply(dy, y), b))}; }
RULE_2(divide_no_nan) { return {divide_no_nan(dy, b), negative(divide_no_nan(multiply(dy, y), b))}; }
RULE_2(mod) { return {dy, negative(multiply(dy, floor(divide(a, b))))}; }
RULE_2(power) {
  // where the exponent is 0 the slope is 0 even at a == 0; where the base is not positive the logarithm is left out
  const Tensor zero = NUMBER(0), one = NUMBER(1);
  const Tensor safe_exponent = select(equal(b, zero), one, b);
  const Tensor by_base = multiply(dy, multiply(b, power(a, subtract(safe_exponent, one))));
  const Tensor log_base = log(select(greater(a, zero), a, one));
  return {by_base, multiply(dy, multiply(y, log_base))};
}
// Ties: each side gets half, as in JAX.
static std::pair<Tensor, Tensor> rule_extremum(const Tensor& a, const Tensor& b, const Tensor& y, const Tensor& dy) {
  const Tensor half = multiply(dy, NUMBER(0.5)), tie = equal(a, b);
  const Tensor to_a = select(tie, half, where_positive(equal(a, y), dy));
  const Tensor to_b = select(tie, half, where_positive(equal(b, y), dy));
  return {to_a, to_b};
}
RULE_2(maximum) { return rule_extremum(a, b, y, dy); }
RULE_2(minimum) { return rule_extremum(a, b, y, dy); }
RULE_2(arctan2) {
  const Tensor scaled = divide(dy, add(square(a), square(b)));
  return {multiply(scaled, b), negative(multiply(scaled, a))};
}
// relu_grad(dy, y) = dy where y > 0: linear in dy, flat in y
RULE_2(relu_grad) { return {relu_grad(dy, b), Tensor()}; }

template <auto rule>
static Tensors gradient_1(const GradCall& c, const NoAttrs&) {
  return {rule(c.inputs[0], c.outputs[0], c.grads[0])};
}

template <auto rule>
static Tensors gradient_2(const GradCall& c, const NoAttrs&) {
  auto [da, db] = rule(c.inputs[0], c.inputs[1], c.outputs[0], c.grads[0]);
  return {c.needs(0) ? sum_to_shape(da, c.inputs[0].shape()) : Tensor(),
          c.needs(1) ? sum_to_shape(db, c.inputs[1].shape()) : Tensor()};
}

static Tensors gradient_select(const GradCall& c, const NoAttrs&) {
  const Tensor& condition = c.inputs[0];
  const Tensor& dy = c.grads[0];
  const Tensor zero = constant_like(dy, 0);
  return {Tensor(), c.needs(1) ? sum_to_shape(select(condition, dy, zero), c.inputs[1].shape()) : Tensor(),
          c.needs(2) ? sum_to_shape(select(condition, zero, dy), c.inputs[2].shape()) : Tensor()};
}

#define GRADIENT_smooth_1(name) gradient_1<rule_##name>
#define GRADIENT_smooth_2(name) gradient_2<rule_##name>
#define GRADIENT_smooth_3(name) gradient_##name
#define GRADIENT_flat_1(name) no_gradient<"flat wherever it has a slope">
#define GRADIENT_flat_2(name) no_gradient<"flat wherever it has a slope">

// as keras.ops names them
#define INPUTS_1(cls) "x"
#define INPUTS_2(cls) (ElementwiseClass::cls == ElementwiseClass::bitwise ? "x, y" : "x1, x2")
#define INPUTS_3(cls) "condition, x1, x2"
#define FUNCTION_1(name) \
  Tensor name(const Tensor& x) { return apply1(op_##name, {x}); }
#define FUNCTION_2(name) \
  Tensor name(const Tensor& a, const Tensor& b) { return apply1(op_##name, {a, b}); }
#define FUNCTION_3(name)                                                   \
  Tensor name(const Tensor& condition, const Tensor& a, const Tensor& b) { \
    return apply1(op_##name, {condition, a, b});                           \
  }

static constexpr bool is_commutative(std::string_view name) {
  for (std::string_view each : {"add", "multiply", "equal", "not_equal", "logical_and", "logical_or", "logical_xor",
                                "bitwise_and", "bitwise_or", "bitwise_xor"}) {
    if (name == each) return true;
  }
  return false;
}

#define PH_ELEMENTWISE(name, arity, cls, slope)                                                                    \
  static Specs infer_##name(SpecSpan in, const NoAttrs& attributes) {                                              \
    return infer_elementwise<ElementwiseClass::cls>(in, attributes, #name);                                        \
  }                                                                                                                \
  PH_OP(name, INPUTS_##arity(cls), NoAttrs, infer_##name, (GRADIENT_##slope##_##arity(name)), .elementwise = true, \
        .commutative = is_commutative(#name), .promotes = true,                                                    \
        .float_input = ElementwiseClass::cls == ElementwiseClass::floating ||                                      \
                       ElementwiseClass::cls == ElementwiseClass::predicate,                                       \
        .in_place = {0});                                                                                          \
  FUNCTION_##arity(name)
#include "ops/elementwise.def"

}  // namespace ph
