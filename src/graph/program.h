// Program: a graph made ready to run - kernels chosen, memory planned - as a flat list of steps.
#pragma once
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "graph/graph.h"
#include "graph/row_source.h"

namespace ph {

// Where a value lies while the program runs.
enum class Place { input, constant, variable, arena };

struct Location {
  Place place = Place::arena;
  int index = -1;     // input, constant, variable: which
  size_t offset = 0;  // arena
};

struct Step {
  const Op* op;
  const Kernel* kernel;
  Attributes attributes;
  std::vector<int> in_values, out_values;
  size_t workspace_offset = 0, workspace_bytes = 0;
  Parts parts;
  std::vector<View> in, out;  // bound to memory
  KernelCall call;
};

// For people: what a step of a list is, of which parts of the model, and how much work.
struct StepInfo {
  std::string op, variant;
  std::string results;  // dtype and shape of the first, number of others
  DType dtype;          // of the first result
  Parts parts;
  Work work;
};

// Seconds, a row for each repeat.
struct Timings {
  std::vector<std::vector<double>> steps;  // each step on its own, and last the copies of outputs and updates
  std::vector<double> whole;               // the list as it always runs
};

class Program {
 public:
  // Runs the passes, chooses kernels, plans memory. The graph's variables are read and written at each run.
  // It runs on the device of the variables, where there are any, else on the current one.
  explicit Program(std::shared_ptr<Graph> graph);

  // One step on given inputs.
  Tensors run(const Tensors& inputs);

  // `steps` steps; in each, input i is gathered from the source's array i by the next batch of `indices` (its first
  // dimension many), and output i, if given, is appended to outputs[i].
  void run_steps(RowSource& source, const int64_t* indices, int64_t steps, const std::vector<HostArray>& outputs);

  // Runs the list on given inputs, twice `repeats` times and some more. Variables are as before afterwards.
  Timings profile(const Tensors& inputs, int repeats);
  // Of each step that is not done in advance, and last of the copies of outputs and updates at the end.
  std::vector<StepInfo> steps() const;
  // One line per step, those done in advance marked, then updates and outputs.
  std::string text() const;
  std::string step_text(size_t step) const;
  const Graph& graph() const { return *graph_; }
  size_t arena_bytes() const { return arena_bytes_; }
  size_t step_count() const { return steps_.size(); }

 private:
  void choose_kernels();
  void place_values();
  void bind();
  void own_updated_variables();
  void prepare();
  void set_inputs(const Tensors& inputs);
  void run_once();
  void run_list();
  void run_step(const Step& step);
  void finish();
  std::unique_ptr<Recording> record();
  void finish_updates();
  void check_guards() const;
  char* address(int value) const;
  std::string largest_text(const std::vector<int>& block_of) const;
  std::string place_text(int value) const;
  Spec spec_of(int value) const { return graph_->values[value].spec; }

  std::shared_ptr<Graph> graph_;
  const Device* device_;
  bool separate_;                    // PRONGHORN_PLAN=separate: no memory is shared, guards of NaN are checked
  std::vector<int> root_;            // value -> the value whose memory it is (views)
  std::vector<Location> locations_;  // of roots
  std::vector<Step> steps_;
  // So many in front hang only on constants and on variables that the program does not write: they run once for all
  // batches of a call, their results stay in the arena.
  size_t in_advance_ = 0;
  std::span<const Step> steps_of_batch() const { return std::span(steps_).subspan(in_advance_); }
  size_t arena_bytes_ = 0;
  std::unique_ptr<Buffer> arena_;
  std::vector<Tensor> input_slots_, output_slots_;
  struct Update {
    int variable, value;
    size_t offset;  // arena memory for a value that is itself a variable's old memory
    bool staged;
  };
  std::vector<Update> copies_;      // updates that were not done in place
  std::vector<const void*> bound_;  // variables' memory as last bound
  std::vector<size_t> guards_;      // arena offsets
  // All steps but those in advance as one piece of work of the device, for addresses as bound; made at the second run,
  // when all is loaded.
  std::unique_ptr<Recording> recording_;
  bool has_run_ = false;
  std::mutex running_;
};

}  // namespace ph
