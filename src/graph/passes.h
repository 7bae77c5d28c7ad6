// Passes: each takes a graph and returns a new one that computes the same. Gradients are taken before; memory is
// planned after; nothing is fused or moved later.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "graph/graph.h"

namespace ph {

using GraphPtr = std::shared_ptr<Graph>;

GraphPtr dead_code(const Graph& graph);         // drops nodes nobody needs
GraphPtr fold_constants(const Graph& graph);    // runs nodes whose inputs are all constants
GraphPtr common(const Graph& graph);            // merges equal nodes
GraphPtr simplify(const Graph& graph);          // x * 1, transposes before matmul, casts to the same dtype, ...
GraphPtr fold_scale(const Graph& graph);        // scales and shifts of channels into the weights of conv2d and matmul
GraphPtr fuse_epilogue(const Graph& graph);     // bias and activation into matmul and conv2d
GraphPtr fuse_norm(const Graph& graph);         // ReLU into batch normalization
GraphPtr fuse_elementwise(const Graph& graph);  // chains into tiles
GraphPtr group_optimizer(const Graph& graph);   // the updates of all variables into one

struct Pass {
  const char* name;
  GraphPtr (*run)(const Graph&);
};

// All passes in order.
const std::vector<Pass>& all_passes();

// Runs all passes, or those PRONGHORN_PASSES names ("none", "common,dead_code"); dead code is always dropped.
GraphPtr run_passes(GraphPtr graph);

// Copies a graph node by node under a renaming of values; what every pass is written with.
class GraphCopy {
 public:
  // Takes over inputs, variables and constants; nodes are the pass's business.
  explicit GraphCopy(const Graph& from);

  // The new id of an old value.
  int operator[](int old_value) const { return renamed_[old_value]; }
  void rename(int old_value, int new_value) { renamed_[old_value] = new_value; }

  void copy(const Node& node);
  // Adds another node in place of `node`, whose results take over the names of its results; it is of the same part.
  void replace(const Node& node, const Op& op, std::vector<int> new_inputs, const Attributes& attributes);

  GraphPtr finish();  // carries over outputs and updates
  GraphPtr graph;

 private:
  const Graph& from_;
  std::vector<int> renamed_;
};

// The parts of fused nodes, the main one first.
Parts join_parts(const std::vector<const Node*>& nodes);

// How often each value is read, by nodes, outputs and updates.
std::vector<int> count_uses(const Graph& graph);

}  // namespace ph
