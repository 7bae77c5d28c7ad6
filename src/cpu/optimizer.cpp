// Optimizer updates: one loop for all of them, which reads and writes every state once. All groups of a call are cut
// into spans that threads share, so that a network's many small variables cost one job. float16 and bfloat16 are
// updated in float32, a piece at a time, and rounded once.
#include "ops/optimizer.h"

#include "core/inline.h"
#include "core/thread_pool.h"
#include "cpu/convert.h"

namespace ph::PH_LEVEL {

namespace {

constexpr int64_t span = 16384;

// Elements begin, ..., end - 1 of one group. in: variable, slots, gradient; out: variable, slots.
template <class Update, class T>
void update_span(const Update& update, const View* in, const View* out, int64_t begin, int64_t end) {
  constexpr int states = Update::slots + 1;
  const T* from[states];
  T* to[states];
  for (int s = 0; s < states; ++s) {
    from[s] = in[s].as<T>();
    to[s] = out[s].as<T>();
  }
  const T* gradient = in[states].as<T>();
  PH_INDEPENDENT
  for (int64_t i = begin; i < end; ++i) {
    T state[states];
#pragma GCC unroll 4
    for (int s = 0; s < states; ++s) state[s] = from[s][i];
    update(gradient[i], state);
#pragma GCC unroll 4
    for (int s = 0; s < states; ++s) to[s][i] = state[s];
  }
}

template <class Update>
void update_halves(const Update& update, const View* in, const View* out, int64_t begin, int64_t end) {
  constexpr int states = Update::slots + 1;
  constexpr int64_t piece = 256;
  for (int64_t at = begin; at < end; at += piece) {
    const int64_t n = end - at < piece ? end - at : piece;
    float values[states + 1][piece];
    View wide[states + 1];
    for (int s = 0; s <= states; ++s) {
      load_converted(values[s], in[s].as<uint16_t>() + at, in[s].dtype, n);
      wide[s].data = values[s];
    }
    update_span<Update, float>(update, wide, wide, 0, n);
    for (int s = 0; s < states; ++s) store_converted(out[s].as<uint16_t>() + at, values[s], out[s].dtype, n);
  }
}

template <class Update, class T, class Attrs>
void update_groups(const KernelCall& k, const Attrs& a) {
  constexpr int group = Update::slots + 2, states = Update::slots + 1;
  const int groups = (k.in.size() - Update::scalars) / group;
  T scalars[Update::scalars];
  for (int i = 0; i < Update::scalars; ++i) scalars[i] = *k.in[groups * group + i].template as<T>();
  const Update update(a, scalars);
  const auto spans_of = [&](int g) { return (k.in[g * group].size() + span - 1) / span; };
  int64_t spans = 0, elements = 0;
  for (int g = 0; g < groups; ++g) {
    spans += spans_of(g);
    elements += k.in[g * group].size();
  }
  if (elements == 0) return;
  parallel_for(spans, static_cast<double>(elements) / static_cast<double>(spans), [&](int64_t chunk) {
    int g = 0;
    for (; chunk >= spans_of(g); ++g) chunk -= spans_of(g);
    const int64_t begin = chunk * span, n = k.in[g * group].size();
    const int64_t end = begin + span < n ? begin + span : n;
    if constexpr (std::is_same_v<T, float>) {
      if (k.in[0].dtype != DType::float32) {
        return update_halves(update, &k.in[g * group], &k.out[g * states], begin, end);
      }
    }
    update_span<Update, T>(update, &k.in[g * group], &k.out[g * states], begin, end);
  });
}

template <template <class> class Update, class Attrs>
void update(const KernelCall& k, const Attrs& a) {
  k.in[0].dtype == DType::float64 ? update_groups<Update<double>, double>(k, a)
                                  : update_groups<Update<float>, float>(k, a);
}

}  // namespace

PH_KERNELS(sgd_step, kernel<update<SgdUpdate, NoAttrs>>("spans"));
PH_KERNELS(momentum_step, kernel<update<MomentumUpdate, MomentumStepAttrs>>("spans"));
PH_KERNELS(adam_step, kernel<update<AdamUpdate, AdamStepAttrs>>("spans"));
PH_KERNELS(nadam_step, kernel<update<NadamUpdate, AdamStepAttrs>>("spans"));
PH_KERNELS(adamax_step, kernel<update<AdamaxUpdate, AdamStepAttrs>>("spans"));
PH_KERNELS(rmsprop_step, kernel<update<RmspropUpdate, RmspropStepAttrs>>("spans"));
PH_KERNELS(adadelta_step, kernel<update<AdadeltaUpdate, RmspropStepAttrs>>("spans"));
PH_KERNELS(adagrad_step, kernel<update<AdagradUpdate, AdagradStepAttrs>>("spans"));
PH_KERNELS(ftrl_step, kernel<update<FtrlUpdate, FtrlStepAttrs>>("spans"));
PH_KERNELS(lion_step, kernel<update<LionUpdate, LionStepAttrs>>("spans"));

}  // namespace ph::PH_LEVEL
