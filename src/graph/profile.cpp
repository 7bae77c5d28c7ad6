// What a program's steps are, and how long they take.
#include <chrono>

#include "graph/program.h"

namespace ph {

namespace {

// Gives variables back the tensors they had, whatever happens in between.
class KeepVariables {
 public:
  explicit KeepVariables(const Graph& graph) : graph_(graph) {
    for (const auto& variable : graph.variables) tensors_.push_back(variable->stored());
  }
  ~KeepVariables() {
    for (size_t i = 0; i < tensors_.size(); ++i) graph_.variables[i]->store(std::move(tensors_[i]));
  }
  KeepVariables(const KeepVariables&) = delete;

 private:
  const Graph& graph_;
  Tensors tensors_;
};

class Stopwatch {
 public:
  double seconds() const { return std::chrono::duration<double>(Clock::now() - start_).count(); }

 private:
  using Clock = std::chrono::steady_clock;
  Clock::time_point start_ = Clock::now();
};

}  // namespace

std::vector<StepInfo> Program::steps() const {
  std::vector<StepInfo> infos;
  for (const Step& step : steps_of_batch()) {
    Specs in, out;
    for (int id : step.in_values) in.push_back(spec_of(id));
    for (int id : step.out_values) out.push_back(spec_of(id));
    std::string results = concat(out[0]);
    if (out.size() > 1) results += concat(" and ", out.size() - 1, " more");
    infos.push_back({step.op->name, step.kernel->variant, results, out[0].dtype, step.parts,
                     work_of(*step.op, span_of(in), span_of(out), step.attributes.data())});
  }
  double copied = 0;
  for (int id : graph_->outputs) copied += static_cast<double>(spec_of(id).bytes());
  for (const Update& copy : copies_) copied += static_cast<double>(spec_of(copy.value).bytes()) * (copy.staged ? 2 : 1);
  infos.push_back({"copy",
                   "memory",
                   "",
                   DType::uint8,
                   {{0, copies_.empty() ? Phase::forward : Phase::update}, {}},
                   {0, 2 * copied}});
  return infos;
}

Timings Program::profile(const Tensors& inputs, int repeats) {
  const std::unique_lock lock(running_, std::try_to_lock);
  PH_CHECK(lock.owns_lock(), "this program is already running in another thread");
  PH_CHECK(repeats > 0, "profile: repeats must be positive, got ", repeats);
  set_inputs(inputs);
  const KeepVariables keep(*graph_);
  prepare();  // as the old tensors are held, updated variables get memory of their own
  Timings timings;
  run_once();
  device_->backend->synchronize();
  for (int r = 0; r < repeats; ++r) {
    std::vector<double> seconds;
    for (const Step& step : steps_of_batch()) {
      const Stopwatch watch;
      run_step(step);
      device_->backend->synchronize();
      seconds.push_back(watch.seconds());
    }
    const Stopwatch watch;
    finish();
    device_->backend->synchronize();
    seconds.push_back(watch.seconds());
    timings.steps.push_back(std::move(seconds));
  }
  run_once();  // which records the list, where the device does that
  device_->backend->synchronize();
  for (int r = 0; r < repeats; ++r) {
    const Stopwatch watch;
    run_once();
    device_->backend->synchronize();
    timings.whole.push_back(watch.seconds());
  }
  return timings;
}

}  // namespace ph
