// Winograd's minimal filtering F(m x m, 3 x 3): m x m outputs of a 3 x 3 kernel from (m + 2) x (m + 2) inputs with as
// many products, where the direct sum takes 9 m^2:
//
//   y = A^T [(G g G^T) * (B^T d B)] A        g kernel, d inputs, * by element
//
// Each function applies one of the matrices along one axis, to vectors of channels. F(2) uses the points 0, 1, -1 and
// infinity and is more exact than the direct sum; F(4) uses 0, +-1, +-2 and infinity; its error is about ten times
// that of the direct sum (1e-5 of the largest output).
// Source: Lavin and Gray, Fast Algorithms for Convolutional Neural Networks, 2015 (arXiv:1509.09308).
#pragma once
#include "cpu/simd.h"

namespace ph::PH_LEVEL {
namespace {

template <int m>
struct Winograd;

template <>
struct Winograd<2> {
  using V = Vector<float>;
  static constexpr int inputs = 4;
  static constexpr float kernel[4][3] = {{1, 0, 0}, {.5f, .5f, .5f}, {.5f, -.5f, .5f}, {0, 0, 1}};  // G

  // B^T d
  static PH_INLINE void input(const V* d, V* v) {
    v[0] = d[0] - d[2];
    v[1] = d[1] + d[2];
    v[2] = d[2] - d[1];
    v[3] = d[1] - d[3];
  }
  // A^T m
  static PH_INLINE void output(const V* m, V* y) {
    y[0] = m[0] + (m[1] + m[2]);
    y[1] = (m[1] - m[2]) - m[3];
  }
  // A y
  static PH_INLINE void output_gradient(const V* y, V* m) {
    m[0] = y[0];
    m[1] = y[0] + y[1];
    m[2] = y[0] - y[1];
    m[3] = -y[1];
  }
};

template <>
struct Winograd<4> {
  using V = Vector<float>;
  static constexpr int inputs = 6;
  static constexpr float kernel[6][3] = {{1 / 4.f, 0, 0},
                                         {-1 / 6.f, -1 / 6.f, -1 / 6.f},
                                         {-1 / 6.f, 1 / 6.f, -1 / 6.f},
                                         {1 / 24.f, 1 / 12.f, 1 / 6.f},
                                         {1 / 24.f, -1 / 12.f, 1 / 6.f},
                                         {0, 0, 1}};

  static PH_INLINE void input(const V* d, V* v) {
    v[0] = 4 * d[0] + (d[4] - 5 * d[2]);
    const V even = d[4] - 4 * d[2], odd = d[3] - 4 * d[1];
    v[1] = even + odd;
    v[2] = even - odd;
    const V fourth = d[4] - d[2], third = 2 * (d[3] - d[1]);
    v[3] = fourth + third;
    v[4] = fourth - third;
    v[5] = 4 * d[1] + (d[5] - 5 * d[3]);
  }
  static PH_INLINE void output(const V* m, V* y) {
    const V sum = m[1] + m[2], difference = m[1] - m[2], far_sum = m[3] + m[4], far_difference = m[3] - m[4];
    y[0] = m[0] + sum + far_sum;
    y[1] = difference + 2 * far_difference;
    y[2] = sum + 4 * far_sum;
    y[3] = difference + 8 * far_difference + m[5];
  }
  static PH_INLINE void output_gradient(const V* y, V* m) {
    const V even = y[0] + y[2], odd = y[1] + y[3], far_even = y[0] + 4 * y[2], far_odd = 2 * y[1] + 8 * y[3];
    m[0] = y[0];
    m[1] = even + odd;
    m[2] = even - odd;
    m[3] = far_even + far_odd;
    m[4] = far_even - far_odd;
    m[5] = y[3];
  }
};

}  // namespace
}  // namespace ph::PH_LEVEL
