// From graph to program: views resolved, kernels chosen, values placed, everything bound to addresses.
#include "graph/program.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <iterator>
#include <sstream>

#include "graph/passes.h"
#include "graph/plan.h"

namespace ph {

// The device of the graph's variables; those of the CPU follow to the device of the others.
static const Device* device_for(const Graph& graph) {
  for (const auto& variable : graph.variables) {
    if (variable->stored().device()->name != "cpu:0") return variable->stored().device();
  }
  return graph.variables.empty() ? current_device() : graph.variables[0]->stored().device();
}

Program::Program(std::shared_ptr<Graph> graph) {
  device_ = device_for(*graph);
  const DeviceScope scope(device_);
  for (const auto& variable : graph->variables) {
    const Tensor& stored = variable->stored();
    PH_CHECK(stored.device() == device_ || stored.device()->name == "cpu:0", "variable '", variable->name, "' is on ",
             stored.device()->name, ", the program runs on ", device_->name);
    variable->store(stored.on(device_));
  }
  graph_ = run_passes(std::move(graph));
  for (Tensor& constant : graph_->constants) constant = constant.on(device_);
  const char* plan = std::getenv("PRONGHORN_PLAN");
  separate_ = plan && std::string_view(plan) == "separate";
  choose_kernels();
  place_values();
}

// value -> whether it can differ between two batches of a call. A program without inputs has no batches: it is run to
// do all of its work anew.
static std::vector<bool> varying_values(const Graph& graph) {
  if (graph.inputs.empty()) return std::vector<bool>(graph.values.size(), true);
  std::vector<bool> is_written(graph.variables.size());
  for (const auto& [variable, id] : graph.updates) is_written[variable] = true;
  std::vector<bool> varies(graph.values.size());
  for (size_t id = 0; id < varies.size(); ++id) {
    const Value& value = graph.values[id];
    varies[id] = value.kind == ValueKind::input || (value.kind == ValueKind::variable && is_written[value.index]);
  }
  for (const Node& node : graph.nodes) {
    const bool any = std::any_of(node.inputs.begin(), node.inputs.end(), [&](int id) { return varies[id]; });
    for (int id : node.outputs) varies[id] = any;
  }
  return varies;
}

void Program::choose_kernels() {
  const std::vector<bool> varies = varying_values(*graph_);
  std::vector<Step> of_batch;
  root_.resize(graph_->values.size());
  for (size_t id = 0; id < root_.size(); ++id) root_[id] = static_cast<int>(id);
  for (const Node& node : graph_->nodes) {
    if (node.op->traits.view) {
      root_[node.outputs[0]] = root_[node.inputs[0]];
      continue;
    }
    Specs specs;
    for (int id : node.inputs) specs.push_back(spec_of(id));
    const KernelList kernels = kernels_of(*node.op, *device_);
    PH_CHECK(kernels.size(), node.op->name, ": there is no kernel for it on ", device_->name);
    const Kernel& kernel = choose_kernel(node.op->name, kernels, span_of(specs), node.attributes.data());
    const size_t workspace = kernel.workspace ? kernel.workspace(span_of(specs), node.attributes.data()) : 0;
    (varies[node.outputs[0]] ? of_batch : steps_)
        .push_back(
            {node.op, &kernel, node.attributes, node.inputs, node.outputs, 0, workspace, node.parts, {}, {}, {}});
  }
  in_advance_ = steps_.size();
  std::move(of_batch.begin(), of_batch.end(), std::back_inserter(steps_));
}

// Steps of such a device may run side by side, but not where one writes over what another still reads: little memory is
// not shared at all.
static void spread(std::vector<Block>& blocks) {
  constexpr size_t little = size_t{16} << 20;
  size_t bytes = 0;
  int end = 0;
  for (const Block& block : blocks) {
    bytes += block.bytes;
    end = std::max(end, block.last);
  }
  if (bytes > little) return;
  for (Block& block : blocks) block.first = 0, block.last = end;
}

void Program::place_values() {
  const int end = static_cast<int>(steps_.size());  // outputs and updates are read then
  const size_t count = graph_->values.size();
  std::vector<int> born(count, -1), last(count, -1);
  const int first_of_batch = static_cast<int>(in_advance_);
  for (int s = 0; s < end; ++s) {
    for (int id : steps_[s].in_values) {
      const int value = root_[id];
      const bool stays = s >= first_of_batch && born[value] >= 0 && born[value] < first_of_batch;
      last[value] = stays ? end : s;
    }
    for (int id : steps_[s].out_values) {
      born[id] = s;
      last[id] = std::max(last[id], s);
    }
  }
  for (int id : graph_->outputs) last[root_[id]] = end;

  locations_.resize(count);
  for (size_t id = 0; id < count; ++id) {
    const Value& value = graph_->values[id];
    switch (value.kind) {
      case ValueKind::input:
        locations_[id] = {Place::input, value.index};
        break;
      case ValueKind::constant:
        locations_[id] = {Place::constant, value.index};
        break;
      case ValueKind::variable:
        locations_[id] = {Place::variable, value.index};
        break;
      case ValueKind::result:
        break;
    }
  }
  for (int id : graph_->inputs) input_slots_.push_back(Tensor::empty(spec_of(id)));
  for (int id : graph_->outputs) output_slots_.push_back(Tensor::empty(spec_of(id)));

  // The value a variable held before, if the program reads it.
  std::vector<int> old_value(graph_->variables.size(), -1);
  for (size_t id = 0; id < count; ++id) {
    if (graph_->values[id].kind == ValueKind::variable) old_value[graph_->values[id].index] = static_cast<int>(id);
  }
  std::vector<int> updates_of(count, 0);
  for (const auto& [variable, id] : graph_->updates) ++updates_of[root_[id]];

  // May output i of step s be written over its input `in`, as far as the op is concerned?
  const auto may_overwrite = [&](const Step& step, int i, int in) {
    if (!(spec_of(step.out_values[i]).bytes() == spec_of(step.in_values[in]).bytes())) return false;
    const Op& op = *step.op;
    const bool whole_chain = std::string_view(op.name) == "tiles" && step.out_values.size() == 1;
    if (op.traits.elementwise || whole_chain) {
      return size_of(spec_of(step.out_values[i]).dtype) == size_of(spec_of(step.in_values[in]).dtype);
    }
    return in_place_input(op.traits, i) == in;
  };

  // Updates in place: the new value is written over the old one by the step that reads it last.
  for (const auto& [variable, id] : graph_->updates) {
    const int value = root_[id], before = old_value[variable];
    if (separate_ || before < 0 || graph_->values[value].kind != ValueKind::result || updates_of[value] != 1) continue;
    Step& step = steps_[born[value]];
    if (last[before] != born[value]) continue;
    const int i =
        static_cast<int>(std::find(step.out_values.begin(), step.out_values.end(), value) - step.out_values.begin());
    for (size_t in = 0; in < step.in_values.size(); ++in) {
      if (root_[step.in_values[in]] == before && may_overwrite(step, i, static_cast<int>(in))) {
        locations_[value] = {Place::variable, variable};
      }
    }
  }
  for (const auto& [variable, id] : graph_->updates) {
    const Location& at = locations_[root_[id]];
    if (at.place == Place::variable && at.index == variable) continue;
    last[root_[id]] = end;
    copies_.push_back({variable, id, 0, at.place == Place::variable});
  }

  // Everything else that is computed lives in the arena; a result may take over the block of an input that dies there.
  std::vector<Block> blocks;
  std::vector<int> block_of(count, -1);
  const auto in_arena = [&](int id) { return locations_[id].place == Place::arena; };
  for (int s = 0; s < end; ++s) {
    Step& step = steps_[s];
    for (size_t i = 0; i < step.out_values.size(); ++i) {
      const int id = step.out_values[i];
      if (!in_arena(id)) continue;
      for (size_t in = 0; in < step.in_values.size() && block_of[id] < 0 && !separate_; ++in) {
        const int from = root_[step.in_values[in]];
        const bool dies = in_arena(from) && block_of[from] >= 0 && blocks[block_of[from]].last == s;
        if (dies && last[from] == s && may_overwrite(step, static_cast<int>(i), static_cast<int>(in))) {
          block_of[id] = block_of[from];
          blocks[block_of[id]].last = last[id];
        }
      }
      if (block_of[id] < 0) {
        block_of[id] = static_cast<int>(blocks.size());
        blocks.push_back({spec_of(id).bytes(), s, last[id]});
      }
    }
    if (step.workspace_bytes) blocks.push_back({step.workspace_bytes, s, s});
  }
  for (Update& copy : copies_) {
    if (copy.staged) blocks.push_back({spec_of(copy.value).bytes(), end, end});
  }

  if (!device_->backend->is_host()) spread(blocks);
  arena_bytes_ = plan_memory(blocks, separate_);
  for (size_t id = 0; id < count; ++id) {
    if (block_of[id] >= 0) locations_[id].offset = blocks[block_of[id]].offset;
  }
  // workspaces and staging blocks were pushed in this order among the values' blocks
  std::vector<bool> is_value_block(blocks.size(), false);
  for (int block : block_of) {
    if (block >= 0) is_value_block[block] = true;
  }
  size_t next = 0;
  const auto next_offset = [&] {
    while (is_value_block[next]) ++next;
    return blocks[next++].offset;
  };
  for (Step& step : steps_) {
    if (step.workspace_bytes) step.workspace_offset = next_offset();
  }
  for (Update& copy : copies_) {
    if (copy.staged) copy.offset = next_offset();
  }
  try {
    arena_ = std::make_unique<Buffer>(device_, arena_bytes_ + 64);
  } catch (const MemoryError& error) {
    throw MemoryError(concat(error.what(), "; ", largest_text(block_of)));
  }
  if (separate_) {
    for (const Block& block : blocks) guards_.push_back(block.offset + block.bytes);
    const std::string pattern(arena_bytes_, '\xff');  // NaN in every float type
    device_->backend->copy_from_host(arena_->data(), pattern.data(), pattern.size());
  }
}

// What takes most of the arena, for the message where it cannot be had.
std::string Program::largest_text(const std::vector<int>& block_of) const {
  constexpr size_t shown = 8;
  std::vector<std::pair<size_t, std::string>> takers;
  for (const Step& step : steps_) {
    size_t bytes = step.workspace_bytes;
    for (int id : step.out_values) bytes += block_of[id] >= 0 ? spec_of(id).bytes() : 0;
    std::string text = step.op->name;
    for (int id : step.out_values) text += concat(" ", spec_of(id));
    if (step.workspace_bytes) text += concat(", workspace ", step.workspace_bytes);
    takers.push_back({bytes, text});
  }
  std::stable_sort(takers.begin(), takers.end(), [](const auto& a, const auto& b) { return a.first > b.first; });
  std::string out = concat("the program's results need ", arena_bytes_, " bytes at once; the largest are");
  for (size_t i = 0; i < std::min(shown, takers.size()); ++i) {
    out += concat("\n  ", takers[i].first, " bytes: ", takers[i].second);
  }
  return out;
}

char* Program::address(int value) const {
  const Location& at = locations_[root_[value]];
  switch (at.place) {
    case Place::input:
      return static_cast<char*>(input_slots_[at.index].buffer()->data());
    case Place::constant:
      return static_cast<char*>(graph_->constants[at.index].buffer()->data());
    case Place::variable:
      return static_cast<char*>(graph_->variables[at.index]->stored().buffer()->data());
    case Place::arena:
      return static_cast<char*>(arena_->data()) + at.offset;
  }
  return nullptr;
}

void Program::bind() {
  std::vector<const void*> memory;
  for (const auto& variable : graph_->variables) memory.push_back(variable->stored().buffer()->data());
  if (memory == bound_ && !bound_.empty()) return;
  recording_.reset();
  has_run_ = false;
  for (Step& step : steps_) {
    step.in.clear();
    step.out.clear();
    for (int id : step.in_values) step.in.push_back({address(id), spec_of(id).shape, spec_of(id).dtype});
    for (int id : step.out_values) step.out.push_back({address(id), spec_of(id).shape, spec_of(id).dtype});
    step.call = {{step.in.data(), static_cast<int>(step.in.size())},
                 {step.out.data(), static_cast<int>(step.out.size())},
                 static_cast<char*>(arena_->data()) + step.workspace_offset};
  }
  bound_ = std::move(memory);
}

std::string Program::place_text(int id) const {
  const Location& at = locations_[root_[id]];
  switch (at.place) {
    case Place::input:
      return concat("input", at.index);
    case Place::constant:
      return concat("const", at.index, spec_of(id).shape);
    case Place::variable:
      return concat("'", graph_->variables[at.index]->name, "'");
    case Place::arena:
      return concat("@", at.offset);
  }
  return {};
}

std::string Program::step_text(size_t index) const {
  const Step& step = steps_[index];
  std::ostringstream out;
  for (size_t i = 0; i < step.out_values.size(); ++i) {
    out << (i ? ", " : "") << place_text(step.out_values[i]) << " " << spec_of(step.out_values[i]);
  }
  out << " = " << step.op->name << ":" << step.kernel->variant << "(";
  for (size_t i = 0; i < step.in_values.size(); ++i) out << (i ? ", " : "") << place_text(step.in_values[i]);
  const std::string attributes = step.attributes.text();
  if (!attributes.empty()) out << "; " << attributes;
  out << ")";
  return out.str();
}

std::string Program::text() const {
  std::ostringstream out;
  for (size_t i = 0; i < steps_.size(); ++i) out << (i < in_advance_ ? "in advance: " : "") << step_text(i) << "\n";
  for (const Update& copy : copies_) {
    out << "'" << graph_->variables[copy.variable]->name << "' <- " << place_text(copy.value) << "\n";
  }
  for (size_t i = 0; i < graph_->outputs.size(); ++i)
    out << "output" << i << " <- " << place_text(graph_->outputs[i]) << "\n";
  out << "arena: " << arena_bytes_ << " bytes\n";
  return out.str();
}

}  // namespace ph
