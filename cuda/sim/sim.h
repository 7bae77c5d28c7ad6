// The CUDA simulator: kernels compile as host C++ and run on the processor. A test tool, no part of the product.
//
// A kernel file includes only cuda/gpu.h. nvcc makes device code of it; g++, which does not define __CUDACC__, gets
// this header in place of the CUDA one. To run kernels here, build
//   - cuda/sim/*.cpp and cuda/sim/ptx/*.cpp but memory.cpp, as a shared library, with no sanitizer: the engine;
//   - the kernels (g++ -x c++ kernels.cu) and cuda/sim/memory.cpp, with -fsanitize=address,undefined or =thread or
//   none.
// tests/cuda/simulator.py does just that. The engine finds out when it starts which sanitizer watches the program.
//
// How it works. Each CUDA thread is a fiber (fiber.h), a block is a set of fibers that take turns (block.h): a fiber
// runs until it waits at a barrier, a shuffle or another meeting; the last one to come does the work for all. Blocks
// run one after another, or on several host threads. Shared memory is a heap block for each array, filled with NaN, so
// sanitizers see its bounds. Asynchronous copies and wgmma are done at once, or as late as the code's own waits allow
// (async.cpp); so is the work of streams (runtime.cpp). What is PTX on a device (cuda/ptx) is a plain loop here
// (cuda/sim/ptx).
//
// Correct kernels give the same results in every mode:
//   PRONGHORN_SIM_ORDER=forward|reverse|random:SEED   the order of blocks and of threads
//   PRONGHORN_SIM_ASYNC=eager|late                    when cp.async, TMA and wgmma happen
//   PRONGHORN_SIM_STREAM=eager|late                   when work put into streams runs
//   PRONGHORN_SIM_THREADS=n                           host threads that share the blocks of a large grid
//   PRONGHORN_SIM_CAPABILITY=90                       the compute capability it claims, times ten
//   PRONGHORN_SIM_MEMORY=8192                         the memory it claims, in MiB
//
// What it finds: kernels that end in an error that names kernel, block and thread (deadlocks with the place where a
// thread waits, divergent barriers and warps, masks that name ended lanes, misaligned instructions, misused mbarriers);
// reads of what was not written yet, as NaN; bounds and alignment (address and undefined-behaviour sanitizers); races
// between threads and between blocks (thread sanitizer, to which every CUDA thread is a thread and only what orders
// memory on a device does so). What it cannot find: bank conflicts, register and time limits, a missing proxy fence,
// loops that spin on plain memory, two barriers on one source line, and whatever a reference in cuda/sim/ptx misreads
// of the PTX manual.
#pragma once
#define PH_SIM 1

#include "cuda/sim/types.h"
// the vector types come first
#include "cuda/sim/device.h"
#include "cuda/sim/engine.h"
#include "cuda/sim/runtime.h"
