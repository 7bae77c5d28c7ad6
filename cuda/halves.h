// float16 and bfloat16 through kernels written for float32: the tensors are brought to float32 in the workspace, the
// kernel runs on the copies, its results are rounded once, when they are stored.
#pragma once
#include <vector>

#include "cuda/conversion.h"

namespace ph::cuda {

// Bytes of the float32 copy of a tensor, up to a multiple of what memory is aligned to; none where it is taken as it
// is.
inline size_t copy_bytes(DType dtype, int64_t elements) {
  constexpr size_t alignment = 64;
  return is_half(dtype) ? (static_cast<size_t>(elements) * sizeof(float) + alignment - 1) / alignment * alignment : 0;
}

namespace {

inline Specs in_float32(SpecSpan specs) {
  Specs wide;
  for (const Spec& spec : specs) wide.push_back({spec.shape, is_half(spec.dtype) ? DType::float32 : spec.dtype});
  return wide;
}

// workspace() of a kernel that runs in float32. `results`: size_t(SpecSpan, const Attrs&), copy_bytes of the outputs,
// or more. `own`: the kernel's own workspace().
template <auto results, auto own, class Attrs>
size_t in_float_bytes(SpecSpan in, const Attrs& a) {
  size_t bytes = results(in, a);
  for (const Spec& spec : in) bytes += copy_bytes(spec.dtype, spec.shape.size());
  if constexpr (!std::is_null_pointer_v<decltype(own)>) bytes += own(span_of(in_float32(in)), a);
  return bytes;
}

// The copies of inputs, those of outputs, the kernel's own workspace.
template <auto run, class Attrs>
void in_float(const KernelCall& k, const Attrs& a) {
  char* at = static_cast<char*>(k.workspace);
  const auto widened = [&](const View& view) {
    if (!is_half(view.dtype)) return view;
    const View wide{at, view.shape, DType::float32};
    at += copy_bytes(view.dtype, view.size());
    return wide;
  };
  std::vector<View> in, out;
  for (const View& view : k.in) {
    in.push_back(widened(view));
    if (is_half(view.dtype)) convert_through<float>(view, in.back());
  }
  for (const View& view : k.out) out.push_back(widened(view));
  const int ins = static_cast<int>(in.size()), outs = static_cast<int>(out.size());
  run(KernelCall{{in.data(), ins}, {out.data(), outs}, at}, a);
  for (int i = 0; i < outs; ++i) {
    if (is_half(k.out[i].dtype)) convert_through<float>(out[i], k.out[i]);
  }
}

template <class Attrs>
const char* half_float(SpecSpan in, const Attrs&) {
  return is_half(in[0].dtype) ? nullptr : "wants float16 or bfloat16";
}

template <class Attrs>
const char* not_half(SpecSpan in, const Attrs&) {
  return is_half(in[0].dtype) ? "computes in the type that is stored, which is too narrow" : nullptr;
}

// The kernel that runs `run` in float32.
template <auto run, auto results, auto own = nullptr>
constexpr Kernel through_float() {
  using Attrs = typename LastArgument<decltype(run)>::type;
  return kernel<in_float<run, Attrs>, half_float<Attrs>, in_float_bytes<results, own, Attrs>>("through_float");
}

}  // namespace

}  // namespace ph::cuda
