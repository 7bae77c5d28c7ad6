// Running a program: once, or over many gathered batches.
#include <cstdlib>
#include <cstring>
#include <string_view>

#include "core/thread_pool.h"
#include "graph/program.h"
#include "graph/step_order.h"
#include "graph/step_results.h"

namespace ph {

static MemoryRange range_of(const View& view) {
  return {static_cast<const char*>(view.data), static_cast<size_t>(view.size()) * size_of(view.dtype)};
}

// Somebody else may hold a variable's present tensor (a value read before, an exported array): then the program writes
// to a fresh copy.
void Program::own_updated_variables() {
  for (const auto& [index, id] : graph_->updates) {
    Variable& variable = *graph_->variables[index];
    PH_CHECK(variable.stored().device() == device_, "variable '", variable.name, "' is on ",
             variable.stored().device()->name, ", the program runs on ", device_->name);
    if (variable.stored().is_sole_owner()) continue;
    const DeviceScope scope(device_);
    const Tensor copy = Tensor::empty(variable.spec());
    device_->backend->copy(copy.buffer()->data(), variable.stored().buffer()->data(), variable.spec().bytes());
    variable.store(copy);
  }
}

void Program::prepare() {
  own_updated_variables();
  bind();
  for (size_t i = 0; i < in_advance_; ++i) run_step(steps_[i]);
}

void Program::run_once() {
  if (recording_) return recording_->replay();
  if (has_run_) recording_ = record();
  has_run_ = true;
  if (recording_) return recording_->replay();
  run_list();
}

void Program::run_list() {
  for (const Step& step : steps_of_batch()) run_step(step);
  finish();
}

void Program::run_step(const Step& step) { device_->backend->run(*step.kernel, step.call, step.attributes.data()); }

void Program::finish() {
  for (size_t i = 0; i < output_slots_.size(); ++i) {
    const Tensor& slot = output_slots_[i];
    device_->backend->copy(slot.buffer()->data(), address(graph_->outputs[i]), slot.spec().bytes());
  }
  finish_updates();
}

// Steps that use each other's memory keep their order, all of them with PRONGHORN_STEPS=serial; outputs and updates
// count as one step at the end.
std::unique_ptr<Recording> Program::record() {
  if (device_->backend->is_host()) return nullptr;
  std::vector<MemoryUse> uses;
  const std::span<const Step> of_batch = steps_of_batch();
  for (const Step& step : of_batch) {
    MemoryUse use;
    for (const View& view : step.in) use.read.push_back(range_of(view));
    for (const View& view : step.out) use.written.push_back(range_of(view));
    if (step.workspace_bytes) use.written.push_back({static_cast<char*>(step.call.workspace), step.workspace_bytes});
    uses.push_back(std::move(use));
  }
  const char* asked = std::getenv("PRONGHORN_STEPS");
  const bool serial = asked && std::string_view(asked) == "serial";
  std::vector<std::vector<size_t>> after = step_order(uses);
  for (size_t step = 1; serial && step < after.size(); ++step) after[step] = {step - 1};
  std::vector<bool> awaited(of_batch.size());
  for (const auto& steps : after) {
    for (const size_t step : steps) awaited[step] = true;
  }
  after.emplace_back();
  for (size_t step = 0; step < of_batch.size(); ++step) {
    if (!awaited[step]) after.back().push_back(step);
  }
  return device_->backend->record(
      after, [this, of_batch](size_t i) { i < of_batch.size() ? run_step(of_batch[i]) : finish(); });
}

void Program::finish_updates() {
  Backend& backend = *device_->backend;
  char* arena = static_cast<char*>(arena_->data());
  // values that are themselves a variable's memory first, before that memory changes
  for (const Update& copy : copies_) {
    if (copy.staged) backend.copy(arena + copy.offset, address(copy.value), spec_of(copy.value).bytes());
  }
  for (const Update& copy : copies_) {
    const char* from = copy.staged ? arena + copy.offset : address(copy.value);
    backend.copy(graph_->variables[copy.variable]->stored().buffer()->data(), from, spec_of(copy.value).bytes());
  }
}

void Program::check_guards() const {
  for (const size_t offset : guards_) {
    const size_t end = (offset + 63) / 64 * 64 + 64;
    std::string bytes(end - offset, '\0');
    device_->backend->copy_to_host(bytes.data(), static_cast<const char*>(arena_->data()) + offset, bytes.size());
    PH_CHECK(bytes.find_first_not_of('\xff') == std::string::npos, "a kernel wrote beyond its output, at arena offset ",
             offset);
  }
}

void Program::set_inputs(const Tensors& inputs) {
  PH_CHECK(inputs.size() == graph_->inputs.size(), "the program takes ", graph_->inputs.size(), " inputs, got ",
           inputs.size());
  for (size_t i = 0; i < inputs.size(); ++i) {
    const Spec& wanted = input_slots_[i].spec();
    PH_CHECK(inputs[i].spec() == wanted, "input ", i, " of the program must be ", wanted, ", got ", inputs[i].spec());
    device_->backend->copy(input_slots_[i].buffer()->data(), inputs[i].on(device_).buffer()->data(), wanted.bytes());
  }
}

Tensors Program::run(const Tensors& inputs) {
  const std::unique_lock lock(running_, std::try_to_lock);
  PH_CHECK(lock.owns_lock(), "this program is already running in another thread");
  set_inputs(inputs);
  prepare();
  run_once();
  check_guards();
  Tensors results;
  const DeviceScope scope(device_);
  for (const Tensor& slot : output_slots_) {
    results.push_back(Tensor::empty(slot.spec()));
    device_->backend->copy(results.back().buffer()->data(), slot.buffer()->data(), slot.spec().bytes());
  }
  return results;
}

void Program::run_steps(RowSource& source, const int64_t* indices, int64_t steps,
                        const std::vector<HostArray>& outputs) {
  const std::unique_lock lock(running_, std::try_to_lock);
  PH_CHECK(lock.owns_lock(), "this program is already running in another thread");
  prepare();
  Backend& backend = *device_->backend;
  const int64_t batch = input_slots_[0].shape()[0];
  source.prepare(device_, indices, steps * batch);
  StepResults results(device_, output_slots_, outputs, steps);
  for (int64_t step = 0; step < steps; ++step) {
    source.gather(input_slots_, step * batch);
    run_once();
    results.take();
  }
  results.finish();
  backend.synchronize();
  check_guards();
}

}  // namespace ph
