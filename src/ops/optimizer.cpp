#include "ops/optimizer.h"

namespace ph {

// `Update` says how many slots a group has and how many scalars follow the groups.
template <class Update>
static Specs infer_update(SpecSpan in, const char* op) {
  constexpr int group = Update::slots + 2, scalars = Update::scalars;
  PH_CHECK(in.size() >= group + scalars && (in.size() - scalars) % group == 0, op, ": takes groups of ", group,
           " tensors (variable, slots, gradient), then ", scalars, " scalars, got ", in.size(), " tensors");
  const DType dtype = in[0].dtype;
  PH_CHECK_TYPE(is_float(dtype), op, ": wants floating variables, got ", in[0]);
  const Spec scalar{Shape{}, is_half(dtype) ? DType::float32 : dtype};
  Specs out;
  for (int first = 0; first + scalars < in.size(); first += group) {
    const Spec wanted{in[first].shape, dtype};
    for (int i = first; i < first + group; ++i) {
      PH_CHECK(in[i] == wanted, op, ": slots and gradient must be ", wanted, " as the variable, got ", in[i]);
      if (i + 1 < first + group) out.push_back(wanted);
    }
  }
  for (int i = in.size() - scalars; i < in.size(); ++i) {
    PH_CHECK(in[i] == scalar, op, ": rate must be ", scalar, ", got ", in[i]);
  }
  return out;
}

template <class Update>
static double count_update(SpecSpan in, SpecSpan, const void*) {
  constexpr int group = Update::slots + 2;
  double elements = 0;
  for (int first = 0; first + Update::scalars < in.size(); first += group) {
    elements += static_cast<double>(in[first].shape.size());
  }
  return elements * Update::operations;
}

#define PH_UPDATE(op_name, Attrs, Update)                                                                       \
  static Specs infer_##op_name(SpecSpan in, const Attrs&) { return infer_update<Update<float>>(in, #op_name); } \
  PH_OP(op_name, "groups...", Attrs, infer_##op_name, no_gradient<"updates are not differentiated through">,    \
        .group = Update<float>::slots + 2, .operations = count_update<Update<float>>)

PH_UPDATE(sgd_step, NoAttrs, SgdUpdate);
PH_UPDATE(momentum_step, MomentumStepAttrs, MomentumUpdate);
PH_UPDATE(adam_step, AdamStepAttrs, AdamUpdate);
PH_UPDATE(nadam_step, AdamStepAttrs, NadamUpdate);
PH_UPDATE(adamax_step, AdamStepAttrs, AdamaxUpdate);
PH_UPDATE(rmsprop_step, RmspropStepAttrs, RmspropUpdate);
PH_UPDATE(adadelta_step, RmspropStepAttrs, AdadeltaUpdate);
PH_UPDATE(adagrad_step, AdagradStepAttrs, AdagradUpdate);
PH_UPDATE(ftrl_step, FtrlStepAttrs, FtrlUpdate);
PH_UPDATE(lion_step, LionStepAttrs, LionUpdate);

}  // namespace ph
