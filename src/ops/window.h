// Windows that slide over the height and width of images: geometry shared by convolution and pooling.
#pragma once
#include "core/attributes.h"

namespace ph {

// valid: windows lie inside. same: ceil(size / stride) windows, the smaller half of the padding first (as TensorFlow
// and Keras). explicit_padding: `pads` = (top, bottom, left, right).
enum class Padding : int32_t { valid, same, explicit_padding };
PH_CHOICES(Padding, "valid", "same", "explicit")

// One axis of a sliding window.
struct Window {
  int64_t in, out;  // positions
  int64_t size, stride, dilation;
  int64_t before;  // padding in front; input position = out * stride + tap * dilation - before
};

PH_INLINE int64_t window_extent(int64_t size, int64_t dilation) { return (size - 1) * dilation + 1; }

PH_INLINE Window make_window(int64_t in, int64_t size, int64_t stride, int64_t dilation, Padding padding,
                             int64_t before, int64_t after) {
  Window w{in, 0, size, stride, dilation, 0};
  const int64_t extent = window_extent(size, dilation);
  if (padding == Padding::same) {
    w.out = (in + stride - 1) / stride;
    const int64_t total = (w.out - 1) * stride + extent - in;
    w.before = total > 0 ? total / 2 : 0;
  } else {
    w.before = padding == Padding::explicit_padding ? before : 0;
    const int64_t padded = in + w.before + (padding == Padding::explicit_padding ? after : 0);
    w.out = padded < extent ? 0 : (padded - extent) / stride + 1;
  }
  return w;
}

}  // namespace ph
