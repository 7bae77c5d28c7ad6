// Running a program: once, or over many gathered batches.
#include <chrono>
#include <cstring>

#include "core/thread_pool.h"
#include "graph/program.h"

namespace ph {

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

void Program::run_once() {
  if (recording_) return recording_->replay();
  if (has_run_) recording_ = device_->backend->record([this] { run_list(); });
  has_run_ = true;
  if (recording_) return recording_->replay();
  run_list();
}

void Program::run_list() {
  for (const Step& step : steps_) device_->backend->run(*step.kernel, step.call, step.attributes.data());
  for (size_t i = 0; i < output_slots_.size(); ++i) {
    const Tensor& slot = output_slots_[i];
    device_->backend->copy(slot.buffer()->data(), address(graph_->outputs[i]), slot.spec().bytes());
  }
  finish_updates();
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

std::vector<double> Program::profile(const Tensors& inputs, int repeats) {
  const std::unique_lock lock(running_, std::try_to_lock);
  PH_CHECK(lock.owns_lock(), "this program is already running in another thread");
  PH_CHECK(repeats > 0, "profile: repeats must be positive, got ", repeats);
  set_inputs(inputs);
  own_updated_variables();
  bind();
  using Clock = std::chrono::steady_clock;
  std::vector<double> seconds(steps_.size(), 0);
  for (int r = 0; r < repeats; ++r) {
    for (size_t i = 0; i < steps_.size(); ++i) {
      const auto start = Clock::now();
      device_->backend->run(*steps_[i].kernel, steps_[i].call, steps_[i].attributes.data());
      device_->backend->synchronize();
      seconds[i] += std::chrono::duration<double>(Clock::now() - start).count() / repeats;
    }
    finish_updates();
  }
  return seconds;
}

Tensors Program::run(const Tensors& inputs) {
  const std::unique_lock lock(running_, std::try_to_lock);
  PH_CHECK(lock.owns_lock(), "this program is already running in another thread");
  set_inputs(inputs);
  own_updated_variables();
  bind();
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
  own_updated_variables();
  bind();
  Backend& backend = *device_->backend;
  const int64_t batch = input_slots_[0].shape()[0];
  source.prepare(device_, indices, steps * batch);
  for (int64_t step = 0; step < steps; ++step) {
    source.gather(input_slots_, step * batch);
    run_once();
    for (size_t i = 0; i < outputs.size(); ++i) {
      const size_t bytes = output_slots_[i].spec().bytes();
      backend.synchronize();
      backend.copy_to_host(outputs[i].data + static_cast<size_t>(step) * bytes, output_slots_[i].buffer()->data(),
                           bytes);
    }
  }
  backend.synchronize();
  check_guards();
}

}  // namespace ph
