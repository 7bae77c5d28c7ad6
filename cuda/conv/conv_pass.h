// What every kernel of a pass is given, whatever finds its operands, and where its sums go. Long depths are split and
// added in order (gemm/split.h), with the bias and activation in the addition.
#pragma once
#include "cuda/conv/passes.h"

namespace ph::cuda {

// Sums of a pixel's channels, or of a tap's and channel's filters, those of one group: `stride` elements from one to
// the next. Parts of a split depth are stored as they are.
template <class Stored>
struct PixelSums {
  MatrixOutput<Stored, float> result;  // the first row, as a matrix
  float* parts;                        // nullptr: not split
  int stride;

  template <int count>
  __device__ void store(int64_t place, int column, const float (&sums)[count]) const {
    const int64_t at = place * stride;
    if constexpr (std::is_same_v<Stored, float>) {
      store_to(result, at, column, sums);  // the host has put the parts there
    } else if (parts) {
      store_to(MatrixOutput<float, float>{parts, nullptr, 1, result.columns, Activation::none, result.aligned}, at,
               column, sums);
    } else {
      store_to(result, at, column, sums);
    }
  }

 private:
  template <class Output, int count>
  __device__ static void store_to(Output to, int64_t at, int column, const float (&sums)[count]) {
    to.data += at;
    to.store(0, column, sums);
  }
};

// Parts of a split depth go to `parts`, one result behind another; for float, `result` is then the same.
template <class Stored>
struct ConvPass {
  Gather g;
  const Stored *left, *right, *bias;
  Stored* result;
  float* parts;  // nullptr: not split
  int groups;
  Activation activation;
  bool aligned;  // see MatrixOutput
  SplitPlan split;
  int64_t size;  // of the result

  // Of `group`, from the first of its `channels` channels on.
  __device__ PixelSums<Stored> sums(int group, int channels) const {
    const int64_t first = int64_t{group} * channels, at = static_cast<int64_t>(blockIdx.y) * size + first;
    return {{result + (std::is_same_v<Stored, float> ? at : first), bias ? bias + first : nullptr, 1, channels,
             activation, aligned},
            parts ? parts + at : nullptr,
            g.result_channels};
  }
};

// launch(pass) has a kernel store its sums: to the result, or where the depth is split to `workspace`, from which they
// are added up.
template <Pass which, class Stored, class Launch>
void run_in_parts(const ConvGeometry& g, const SplitPlan& split, const KernelCall& call, void* workspace,
                  Activation activation, Launch launch) {
  const int64_t size = call.out[0].size(), row = which == Pass::input_grad ? g.channels : g.filters;
  Stored* result = call.out[0].as<Stored>();
  const Stored* bias = call.in.size() > 2 ? call.in[2].as<const Stored>() : nullptr;
  const bool aligned = row / g.groups % 4 == 0 && is_aligned(result);
  ConvPass<Stored> pass{which == Pass::input_grad ? input_grad_gather(g) : forward_gather(g),
                        call.in[0].as<const Stored>(),
                        call.in[1].as<const Stored>(),
                        bias,
                        result,
                        nullptr,
                        static_cast<int>(g.groups),
                        activation,
                        aligned,
                        split,
                        size};
  const bool is_split = split.parts > 1;
  if (is_split) {
    pass.bias = nullptr, pass.activation = Activation::none;
    pass.parts = static_cast<float*>(workspace);
    if constexpr (std::is_same_v<Stored, float>) pass.result = pass.parts;
  }
  launch(pass);
  if (!is_split) return;
  const MatrixOutput<Stored, float> out{result,     bias,   static_cast<int>(size / row), static_cast<int>(row),
                                        activation, aligned};
  add_parts<Stored, float>(pass.parts, split.parts, size, out);
}

// Of the workspace: the parts of a split depth.
template <class Loop>
size_t parts_bytes(const ProductSizes& s, int64_t result_size) {
  const SplitPlan split = split_for<Loop>(s);
  return split.parts == 1 ? 0 : static_cast<size_t>(split.parts * result_size) * sizeof(float);
}

}  // namespace ph::cuda
