// Pooling over the height and width of images, (batch, height, width, channels).
#pragma once
#include "core/apply.h"
#include "ops/window.h"

namespace ph {

struct PoolAttrs {
  IntList pool_size{2, 2};
  IntList strides{2, 2};
  Padding padding = Padding::valid;  // padding takes no part in maxima and averages
  IntList size;                      // average_pool2d_grad: height and width of x
  PH_FIELDS(PoolAttrs, pool_size, strides, padding, size)
};

struct PoolGeometry {
  int64_t batch, channels;
  Window rows, columns;
};

PH_INLINE PoolGeometry pool_geometry(const Shape& x, const PoolAttrs& a) {
  return {x[0], x[3], make_window(x[1], a.pool_size[0], a.strides[0], 1, a.padding, 0, 0),
          make_window(x[2], a.pool_size[1], a.strides[1], 1, a.padding, 0, 0)};
}

}  // namespace ph
