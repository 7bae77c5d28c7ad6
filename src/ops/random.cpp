#include "ops/random.h"

#include <cmath>

namespace ph {

static void check_seed(const Spec& seed, const char* op) {
  PH_CHECK(seed == (Spec{{2}, DType::uint32}), op, ": seed must be uint32(2,), got ", seed);
}

static Specs infer_uniform(SpecSpan in, const RandomUniformAttrs& a) {
  check_seed(in[0], "random_uniform");
  PH_CHECK_TYPE(is_float(a.dtype), "random_uniform: dtype must be floating, got ", a.dtype);
  PH_CHECK(a.minval <= a.maxval, "random_uniform: minval must not exceed maxval, got ", a.minval, " and ", a.maxval);
  return {{to_shape(a.shape, "random_uniform"), a.dtype}};
}
PH_OP(random_uniform, "seed", RandomUniformAttrs, infer_uniform, no_gradient<"random numbers have no slope">);

static Specs infer_normal(SpecSpan in, const RandomNormalAttrs& a) {
  check_seed(in[0], "random_normal");
  PH_CHECK_TYPE(is_float(a.dtype), "random_normal: dtype must be floating, got ", a.dtype);
  PH_CHECK(a.stddev >= 0, "random_normal: stddev must not be negative, got ", a.stddev);
  return {{to_shape(a.shape, "random_normal"), a.dtype}};
}
PH_OP(random_normal, "seed", RandomNormalAttrs, infer_normal, no_gradient<"random numbers have no slope">);
PH_OP(random_truncated_normal, "seed", RandomNormalAttrs, infer_normal, no_gradient<"random numbers have no slope">);

static Specs infer_randint(SpecSpan in, const RandomRandintAttrs& a) {
  check_seed(in[0], "random_randint");
  PH_CHECK_TYPE(is_integer(a.dtype), "random_randint: dtype must be an integer type, got ", a.dtype);
  PH_CHECK(a.minval < a.maxval, "random_randint: minval must be below maxval, got ", a.minval, " and ", a.maxval);
  return {{to_shape(a.shape, "random_randint"), a.dtype}};
}
PH_OP(random_randint, "seed", RandomRandintAttrs, infer_randint, no_gradient<"random numbers have no slope">);

static Specs infer_dropout(SpecSpan in, const DropoutAttrs& a) {
  check_seed(in[1], "dropout");
  PH_CHECK_TYPE(is_float(in[0].dtype), "dropout: x must be floating, got ", in[0]);
  PH_CHECK(a.rate >= 0 && a.rate <= 1, "dropout: rate must be in [0, 1], got ", a.rate);
  return {in[0]};
}
static Tensors gradient_dropout(const GradCall& c, const DropoutAttrs& a) {
  return {dropout(c.grads[0], c.inputs[1], a), Tensor()};
}
PH_OP(dropout, "x, seed", DropoutAttrs, infer_dropout, gradient_dropout, .in_place = {0});

Tensor dropout(const Tensor& x, const Tensor& seed, const DropoutAttrs& a) { return apply1(op_dropout, {x, seed}, a); }

}  // namespace ph
