#include "core/op.h"

#include <algorithm>
#include <map>

namespace ph {

static std::map<std::string, Op>& table() {
  static std::map<std::string, Op> ops;
  return ops;
}

// Splits "x, kernel, bias?" into names and marks.
static void parse_inputs(const std::string& list, Op& op) {
  size_t begin = 0;
  while (begin < list.size()) {
    size_t end = list.find(',', begin);
    if (end == std::string::npos) end = list.size();
    std::string name = list.substr(begin, end - begin);
    name.erase(0, name.find_first_not_of(' '));
    begin = end + 1;
    if (name.size() > 3 && name.ends_with("...")) {
      name.resize(name.size() - 3);
      op.variadic = true;
      op.required_inputs += 1;
    } else if (name.back() == '?') {
      name.pop_back();
    } else {
      op.required_inputs += 1;
    }
    op.inputs.push_back(name);
  }
}

const Op& register_op(const char* name, const char* inputs, Op op) {
  parse_inputs(inputs, op);
  const auto [at, added] = table().emplace(name, std::move(op));
  if (!added) throw std::logic_error(concat("op ", name, " is registered twice"));
  return at->second;
}

const Op& find_op(const std::string& name) {
  const auto found = table().find(name);
  PH_CHECK(found != table().end(), "there is no op named '", name, "'");
  return found->second;
}

std::vector<const Op*> all_ops() {
  std::vector<const Op*> ops;
  for (const auto& [name, op] : table()) ops.push_back(&op);
  return ops;
}

Work work_of(const Op& op, SpecSpan inputs, SpecSpan outputs, const void* attributes) {
  Work work;
  int64_t written = 0;
  for (const Spec& output : outputs) {
    written += output.shape.size();
    work.bytes += static_cast<double>(output.bytes());
  }
  for (const Spec& input : inputs) {
    const int64_t read = op.traits.copies ? std::min(input.shape.size(), written) : input.shape.size();
    work.bytes += static_cast<double>(read) * static_cast<double>(size_of(input.dtype));
  }
  if (op.traits.copies || op.traits.view) return work;
  const auto count = op.traits.operations;
  work.operations = count ? count(inputs, outputs, attributes) : static_cast<double>(written);
  return work;
}

KernelList kernels_of(const Op& op, const Device& device) {
  for (const auto& [known, kernels] : op.kernels) {
    if (known == &device) return kernels;
  }
  KernelList found;
  for (const std::string& set : device.backend->kernel_sets()) {
    if (!found.size()) found = find_kernels(op.name, set);
  }
  op.kernels.emplace_back(&device, found);
  return found;
}

}  // namespace ph
