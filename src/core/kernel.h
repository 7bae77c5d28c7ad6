// Kernel: the code that runs an op on one kind of device. Kernels of an op form a list, best first, reference last.
//
//   PH_KERNELS(softmax, kernel<softmax_rows, rows_accepts>("rows"), kernel<softmax_reference>("reference"));
//
// run:       void(const KernelCall&, const SomeAttrs&)
// accepts:   const char*(SpecSpan inputs, const SomeAttrs&), nullptr or the reason it refuses
// workspace: size_t(SpecSpan inputs, const SomeAttrs&), bytes of scratch memory that run finds in call.workspace
#pragma once
#include <string>
#include <type_traits>

#include "core/spec.h"

namespace ph {

struct KernelCall {
  List<View> in;
  List<View> out;
  void* workspace = nullptr;  // 64-byte aligned
};

struct Kernel {
  const char* variant;
  void (*run)(const KernelCall& call, const void* attributes);
  const char* (*accepts)(SpecSpan inputs, const void* attributes);  // nullptr: takes everything
  size_t (*workspace)(SpecSpan inputs, const void* attributes);     // nullptr: needs none
};

template <class F>
struct LastArgument;
template <class R, class First, class Attrs>
struct LastArgument<R (*)(First, const Attrs&)> {
  using type = Attrs;
};
template <class R, class First, class Second, class Attrs>
struct LastArgument<R (*)(First, Second, const Attrs&)> {
  using type = Attrs;
};

// Each kernel file is compiled with internal linkage for these, so that levels do not share code.
namespace {

template <auto run, auto accepts = nullptr, auto workspace = nullptr>
constexpr Kernel kernel(const char* variant) {
  Kernel made{variant,
              [](const KernelCall& call, const void* attributes) {
                run(call, *static_cast<const typename LastArgument<decltype(run)>::type*>(attributes));
              },
              nullptr, nullptr};
  if constexpr (!std::is_null_pointer_v<decltype(accepts)>) {
    made.accepts = [](SpecSpan inputs, const void* attributes) {
      return accepts(inputs, *static_cast<const typename LastArgument<decltype(accepts)>::type*>(attributes));
    };
  }
  if constexpr (!std::is_null_pointer_v<decltype(workspace)>) {
    made.workspace = [](SpecSpan inputs, const void* attributes) {
      return workspace(inputs, *static_cast<const typename LastArgument<decltype(workspace)>::type*>(attributes));
    };
  }
  return made;
}

}  // namespace

using KernelList = List<Kernel>;

// A plain function, so that the start-up code of a file built for a newer processor does nothing but call it.
struct KernelRegistrar {
  KernelRegistrar(const char* op, const char* kernel_set, const Kernel* kernels, int count);
};

// The kernels of `op` in `kernel_set`; empty if there are none.
KernelList find_kernels(const char* op, const std::string& kernel_set);

// The first kernel of the list that accepts, or the one PRONGHORN_KERNEL=op:variant names. Throws when none does, with
// every reason. PRONGHORN_VERBOSE=kernels prints the choice and the refusals.
const Kernel& choose_kernel(const char* op, KernelList kernels, SpecSpan inputs, const void* attributes);

#define PH_STRINGIZE(x) PH_STRINGIZE_(x)
#define PH_STRINGIZE_(x) #x

// At the end of a kernel file of set PH_LEVEL ("avx2", "cuda", ...).
#define PH_KERNELS(op_name, ...)                                                                                    \
  static constexpr ::ph::Kernel kernels_of_##op_name[] = {__VA_ARGS__};                                             \
  static const ::ph::KernelRegistrar registrar_of_##op_name(#op_name, PH_STRINGIZE(PH_LEVEL), kernels_of_##op_name, \
                                                            sizeof(kernels_of_##op_name) / sizeof(::ph::Kernel))

}  // namespace ph
