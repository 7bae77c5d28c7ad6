// Memory, streams, events and graphs. A stream is a queue: eager ones run what is put in at once, late ones when
// something waits for it. As on a device, an error of a kernel stays: every later call returns it.
#include "cuda/sim/runtime.h"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "cuda/sim/engine.h"
#include "cuda/sim/options.h"

namespace ph::sim {

using Work = std::function<void()>;

struct GraphNode {
  Work work;
  std::set<GraphNode*> after;
};
struct Graph {
  std::vector<std::shared_ptr<GraphNode>> nodes;  // in the order of the calls
};
struct Stream {
  std::deque<Work> queue;
  Graph* captured = nullptr;
  std::vector<GraphNode*> last;     // what the next node of the capture comes after
  size_t recorded = 0, joined = 0;  // nodes of the capture that came from here, and those another stream waits for
};
struct Event {
  bool done = true;
  Stream* stream = nullptr;
  Graph* captured = nullptr;  // recorded in this capture, after so many nodes of its stream
  std::vector<GraphNode*> last;
  size_t recorded = 0;
  std::chrono::steady_clock::time_point time;
};

namespace {

struct Runtime {
  std::recursive_mutex mutex;
  Stream default_stream;
  std::vector<Stream*> streams{&default_stream};
  cudaError_t error = cudaSuccess;
  std::string message;
  std::map<const void*, size_t> dynamic_bytes;  // raised limits, by kernel
  std::map<void*, size_t> memory;
  size_t used = 0;
  std::set<Graph*> captures;  // going on
};

constexpr size_t usual_dynamic_bytes = 48 << 10, most_dynamic_bytes = 227 << 10;

// Never destroyed: tensors may be released after the static objects.
Runtime& runtime() {
  static auto* all = new Runtime;
  return *all;
}

Stream* real(Stream* stream) { return stream ? stream : &runtime().default_stream; }

void run_one(Stream* stream) {
  const Work work = std::move(stream->queue.front());
  stream->queue.pop_front();
  work();
}

void drain(Stream* stream, const bool* until = nullptr) {
  while (!stream->queue.empty() && !(until && *until)) run_one(stream);
}

void drain_all() {
  for (Stream* stream : runtime().streams) drain(stream);
}

cudaError_t enqueue(Stream* stream, Work work) {
  stream = real(stream);
  if (stream->captured) {
    auto node = std::make_shared<GraphNode>(std::move(work), std::set(stream->last.begin(), stream->last.end()));
    stream->last = {node.get()};
    stream->captured->nodes.push_back(std::move(node));
    ++stream->recorded;
  } else if (options().late_streams) {
    stream->queue.push_back(std::move(work));
  } else {
    work();
  }
  return runtime().error;
}

void begin_capture(Stream* stream, Graph* graph) {
  stream->captured = graph;
  stream->last.clear();
  stream->recorded = stream->joined = 0;
}

// The next node to run, of those whose predecessors have run: the first, the last or any, by the order of the mode.
size_t next_of(const std::vector<std::shared_ptr<GraphNode>>& waiting, const std::set<GraphNode*>& done,
               std::minstd_rand& random) {
  std::vector<size_t> ready;
  for (size_t i = 0; i < waiting.size(); ++i) {
    const auto& after = waiting[i]->after;
    if (std::includes(done.begin(), done.end(), after.begin(), after.end())) ready.push_back(i);
    if (options().order == Order::forward && !ready.empty()) break;
  }
  if (options().order == Order::random) return ready[random() % ready.size()];
  return options().order == Order::reverse ? ready.back() : ready.front();
}

// Waiting for work that is only being recorded is an error.
cudaError_t may_wait(Stream* stream) {
  if (runtime().error) return runtime().error;
  const bool captures = stream ? stream->captured != nullptr : !runtime().captures.empty();
  return captures ? cudaErrorStreamCaptureUnsupported : cudaSuccess;
}

}  // namespace

cudaError_t allow_dynamic_bytes(const void* kernel, int bytes) {
  const std::lock_guard lock(runtime().mutex);
  if (bytes < 0 || static_cast<size_t>(bytes) > most_dynamic_bytes) return cudaErrorInvalidValue;
  runtime().dynamic_bytes[kernel] = static_cast<size_t>(bytes);
  return cudaSuccess;
}

cudaError_t launch_body(const void* kernel, const char* name, dim3 grid, dim3 block, size_t dynamic_bytes,
                        Stream* stream, Work body) {
  Runtime& r = runtime();
  const std::lock_guard lock(r.mutex);
  if (r.error) return r.error;
  const auto raised = r.dynamic_bytes.find(kernel);
  const size_t limit = raised == r.dynamic_bytes.end() ? usual_dynamic_bytes : raised->second;
  const uint64_t threads = uint64_t{block.x} * block.y * block.z;
  const bool block_fits = threads > 0 && threads <= 1024 && block.z <= 64;
  const bool grid_fits = grid.x && grid.y && grid.z && grid.x <= 0x7fffffffu && grid.y <= 65535 && grid.z <= 65535;
  if (!block_fits || !grid_fits || dynamic_bytes > limit) return cudaErrorInvalidConfiguration;
  return enqueue(stream, [=, body = std::move(body)] {
    Runtime& here = runtime();
    if (here.error) return;
    const std::string error = run_grid(grid, block, dynamic_bytes, body, name);
    if (error.empty()) return;
    here.error = cudaErrorLaunchFailure;
    here.message = error;
  });
}

}  // namespace ph::sim

using namespace ph::sim;

const char* cudaGetErrorString(cudaError_t error) {
  switch (error) {
    case cudaSuccess:
      return "no error";
    case cudaErrorLaunchFailure:
      return runtime().message.c_str();
    case cudaErrorStreamCaptureUnsupported:
      return "operation not permitted when stream is capturing";
    case cudaErrorStreamCaptureUnjoined:
      return "capturing stream has unjoined work";
    case cudaErrorInvalidConfiguration:
      return "invalid configuration argument";
    case cudaErrorMemoryAllocation:
      return "out of memory";
    case cudaErrorNotReady:
      return "device not ready";
    case cudaErrorInvalidDevice:
      return "invalid device ordinal";
    default:
      return "invalid argument";
  }
}
cudaError_t cudaGetLastError() { return runtime().error; }
cudaError_t cudaGetDeviceCount(int* count) {
  *count = 1;
  return cudaSuccess;
}
cudaError_t cudaSetDevice(int device) { return device == 0 ? cudaSuccess : cudaErrorInvalidDevice; }

cudaError_t cudaDeviceGetAttribute(int* value, cudaDeviceAttr attribute, int device) {
  if (device != 0) return cudaErrorInvalidDevice;
  switch (attribute) {
    case cudaDevAttrMultiProcessorCount:
      *value = 4;
      return cudaSuccess;
    case cudaDevAttrComputeCapabilityMajor:
      *value = options().capability / 10;
      return cudaSuccess;
    case cudaDevAttrComputeCapabilityMinor:
      *value = options().capability % 10;
      return cudaSuccess;
  }
  return cudaErrorInvalidValue;
}

cudaError_t cudaGetDeviceProperties(cudaDeviceProp* properties, int device) {
  if (device != 0) return cudaErrorInvalidDevice;
  *properties = {"simulator", options().memory, options().capability / 10, options().capability % 10};
  return cudaSuccess;
}
cudaError_t cudaDriverGetVersion(int* version) {
  *version = 13000;
  return cudaSuccess;
}

cudaError_t cudaMalloc(void** memory, size_t bytes) {
  Runtime& r = runtime();
  const std::lock_guard lock(r.mutex);
  if (!r.captures.empty()) return cudaErrorStreamCaptureUnsupported;
  if (bytes > options().memory - r.used) return cudaErrorMemoryAllocation;
  if (posix_memalign(memory, 256, std::max<size_t>(bytes, 1))) return cudaErrorMemoryAllocation;
  std::memset(*memory, 0xff, bytes);  // NaN in every float type
  r.memory[*memory] = bytes;
  r.used += bytes;
  return cudaSuccess;
}
cudaError_t cudaFree(void* memory) {
  Runtime& r = runtime();
  const std::lock_guard lock(r.mutex);
  if (!memory) return cudaSuccess;
  drain_all();
  const auto found = r.memory.find(memory);
  if (found == r.memory.end()) return cudaErrorInvalidValue;
  r.used -= found->second;
  r.memory.erase(found);
  std::free(memory);
  return cudaSuccess;
}
cudaError_t cudaMemGetInfo(size_t* free_bytes, size_t* total_bytes) {
  *total_bytes = options().memory;
  *free_bytes = options().memory - runtime().used;
  return cudaSuccess;
}
cudaError_t cudaMallocHost(void** memory, size_t bytes) {
  return posix_memalign(memory, 4096, std::max<size_t>(bytes, 1)) ? cudaErrorMemoryAllocation : cudaSuccess;
}
cudaError_t cudaFreeHost(void* memory) {
  const std::lock_guard lock(runtime().mutex);
  drain_all();
  std::free(memory);
  return cudaSuccess;
}

cudaError_t cudaMemcpyAsync(void* to, const void* from, size_t bytes, cudaMemcpyKind, Stream* stream) {
  const std::lock_guard lock(runtime().mutex);
  return enqueue(stream, [=] { std::memmove(to, from, bytes); });
}
cudaError_t cudaMemcpy(void* to, const void* from, size_t bytes, cudaMemcpyKind) {
  const std::lock_guard lock(runtime().mutex);
  if (const cudaError_t error = cudaDeviceSynchronize()) return error;
  std::memmove(to, from, bytes);
  return cudaSuccess;
}
cudaError_t cudaMemsetAsync(void* to, int value, size_t bytes, Stream* stream) {
  const std::lock_guard lock(runtime().mutex);
  return enqueue(stream, [=] { std::memset(to, value, bytes); });
}

cudaError_t cudaStreamCreateWithFlags(Stream** stream, unsigned) {
  const std::lock_guard lock(runtime().mutex);
  *stream = new Stream;
  runtime().streams.push_back(*stream);
  return cudaSuccess;
}
cudaError_t cudaStreamDestroy(Stream* stream) {
  const std::lock_guard lock(runtime().mutex);
  drain(stream);
  std::erase(runtime().streams, stream);
  delete stream;
  return cudaSuccess;
}
cudaError_t cudaStreamSynchronize(Stream* stream) {
  const std::lock_guard lock(runtime().mutex);
  if (const cudaError_t error = may_wait(real(stream))) return error;
  drain(real(stream));
  return runtime().error;
}
cudaError_t cudaDeviceSynchronize() {
  const std::lock_guard lock(runtime().mutex);
  if (const cudaError_t error = may_wait(nullptr)) return error;
  drain_all();
  return runtime().error;
}

cudaError_t cudaEventCreateWithFlags(Event** event, unsigned) {
  *event = new Event;
  return cudaSuccess;
}
cudaError_t cudaEventDestroy(Event* event) {
  const std::lock_guard lock(runtime().mutex);
  if (!event->done) drain(event->stream, &event->done);
  delete event;
  return cudaSuccess;
}
cudaError_t cudaEventRecord(Event* event, Stream* stream) {
  const std::lock_guard lock(runtime().mutex);
  event->stream = real(stream);
  event->captured = event->stream->captured;
  event->last = event->stream->last;
  event->recorded = event->stream->recorded;
  if (event->captured) return cudaSuccess;
  event->done = false;
  return enqueue(stream, [=] {
    event->done = true;
    event->time = std::chrono::steady_clock::now();
  });
}
// Time passes between queries: each lets one piece of work run, or loops that poll would not end in late mode.
cudaError_t cudaEventQuery(Event* event) {
  const std::lock_guard lock(runtime().mutex);
  if (event->done) return runtime().error;
  run_one(event->stream);
  return cudaErrorNotReady;
}
cudaError_t cudaEventSynchronize(Event* event) {
  const std::lock_guard lock(runtime().mutex);
  if (!event->done) drain(event->stream, &event->done);
  return runtime().error;
}
cudaError_t cudaEventElapsedTime(float* milliseconds, Event* begin, Event* end) {
  *milliseconds = std::chrono::duration<float, std::milli>(end->time - begin->time).count();
  return cudaSuccess;
}
cudaError_t cudaStreamWaitEvent(Stream* stream, Event* event, unsigned) {
  const std::lock_guard lock(runtime().mutex);
  stream = real(stream);
  if (runtime().captures.contains(event->captured)) {  // the stream joins
    if (!stream->captured) begin_capture(stream, event->captured);
    stream->last.insert(stream->last.end(), event->last.begin(), event->last.end());
    event->stream->joined = std::max(event->stream->joined, event->recorded);
    return cudaSuccess;
  }
  if (event->done) return cudaSuccess;
  return enqueue(stream, [=] { drain(event->stream, &event->done); });
}

cudaError_t cudaStreamBeginCapture(Stream* stream, cudaStreamCaptureMode) {
  const std::lock_guard lock(runtime().mutex);
  if (!stream || stream->captured) return cudaErrorStreamCaptureUnsupported;
  begin_capture(stream, new Graph);
  runtime().captures.insert(stream->captured);
  return cudaSuccess;
}
cudaError_t cudaStreamEndCapture(Stream* stream, Graph** graph) {
  const std::lock_guard lock(runtime().mutex);
  if (!stream->captured) return cudaErrorInvalidValue;
  *graph = stream->captured;
  bool all_joined = true;
  for (Stream* each : runtime().streams) {
    if (each->captured != *graph) continue;
    all_joined = all_joined && (each == stream || each->joined == each->recorded);
    each->captured = nullptr;
  }
  runtime().captures.erase(*graph);
  if (all_joined) return cudaSuccess;
  delete *graph;
  *graph = nullptr;
  return cudaErrorStreamCaptureUnjoined;
}
cudaError_t cudaStreamGetCaptureInfo(Stream* stream, cudaStreamCaptureStatus* status, unsigned long long*, Graph**,
                                     GraphNode* const** nodes, const cudaGraphEdgeData**, size_t* count) {
  const std::lock_guard lock(runtime().mutex);
  *status = stream->captured ? cudaStreamCaptureStatusActive : cudaStreamCaptureStatusNone;
  *nodes = stream->last.data();
  *count = stream->last.size();
  return cudaSuccess;
}
cudaError_t cudaStreamUpdateCaptureDependencies(Stream* stream, GraphNode** nodes, const cudaGraphEdgeData*,
                                                size_t count, unsigned flags) {
  const std::lock_guard lock(runtime().mutex);
  if (!stream->captured) return cudaErrorInvalidValue;
  if (flags == cudaStreamSetCaptureDependencies) stream->last.clear();
  stream->last.insert(stream->last.end(), nodes, nodes + count);
  return cudaSuccess;
}
cudaError_t cudaGraphInstantiate(Graph** executable, Graph* graph, unsigned long long) {
  *executable = new Graph(*graph);
  return cudaSuccess;
}
cudaError_t cudaGraphLaunch(Graph* executable, Stream* stream) {
  const std::lock_guard lock(runtime().mutex);
  auto waiting = executable->nodes;
  std::set<GraphNode*> done;
  std::minstd_rand random(options().seed);
  while (!waiting.empty()) {
    const size_t next = next_of(waiting, done, random);
    enqueue(stream, waiting[next]->work);
    done.insert(waiting[next].get());
    waiting.erase(waiting.begin() + static_cast<std::ptrdiff_t>(next));
  }
  return runtime().error;
}
cudaError_t cudaGraphDestroy(Graph* graph) {
  delete graph;
  return cudaSuccess;
}
cudaError_t cudaGraphExecDestroy(Graph* executable) {
  delete executable;
  return cudaSuccess;
}
