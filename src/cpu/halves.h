// float16 and bfloat16 through kernels written for float32: inputs are brought to float32, the kernel runs, its results
// are rounded once, when they are stored. Where a tensor's leading axes can be cut, this is done a piece at a time in
// memory of the thread; else with whole copies in the workspace.
#pragma once
#include "core/kernel.h"
#include "core/scratch.h"
#include "core/thread_pool.h"
#include "cpu/convert.h"

namespace ph::PH_LEVEL {
namespace {

constexpr int most_tensors = 8;  // inputs or outputs of a kernel that runs in float32

// Elements of the float32 copy of a tensor, up to the next line of the cache; none where the tensor is taken as it is.
PH_INLINE int64_t copy_size(DType dtype, int64_t elements) { return is_half(dtype) ? (elements + 15) / 16 * 16 : 0; }

// The part of a tensor that a piece sees: units [begin, begin + count) of the axes in front.
PH_INLINE View part_of(const View& whole, int lead, int64_t begin, int64_t count) {
  if (lead == 0) return whole;
  View part;
  part.dtype = whole.dtype;
  part.shape.push_back(count);
  for (int i = lead; i < whole.shape.rank(); ++i) part.shape.push_back(whole.shape[i]);
  const int64_t unit = whole.shape.product(lead, whole.shape.rank());
  part.data = whole.as<char>() + begin * unit * static_cast<int64_t>(size_of(whole.dtype));
  return part;
}

// Runs a float32 kernel on pieces of a call. All outputs and the first `cut` inputs begin with the same `lead` axes,
// over which the kernel works independently; the kernel sees them as one axis, or none where there are none. The other
// inputs go whole to each piece.
// run(call, begin): the kernel on the piece that begins at unit `begin`.
template <class Run>
void run_pieces_in_float(const KernelCall& k, int lead, int cut, double ns_per_element, Run run) {
  constexpr int64_t piece_elements = 16384;
  const int64_t units = k.in[0].shape.product(0, lead);
  if (units == 0) return;
  const int64_t unit = k.in[0].shape.product(lead, k.in[0].shape.rank());
  const int64_t per_piece = unit < piece_elements ? piece_elements / (unit ? unit : 1) : 1;
  parallel_for((units + per_piece - 1) / per_piece, ns_per_element * static_cast<double>(unit * per_piece),
               [&](int64_t piece) {
                 const int64_t begin = piece * per_piece, count = units - begin < per_piece ? units - begin : per_piece;
                 View in[most_tensors], out[most_tensors];
                 int64_t size = 0;
                 for (int i = 0; i < k.in.size(); ++i) {
                   in[i] = i < cut ? part_of(k.in[i], lead, begin, count) : k.in[i];
                   size += copy_size(in[i].dtype, in[i].size());
                 }
                 for (int i = 0; i < k.out.size(); ++i) {
                   out[i] = part_of(k.out[i], lead, begin, count);
                   size += copy_size(out[i].dtype, out[i].size());
                 }
                 float* copies = static_cast<float*>(thread_scratch(sizeof(float) * static_cast<size_t>(size)));
                 const auto widened = [&](const View& view) {
                   if (!is_half(view.dtype)) return view;
                   const View wide{copies, view.shape, DType::float32};
                   copies += copy_size(view.dtype, view.size());
                   return wide;
                 };
                 View wide_in[most_tensors], wide_out[most_tensors];
                 for (int i = 0; i < k.in.size(); ++i) {
                   wide_in[i] = widened(in[i]);
                   if (is_half(in[i].dtype))
                     load_converted(wide_in[i].as<float>(), in[i].data, in[i].dtype, in[i].size());
                 }
                 for (int i = 0; i < k.out.size(); ++i) wide_out[i] = widened(out[i]);
                 run(KernelCall{{wide_in, k.in.size()}, {wide_out, k.out.size()}, k.workspace}, begin);
                 for (int i = 0; i < k.out.size(); ++i) {
                   if (is_half(out[i].dtype))
                     store_converted(out[i].data, wide_out[i].as<float>(), out[i].dtype, out[i].size());
                 }
               });
}

// f(first, count) for stretches of n elements, in parallel.
template <class F>
PH_INLINE void for_stretches(int64_t n, F f) {
  constexpr int64_t stretch = 8192;
  parallel_for((n + stretch - 1) / stretch, 0.3 * static_cast<double>(n < stretch ? n : stretch),
               [&](int64_t i) { f(i * stretch, n - i * stretch < stretch ? n - i * stretch : stretch); });
}

PH_INLINE void widen_in_parallel(float* to, const View& from) {
  const int64_t bytes = static_cast<int64_t>(size_of(from.dtype));
  for_stretches(from.size(), [&](int64_t first, int64_t count) {
    load_converted(to + first, from.as<char>() + first * bytes, from.dtype, count);
  });
}
PH_INLINE void narrow_in_parallel(const View& to, const float* from) {
  const int64_t bytes = static_cast<int64_t>(size_of(to.dtype));
  for_stretches(to.size(), [&](int64_t first, int64_t count) {
    store_converted(to.as<char>() + first * bytes, from + first, to.dtype, count);
  });
}

// Runs a float32 kernel on copies of all its tensors. `own` bytes of the workspace are the kernel's; the copies, the
// size of whole_copies_bytes of all tensors, follow.
template <class Run>
void run_whole_in_float(const KernelCall& k, size_t own, Run run) {
  float* copies = reinterpret_cast<float*>(static_cast<char*>(k.workspace) + (own + 63) / 64 * 64);
  View in[most_tensors], out[most_tensors];
  const auto widened = [&](const View& view) {
    if (!is_half(view.dtype)) return view;
    const View wide{copies, view.shape, DType::float32};
    copies += copy_size(view.dtype, view.size());
    return wide;
  };
  for (int i = 0; i < k.in.size(); ++i) {
    in[i] = widened(k.in[i]);
    if (is_half(k.in[i].dtype)) widen_in_parallel(in[i].as<float>(), k.in[i]);
  }
  for (int i = 0; i < k.out.size(); ++i) out[i] = widened(k.out[i]);
  run(KernelCall{{in, k.in.size()}, {out, k.out.size()}, k.workspace});
  for (int i = 0; i < k.out.size(); ++i) {
    if (is_half(k.out[i].dtype)) narrow_in_parallel(k.out[i], out[i].as<float>());
  }
}

PH_INLINE size_t whole_copies_bytes(size_t own, int64_t copies) {
  return (own + 63) / 64 * 64 + sizeof(float) * static_cast<size_t>(copies);
}

template <class Attrs>
const char* half_float(SpecSpan in, const Attrs&) {
  return is_half(in[0].dtype) ? nullptr : "wants float16 or bfloat16";
}

template <class Attrs>
const char* wide_float(SpecSpan in, const Attrs&) {
  const bool wide = in[0].dtype == DType::float32 || in[0].dtype == DType::float64;
  return wide ? nullptr : "wants float32 or float64";
}

template <auto results, auto own, class Attrs>
size_t whole_copies_workspace(SpecSpan in, const Attrs& a) {
  int64_t copies = results(in, a);
  for (const Spec& spec : in) copies += copy_size(spec.dtype, spec.shape.size());
  return whole_copies_bytes(own(in, a), copies);
}

template <auto run, auto own, class Attrs>
void run_on_copies(const KernelCall& k, const Attrs& a) {
  Spec specs[most_tensors];
  for (int i = 0; i < k.in.size(); ++i) specs[i] = {k.in[i].shape, k.in[i].dtype};
  run_whole_in_float(k, own({specs, k.in.size()}, a), [&](const KernelCall& wide) { run(wide, a); });
}

// The kernel that runs `run`, whose workspace is `own`, in float32 on copies of all tensors. `results`:
// int64_t(SpecSpan, const Attrs&), copy_size of the outputs together.
template <auto run, auto results, auto own>
constexpr Kernel on_copies() {
  using Attrs = typename LastArgument<decltype(run)>::type;
  return kernel<run_on_copies<run, own, Attrs>, half_float<Attrs>, whole_copies_workspace<results, own, Attrs>>(
      "converted");
}

}  // namespace
}  // namespace ph::PH_LEVEL
