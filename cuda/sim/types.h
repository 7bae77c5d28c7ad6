// The words of CUDA C++ that a host compiler lacks: qualifiers and vector types.
#pragma once
#include <cstdint>

#define __global__
#define __device__
#define __host__
#define __forceinline__ inline __attribute__((always_inline))
#define __launch_bounds__(...)
#define __grid_constant__
#define __align__(n) __attribute__((aligned(n)))

struct uint3 {
  unsigned x, y, z;
};
struct dim3 {
  unsigned x, y, z;
  constexpr dim3(unsigned x_ = 1, unsigned y_ = 1, unsigned z_ = 1) : x(x_), y(y_), z(z_) {}
};

#define PH_SIM_VECTOR2(name, T)        \
  struct alignas(2 * sizeof(T)) name { \
    T x, y;                            \
  };                                   \
  inline name make_##name(T x, T y) { return {x, y}; }
#define PH_SIM_VECTOR4(name, T)        \
  struct alignas(4 * sizeof(T)) name { \
    T x, y, z, w;                      \
  };                                   \
  inline name make_##name(T x, T y, T z, T w) { return {x, y, z, w}; }
PH_SIM_VECTOR2(float2, float)
PH_SIM_VECTOR2(double2, double)
PH_SIM_VECTOR2(int2, int)
PH_SIM_VECTOR2(uint2, unsigned)
PH_SIM_VECTOR4(float4, float)
PH_SIM_VECTOR4(int4, int)
PH_SIM_VECTOR4(uint4, unsigned)
PH_SIM_VECTOR4(uchar4, unsigned char)
PH_SIM_VECTOR4(ushort4, unsigned short)
#undef PH_SIM_VECTOR2
#undef PH_SIM_VECTOR4
