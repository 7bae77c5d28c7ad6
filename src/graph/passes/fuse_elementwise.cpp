// Elementwise fusion: neighbouring elementwise nodes of one shape become one `tiles` node. Nodes are taken in order;
// each joins the groups of its producers unless that would close a cycle through nodes outside, or the tile program
// would not fit. Values still have the bits they would have had: an instruction does exactly what the node's own kernel
// does.
#include <algorithm>
#include <numeric>
#include <optional>

#include "graph/passes.h"
#include "ops/tiles.h"

namespace ph {

namespace {

DType storage_of(TileType type) {
  constexpr DType storage[] = {DType::float32, DType::float64, DType::int32, DType::int64};
  return storage[static_cast<int>(type)];
}

// An order of 0, 1, ..., n - 1 in which things can be moved: a chain of them, with numbers that ascend along it.
class Order {
 public:
  explicit Order(size_t n) : next_(n + 1), previous_(n + 1), number_(n + 1) {
    const int end = static_cast<int>(n);
    for (int i = 0; i <= end; ++i) {
      next_[i] = i < end ? i + 1 : 0;
      previous_[i] = i > 0 ? i - 1 : end;
    }
    renumber();
  }

  bool is_before(int a, int b) const { return number_[a] < number_[b]; }

  void move_before(int moved, int place) {
    if (moved == place || next_[moved] == place) return;
    next_[previous_[moved]] = next_[moved];
    previous_[next_[moved]] = previous_[moved];
    previous_[moved] = previous_[place];
    next_[moved] = place;
    next_[previous_[moved]] = moved;
    previous_[place] = moved;
    const int64_t low = previous_[moved] == end() ? -gap : number_[previous_[moved]];
    number_[moved] = low + (number_[place] - low) / 2;
    if (number_[moved] == low) renumber();
  }

 private:
  static constexpr int64_t gap = int64_t{1} << 32;

  int end() const { return static_cast<int>(next_.size()) - 1; }  // closes the chain to a ring

  void renumber() {
    int64_t number = 0;
    for (int i = next_[end()]; i != end(); i = next_[i]) number_[i] = number += gap;
    number_[end()] = number + gap;
  }

  std::vector<int> next_, previous_;
  std::vector<int64_t> number_;
};

class Fuser {
 public:
  explicit Fuser(const Graph& graph)
      : graph_(graph),
        group_(graph.nodes.size()),
        members_(graph.nodes.size()),
        order_(graph.nodes.size()),
        seen_(graph.nodes.size(), 0) {
    std::iota(group_.begin(), group_.end(), 0);
    readers_.resize(graph.values.size());
    kept_.assign(graph.values.size(), false);
    for (int i = 0; i < count(); ++i) {
      members_[i] = {i};
      for (int id : graph.nodes[i].inputs) readers_[id].push_back(i);
    }
    for (int id : graph.outputs) kept_[id] = true;
    for (const auto& [variable, id] : graph.updates) kept_[id] = true;
  }

  GraphPtr run() {
    for (int i = 0; i < count(); ++i) {
      if (!type_of(i)) continue;
      for (int id : graph_.nodes[i].inputs) {
        const int producer = producer_of(id);
        if (producer >= 0) try_merge(group_[producer], group_[i]);
      }
    }
    return emit();
  }

 private:
  int count() const { return static_cast<int>(graph_.nodes.size()); }
  const Shape& shape_of(int node) const { return graph_.values[graph_.nodes[node].outputs[0]].spec.shape; }
  DType dtype_of_value(int id) const { return graph_.values[id].spec.dtype; }

  int producer_of(int id) const { return graph_.values[id].kind == ValueKind::result ? graph_.values[id].index : -1; }

  // The type a node computes in; none for nodes that cannot be fused. Narrow and half types would lose the rounding (or
  // the wrapping) that storing between two ops gives them.
  std::optional<TileType> type_of(int node) const {
    const Node& n = graph_.nodes[node];
    if (!n.op->traits.elementwise) return {};
    const TileType type = tile_type_of(dtype_of_value(n.inputs.back()));
    const auto fits = [&](int id) {
      return dtype_of_value(id) == DType::bool_ || dtype_of_value(id) == storage_of(type);
    };
    if (!std::all_of(n.inputs.begin(), n.inputs.end(), fits)) return {};
    if (!std::all_of(n.outputs.begin(), n.outputs.end(), fits)) return {};
    return type;
  }

  // The groups that lead to b and stand after a, which b reads, in their order. Nothing where a leads to b by way of
  // others, so that the two cannot become one.
  std::optional<std::vector<int>> between(int a, int b) {
    ++search_;
    std::vector<int> found{b};
    for (size_t i = 0; i < found.size(); ++i) {
      for (int node : members_[found[i]]) {
        for (int id : graph_.nodes[node].inputs) {
          if (producer_of(id) < 0) continue;
          const int other = group_[producer_of(id)];
          if (other == a && i > 0) return {};
          if (!order_.is_before(a, other) || other == b || seen_[other] == search_) continue;
          seen_[other] = search_;
          found.push_back(other);
        }
      }
    }
    found.erase(found.begin());
    std::sort(found.begin(), found.end(), [&](int x, int y) { return order_.is_before(x, y); });
    return found;
  }

  // Merges the group a into b, which reads it: b takes its place, and what leads to b comes before.
  void try_merge(int a, int b) {
    if (a == b) return;
    const int sample_a = members_[a].front(), sample_b = members_[b].front();
    if (!type_of(sample_a) || type_of(sample_a) != type_of(sample_b)) return;
    if (!(shape_of(sample_a) == shape_of(sample_b))) return;
    std::vector<int> merged(members_[a].size() + members_[b].size());
    std::merge(members_[a].begin(), members_[a].end(), members_[b].begin(), members_[b].end(), merged.begin());
    if (!compile(merged)) return;
    const auto moved = between(a, b);
    if (!moved) return;
    for (int group : *moved) order_.move_before(group, a);
    order_.move_before(b, a);
    for (int node : members_[a]) group_[node] = b;
    members_[b] = std::move(merged);
    members_[a].clear();
  }

  struct Chain {
    TileProgram program;
    std::vector<int> inputs, outputs;  // value ids
  };

  bool is_read_outside(int id, const std::vector<int>& nodes) const {
    if (kept_[id]) return true;
    return std::any_of(readers_[id].begin(), readers_[id].end(),
                       [&](int reader) { return !std::binary_search(nodes.begin(), nodes.end(), reader); });
  }

  // The tile program of a set of nodes, or nothing where it does not fit.
  std::optional<Chain> compile(const std::vector<int>& nodes) const {
    if (nodes.size() > TileProgram::max_instructions) return {};
    Chain chain;
    chain.program.type = static_cast<uint8_t>(*type_of(nodes.front()));
    std::vector<std::pair<int, int>> slot_of;  // (value, slot) of results still to be read
    std::vector<bool> taken(TileProgram::max_slots, false);
    for (size_t i = 0; i < nodes.size(); ++i) {
      const Node& node = graph_.nodes[nodes[i]];
      TileInstruction& instruction = chain.program.code[i];
      instruction.code = static_cast<uint8_t>(elementwise_code(node.op->name));
      std::fill(std::begin(instruction.operand), std::end(instruction.operand), uint8_t{0});
      for (size_t k = 0; k < node.inputs.size(); ++k) {
        const int id = node.inputs[k];
        const auto inner = std::find_if(slot_of.begin(), slot_of.end(), [&](const auto& e) { return e.first == id; });
        if (inner != slot_of.end()) {
          instruction.operand[k] = static_cast<uint8_t>(TileProgram::first_slot + inner->second);
          continue;
        }
        auto at = std::find(chain.inputs.begin(), chain.inputs.end(), id);
        if (at == chain.inputs.end()) {
          if (chain.inputs.size() == TileProgram::max_inputs) return {};
          chain.inputs.push_back(id);
          at = chain.inputs.end() - 1;
        }
        instruction.operand[k] = static_cast<uint8_t>(at - chain.inputs.begin());
      }
      // operands nobody reads afterwards free their slots, which the result may then take
      std::erase_if(slot_of, [&](const auto& entry) {
        const bool done = std::none_of(readers_[entry.first].begin(), readers_[entry.first].end(), [&](int reader) {
          return reader > nodes[i] && std::binary_search(nodes.begin(), nodes.end(), reader);
        });
        if (done) taken[entry.second] = false;
        return done;
      });
      const auto free = std::find(taken.begin(), taken.end(), false);
      if (free == taken.end()) return {};
      *free = true;
      instruction.slot = static_cast<uint8_t>(free - taken.begin());
      const int result = node.outputs[0];
      slot_of.emplace_back(result, instruction.slot);
      instruction.output = TileProgram::no_output;
      if (is_read_outside(result, nodes)) {
        if (chain.outputs.size() == TileProgram::max_outputs) return {};
        instruction.output = static_cast<uint8_t>(chain.outputs.size());
        chain.program.output_dtype[chain.outputs.size()] = static_cast<uint8_t>(dtype_of_value(result));
        chain.outputs.push_back(result);
      }
    }
    chain.program.instruction_count = static_cast<uint8_t>(nodes.size());
    chain.program.output_count = static_cast<uint8_t>(chain.outputs.size());
    return chain;
  }

  // Groups in an order in which each comes after what it reads.
  std::vector<int> ordered_groups() const {
    std::vector<int> order;
    std::vector<char> state(graph_.nodes.size(), 0);  // 1: on the stack, 2: placed
    for (int root = 0; root < count(); ++root) {
      std::vector<int> stack{group_[root]};
      while (!stack.empty()) {
        const int group = stack.back();
        if (state[group] == 2) {
          stack.pop_back();
          continue;
        }
        const bool expanded = state[group] == 1;
        state[group] = 1;
        bool waits = false;
        for (int node : members_[group]) {
          for (int id : graph_.nodes[node].inputs) {
            const int producer = producer_of(id);
            if (producer < 0 || group_[producer] == group || state[group_[producer]] == 2) continue;
            if (expanded) PH_FAIL("fuse_elementwise: the groups form a cycle");
            stack.push_back(group_[producer]);
            waits = true;
          }
        }
        if (waits) continue;
        state[group] = 2;
        order.push_back(group);
        stack.pop_back();
      }
    }
    return order;
  }

  GraphPtr emit() {
    GraphCopy copy(graph_);
    for (int group : ordered_groups()) {
      const std::vector<int>& nodes = members_[group];
      if (nodes.size() == 1) {
        copy.copy(graph_.nodes[nodes[0]]);
        continue;
      }
      const Chain chain = *compile(nodes);
      std::vector<int> inputs;
      for (int id : chain.inputs) inputs.push_back(copy[id]);
      const int added = copy.graph->add_node(find_op("tiles"), inputs, Attributes::of(TilesAttrs{chain.program}));
      std::vector<const Node*> fused;
      for (int node : nodes) fused.push_back(&graph_.nodes[node]);
      copy.graph->nodes[added].parts = join_parts(fused);
      for (size_t i = 0; i < chain.outputs.size(); ++i) {
        copy.rename(chain.outputs[i], copy.graph->nodes[added].outputs[i]);
      }
    }
    return copy.finish();
  }

  const Graph& graph_;
  std::vector<int> group_;                 // node -> group, named after one of its nodes
  std::vector<std::vector<int>> members_;  // group -> nodes, ascending
  std::vector<std::vector<int>> readers_;  // value -> nodes
  std::vector<bool> kept_;                 // values that outputs or updates need
  Order order_;                            // of groups: each stands after those it reads
  std::vector<int> seen_;                  // group -> the last search that came by it
  int search_ = 0;
};

}  // namespace

GraphPtr fuse_elementwise(const Graph& graph) { return Fuser(graph).run(); }

}  // namespace ph
