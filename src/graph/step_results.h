#pragma once
#include <memory>
#include <vector>

#include "core/buffer.h"
#include "core/tensor.h"
#include "graph/row_source.h"

namespace ph {

// The results of many steps, brought to arrays of the host one after the other. Those of a device with memory of its
// own wait there until many can be brought over at once, so that the device need not wait for the host at each step.
class StepResults {
 public:
  // slots: where each step leaves its results. arrays: memory for those of `steps` steps, one array for each slot.
  StepResults(const Device* device, const std::vector<Tensor>& slots, const std::vector<HostArray>& arrays,
              int64_t steps);
  // Takes the results that lie in the slots.
  void take();
  // Brings over those that still wait.
  void finish();

 private:
  // With the device's memory for results that wait; none on the host.
  struct Result {
    const Tensor* slot;
    char* to;
    std::shared_ptr<Buffer> waiting;
  };
  Backend& backend_;
  std::vector<Result> results_;
  int64_t most_ = 1;   // steps whose results wait
  int64_t steps_ = 0;  // taken
  int64_t sent_ = 0;   // of them in the arrays
};

}  // namespace ph
