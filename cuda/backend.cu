// GPUs as devices: one stream each, in which everything happens in order; freed memory kept for reuse.
#include <algorithm>
#include <cstdlib>
#include <map>
#include <mutex>
#include <string_view>
#include <vector>

#include "cuda/backend.h"
#include "cuda/device.h"
#include "cuda/upload.h"

namespace ph::cuda {

namespace {

thread_local Device current{};

constexpr size_t alignment = 256;

// PRONGHORN_GPU_DEBUG=1: wait after each kernel, so that an error names the kernel it came from; fill new memory with
// NaN.
bool debugging() {
  static const bool asked = [] {
    const char* given = std::getenv("PRONGHORN_GPU_DEBUG");
    return given && *given && std::string_view(given) != "0";
  }();
  return asked;
}

// Freed blocks by size. A block is given out again while work that uses it may still wait in the stream: the new user's
// work comes after it in the same stream.
class CachingAllocator {
 public:
  void* allocate(size_t bytes) {
    const size_t size = rounded(bytes);
    const std::lock_guard lock(mutex_);
    const auto found = free_.find(size);
    if (found != free_.end() && !found->second.empty()) {
      void* block = found->second.back();
      found->second.pop_back();
      return block;
    }
    void* block = nullptr;
    cudaError_t error = cudaMalloc(&block, size);
    if (error == cudaErrorMemoryAllocation) {
      release_all();
      error = cudaMalloc(&block, size);
    }
    if (error == cudaErrorMemoryAllocation) {
      cudaGetLastError();
      size_t left = 0, all = 0;
      check(cudaMemGetInfo(&left, &all), "cudaMemGetInfo");
      throw MemoryError(concat("out of memory: could not allocate ", bytes, " bytes on the GPU; ", left, " of its ",
                               all, " bytes are free"));
    }
    check(error, "cudaMalloc");
    return block;
  }

  void release(void* block, size_t bytes) {
    const std::lock_guard lock(mutex_);
    free_[rounded(bytes)].push_back(block);
  }

 private:
  // To an eighth of a power of two: few distinct sizes, little waste.
  static size_t rounded(size_t bytes) {
    size_t step = alignment;
    while (step * 16 <= bytes) step *= 2;
    const size_t size = bytes < alignment ? alignment : (bytes + step - 1) / step * step;
    if (size < bytes) throw MemoryError(concat("out of memory: could not allocate ", bytes, " bytes on the GPU"));
    return size;
  }

  void release_all() {
    cudaDeviceSynchronize();
    for (auto& [size, blocks] : free_) {
      for (void* block : blocks) cudaFree(block);
    }
    free_.clear();
  }

  std::mutex mutex_;
  std::map<size_t, std::vector<void*>> free_;
};

class GraphRecording : public Recording {
 public:
  GraphRecording(const Device& on, cudaGraphExec_t executable) : on_(on), executable_(executable) {}
  ~GraphRecording() override { cudaGraphExecDestroy(executable_); }
  GraphRecording(const GraphRecording&) = delete;
  void replay() override {
    set_device(on_);
    check(cudaGraphLaunch(executable_, on_.stream), "launch of a recorded step");
  }

 private:
  Device on_;
  cudaGraphExec_t executable_;
};

template <class Word>
__global__ void gather_rows_kernel(Word* to, const Word* from, const int64_t* indices, int64_t row_words) {
  const int64_t row = blockIdx.y;
  const Word* source = from + indices[row] * row_words;
  for (int64_t i = int64_t{blockIdx.x} * blockDim.x + threadIdx.x; i < row_words;
       i += int64_t{gridDim.x} * blockDim.x) {
    to[row * row_words + i] = source[i];
  }
}

template <class Word>
void launch_gather(void* to, const void* from, const int64_t* indices, int64_t count, size_t row_bytes) {
  constexpr int64_t most_rows = 65535;  // of a grid
  const int64_t words = static_cast<int64_t>(row_bytes / sizeof(Word));
  const int threads = words < 128 ? 32 : 256;
  for (int64_t first = 0; first < count; first += most_rows) {
    const int64_t rows = count - first < most_rows ? count - first : most_rows;
    PH_LAUNCH(gather_rows_kernel<Word>, dim3(blocks_for(words, threads, 4), static_cast<unsigned>(rows)), threads, 0,
              device().stream, static_cast<Word*>(to) + first * words, static_cast<const Word*>(from), indices + first,
              words);
  }
}

class GpuBackend : public Backend {
 public:
  explicit GpuBackend(int number) {
    device_.number = number;
    check(cudaSetDevice(number), "cudaSetDevice");
    check(cudaStreamCreateWithFlags(&device_.stream, cudaStreamNonBlocking), "cudaStreamCreateWithFlags");
    void* fault = nullptr;
    check(cudaMallocHost(&fault, sizeof(Fault)), "cudaMallocHost");
    device_.fault = new (fault) Fault{};
    check(cudaDeviceGetAttribute(&device_.processors, cudaDevAttrMultiProcessorCount, number),
          "cudaDeviceGetAttribute");
  }

  const char* name() const override { return "gpu"; }
  std::string description() const override {
    cudaDeviceProp properties{};
    int driver = 0;
    check(cudaGetDeviceProperties(&properties, device_.number), "cudaGetDeviceProperties");
    check(cudaDriverGetVersion(&driver), "cudaDriverGetVersion");
    return concat(properties.name, ", compute capability ", properties.major, ".", properties.minor, ", ",
                  properties.totalGlobalMem >> 20, " MiB, driver for CUDA ", driver / 1000, ".", driver % 100 / 10);
  }
  std::vector<std::string> kernel_sets() const override { return {"cuda"}; }

  void* allocate(size_t bytes) override {
    enter();
    void* block = allocator_.allocate(bytes);
    // NaN in every float type
    if (debugging()) check(cudaMemsetAsync(block, 0xff, bytes, device_.stream), "cudaMemsetAsync");
    return block;
  }
  void release(void* data, size_t bytes) override { allocator_.release(data, bytes); }

  void copy_from_host(void* to, const void* from, size_t bytes) override {
    enter();
    upload_.run(device_, to, from, bytes);
  }
  void copy_to_host(void* to, const void* from, size_t bytes) override {
    transfer(to, from, bytes, cudaMemcpyDeviceToHost);
    wait();
  }
  void copy(void* to, const void* from, size_t bytes) override { transfer(to, from, bytes, cudaMemcpyDeviceToDevice); }

  bool is_host() const override { return false; }
  size_t free_bytes() override {
    enter();
    size_t left = 0, all = 0;
    check(cudaMemGetInfo(&left, &all), "cudaMemGetInfo");
    return left;
  }

  void gather_rows(void* to, const void* from, const int64_t* indices, int64_t count, size_t row_bytes) override {
    if (row_bytes == 0 || count == 0) return;
    enter();
    const auto bits = reinterpret_cast<uintptr_t>(to) | reinterpret_cast<uintptr_t>(from) | row_bytes;
    if (bits % 16 == 0) return launch_gather<uint4>(to, from, indices, count, row_bytes);
    if (bits % 4 == 0) return launch_gather<uint32_t>(to, from, indices, count, row_bytes);
    launch_gather<uint8_t>(to, from, indices, count, row_bytes);
  }

  void run(const Kernel& kernel, const KernelCall& call, const void* attributes) override {
    enter();
    kernel.run(call, attributes);
    if (!debugging()) return;
    const cudaError_t error = cudaStreamSynchronize(device_.stream);
    PH_CHECK(error == cudaSuccess, "gpu: kernel variant '", kernel.variant, "' failed: ", cudaGetErrorString(error));
  }

  void synchronize() override {
    enter();
    wait();
    if (device_.fault->kind == Fault::none) return;
    const Fault found = *device_.fault;
    *device_.fault = Fault{};
    if (found.kind == Fault::label) fail_label(found.op, found.value, found.size);
    fail_index(found.op, found.value, found.size);
  }

  std::unique_ptr<Recording> record(const std::vector<std::vector<size_t>>& after,
                                    const std::function<void(size_t)>& run) override {
    if (debugging()) return nullptr;
    enter();
    check(cudaStreamBeginCapture(device_.stream, cudaStreamCaptureModeThreadLocal), "cudaStreamBeginCapture");
    cudaGraph_t graph = nullptr;
    try {
      capture(after, run);
    } catch (...) {
      cudaStreamEndCapture(device_.stream, &graph);
      if (graph) cudaGraphDestroy(graph);
      throw;
    }
    check(cudaStreamEndCapture(device_.stream, &graph), "cudaStreamEndCapture");
    cudaGraphExec_t executable = nullptr;
    const cudaError_t error = cudaGraphInstantiate(&executable, graph, 0);
    cudaGraphDestroy(graph);
    check(error, "cudaGraphInstantiate");
    return std::make_unique<GraphRecording>(device_, executable);
  }

 private:
  using Nodes = std::vector<cudaGraphNode_t>;

  // What a step launches follows, in the graph, what the steps before it launched last.
  void capture(const std::vector<std::vector<size_t>>& after, const std::function<void(size_t)>& run) const {
    std::vector<Nodes> last(after.size());
    for (size_t step = 0; step < after.size(); ++step) {
      Nodes before;
      for (const size_t early : after[step]) before.insert(before.end(), last[early].begin(), last[early].end());
      follow(before);
      run(step);
      last[step] = last_nodes();
    }
  }

  // What the stream captures next comes after these nodes.
  void follow(Nodes& nodes) const {
    std::sort(nodes.begin(), nodes.end());
    nodes.erase(std::unique(nodes.begin(), nodes.end()), nodes.end());
#if CUDART_VERSION >= 13000
    const cudaError_t error = cudaStreamUpdateCaptureDependencies(device_.stream, nodes.data(), nullptr, nodes.size(),
                                                                  cudaStreamSetCaptureDependencies);
#else
    const cudaError_t error = cudaStreamUpdateCaptureDependencies(device_.stream, nodes.data(), nodes.size(),
                                                                  cudaStreamSetCaptureDependencies);
#endif
    check(error, "cudaStreamUpdateCaptureDependencies");
  }

  Nodes last_nodes() const {
    cudaStreamCaptureStatus status;
    const cudaGraphNode_t* nodes = nullptr;
    size_t count = 0;
#if CUDART_VERSION >= 13000
    check(cudaStreamGetCaptureInfo(device_.stream, &status, nullptr, nullptr, &nodes, nullptr, &count),
          "cudaStreamGetCaptureInfo");
#else
    check(cudaStreamGetCaptureInfo_v2(device_.stream, &status, nullptr, nullptr, &nodes, &count),
          "cudaStreamGetCaptureInfo");
#endif
    return Nodes(nodes, nodes + count);
  }

  void enter() const { set_device(device_); }
  void wait() const { check(cudaStreamSynchronize(device_.stream), "waiting for the device"); }
  void transfer(void* to, const void* from, size_t bytes, cudaMemcpyKind kind) const {
    if (bytes == 0) return;
    enter();
    check(cudaMemcpyAsync(to, from, bytes, kind, device_.stream), "cudaMemcpyAsync");
  }

  Device device_{};
  CachingAllocator allocator_;
  Upload upload_;
};

}  // namespace

const Device& device() { return current; }

void set_device(const Device& device) {
  if (!current.stream || current.number != device.number) check(cudaSetDevice(device.number), "cudaSetDevice");
  current = device;
}

int capability_of(int device) {
  int major = 0, minor = 0;
  check(cudaDeviceGetAttribute(&major, cudaDevAttrComputeCapabilityMajor, device), "cudaDeviceGetAttribute");
  check(cudaDeviceGetAttribute(&minor, cudaDevAttrComputeCapabilityMinor, device), "cudaDeviceGetAttribute");
  return 10 * major + minor;
}

int capability() {
  static const int lowest = [] {
    int count = 0, least = 1000;
    check(cudaGetDeviceCount(&count), "cudaGetDeviceCount");
    for (int i = 0; i < count; ++i) least = std::min(least, capability_of(i));
    return least;
  }();
  return lowest;
}

Backend* make_backend(int device) { return new GpuBackend(device); }

}  // namespace ph::cuda
