// Every instruction that C++ cannot say, once: PTX on a device, in the simulator a call of its reference in
// cuda/sim/ptx. A kernel for which an architecture lacks the instruction compiles there and traps: the host picks
// kernels by the device's compute capability.
#pragma once
#include "cuda/ptx/barrier.h"
#include "cuda/ptx/convert.h"
#include "cuda/ptx/copy_async.h"
#include "cuda/ptx/mma.h"
#include "cuda/ptx/store.h"
#include "cuda/ptx/tma.h"
#include "cuda/ptx/wgmma.h"
