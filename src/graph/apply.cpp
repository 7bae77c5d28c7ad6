#include "core/apply.h"

#include <algorithm>
#include <memory>

#include "graph/graph.h"
#include "graph/tape.h"

namespace ph {

// Where an op on these tensors runs: on the one device among theirs that is not the CPU, else there.
static const Device* device_of(const Op& op, const Tensors& inputs) {
  if (inputs.empty()) return current_device();
  static const Device* cpu = find_device("cpu:0");
  const Device* found = inputs[0].device();
  for (const Tensor& input : inputs) {
    const Device* device = input.device();
    if (device == found || device == cpu) continue;
    PH_CHECK(found == cpu, op.name, ": inputs are on different devices, ", found->name, " and ", device->name);
    found = device;
  }
  return found;
}

static Tensors run_now(const Op& op, const Tensors& given, const Attributes& attributes) {
  const Device* device = device_of(op, given);
  Tensors inputs;
  for (const Tensor& input : given) inputs.push_back(input.on(device));
  const Specs in_specs = specs_of(inputs);
  const Specs out_specs = op.infer(span_of(in_specs), attributes.data());
  if (op.traits.view) return {Tensor::concrete(out_specs[0], inputs[0].buffer())};

  const KernelList kernels = kernels_of(op, *device);
  PH_CHECK(kernels.size(), op.name, ": there is no kernel for it on ", device->name);

  const DeviceScope scope(device);
  Tensors outputs;
  std::vector<View> in, out;
  for (const Tensor& input : inputs) in.push_back(input.view());
  for (const Spec& spec : out_specs) {
    outputs.push_back(Tensor::empty(spec));
    out.push_back(outputs.back().view());
  }
  const Kernel& kernel = choose_kernel(op.name, kernels, span_of(in_specs), attributes.data());
  const size_t workspace_bytes = kernel.workspace ? kernel.workspace(span_of(in_specs), attributes.data()) : 0;
  std::unique_ptr<Buffer> workspace;
  if (workspace_bytes) workspace = std::make_unique<Buffer>(device, workspace_bytes);
  device->backend->run(kernel,
                       {{in.data(), static_cast<int>(in.size())},
                        {out.data(), static_cast<int>(out.size())},
                        workspace ? workspace->data() : nullptr},
                       attributes.data());
  // an eager call says at once what is wrong with its values
  if (op.traits.checks_values && !device->backend->is_host()) device->backend->synchronize();
  return outputs;
}

// True where the device has no kernel of the op but the op says what it means in others.
static bool is_decomposed(const Op& op, const Tensors& inputs) {
  if (!op.traits.decompose) return false;
  const bool concrete = !inputs.empty() && !inputs[0].is_traced();
  return !kernels_of(op, concrete ? *inputs[0].device() : *current_device()).size();
}

Tensors apply(const Op& op, const Tensors& inputs, const Attributes& attributes) {
  Tensors outputs;
  if (is_decomposed(op, inputs)) {
    if (!op.gradient) return op.traits.decompose(inputs, attributes.data());
    const PauseRecording pause;  // the op's own rule is recorded below, not its parts'
    outputs = op.traits.decompose(inputs, attributes.data());
  } else {
    const auto traced = std::find_if(inputs.begin(), inputs.end(), [](const Tensor& t) { return t.is_traced(); });
    outputs =
        traced != inputs.end() ? traced->graph()->add_node(op, inputs, attributes) : run_now(op, inputs, attributes);
  }
  for (Tape* tape : active_tapes()) tape->saw_call(op, attributes, inputs, outputs);
  return outputs;
}

}  // namespace ph
