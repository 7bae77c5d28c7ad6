// Convolution of images. x (batch, height, width, channels), kernel (height, width, channels / groups, filters), as
// Keras.
#pragma once
#include "core/activation.h"
#include "core/apply.h"
#include "ops/window.h"

namespace ph {

struct ConvAttrs {
  IntList strides{1, 1};
  Padding padding = Padding::valid;
  IntList pads;  // (top, bottom, left, right), for Padding::explicit_padding
  IntList dilation{1, 1};
  int64_t groups = 1;
  IntList size;  // conv2d_input_grad: height and width of x; conv2d_kernel_grad: of the kernel
  Activation activation = Activation::none;  // conv2d only, set by fuse_epilogue
  PH_FIELDS(ConvAttrs, strides, padding, pads, dilation, groups, size, activation)
};

// The sizes of one convolution, from the shapes of x and kernel.
struct ConvGeometry {
  int64_t batch, channels, filters, groups;
  Window rows, columns;

  PH_INLINE int64_t group_channels() const { return channels / groups; }
  PH_INLINE int64_t group_filters() const { return filters / groups; }
  PH_INLINE int64_t taps() const { return rows.size * columns.size; }
  PH_INLINE int64_t depth() const { return taps() * group_channels(); }  // products per output element
  PH_INLINE int64_t pixels() const { return rows.out * columns.out; }
};

PH_INLINE ConvGeometry conv_geometry(const Shape& x, const Shape& kernel, const ConvAttrs& a) {
  const bool given = a.padding == Padding::explicit_padding;
  return {x[0],
          x[3],
          kernel[3],
          a.groups,
          make_window(x[1], kernel[0], a.strides[0], a.dilation[0], a.padding, given ? a.pads[0] : 0,
                      given ? a.pads[1] : 0),
          make_window(x[2], kernel[1], a.strides[1], a.dilation[1], a.padding, given ? a.pads[2] : 0,
                      given ? a.pads[3] : 0)};
}

// The shapes a gradient op's result has.
PH_INLINE Shape conv_input_shape(const Shape& dy, const Shape& kernel, const ConvAttrs& a) {
  return {dy[0], a.size[0], a.size[1], kernel[2] * a.groups};
}
PH_INLINE Shape conv_kernel_shape(const Shape& x, const Shape& dy, const ConvAttrs& a) {
  return {a.size[0], a.size[1], x[3] / a.groups, dy[3]};
}

Tensor conv2d(const Tensor& x, const Tensor& kernel, const ConvAttrs& attrs);
// The gradient of conv2d with respect to x; also the forward of a transposed convolution.
Tensor conv2d_input_grad(const Tensor& dy, const Tensor& kernel, const ConvAttrs& attrs);
Tensor conv2d_kernel_grad(const Tensor& x, const Tensor& dy, const ConvAttrs& attrs);

}  // namespace ph
