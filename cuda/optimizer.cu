// Optimizer updates: one launch for the variables of a whole network. A table in the kernel's parameters says where the
// tensors of each group lie (variable, slots, gradient; new variable, new slots) and at which block the group begins;
// each block updates one piece of one group, every state read and written once. The scalars of the step are read on
// the device. Formulas: ops/optimizer.h. An output may be the memory of the input it replaces.
// float16 and bfloat16 are updated through float32.
#include "cuda/halves.h"
#include "cuda/partial.h"
#include "ops/optimizer.h"

namespace ph::cuda {

namespace {

constexpr int threads = 256, per_thread = 4;

template <class Update, class T>
struct Group {
  const T* in[Update::slots + 2];
  T* out[Update::slots + 1];
  int64_t size;
};

template <class Update, class T, int capacity>
struct Table {
  const T* scalars[Update::scalars];
  int groups;
  bool aligned;
  uint32_t end[capacity];  // the block after a group's last
  Group<Update, T> group[capacity];
};

// Parameters of up to 32764 bytes are allowed; all are copied at each launch, so that few variables get a small table.
template <class Update, class T>
constexpr int groups_within(int bytes) {
  return (bytes - 64) / static_cast<int>(sizeof(Group<Update, T>) + sizeof(uint32_t));
}
constexpr int small_table = 4000, large_table = 32000;

template <class Update, class T, class Attrs, int capacity>
__global__ void __launch_bounds__(threads)
    update_kernel(const __grid_constant__ Table<Update, T, capacity> table, Attrs attributes) {
  constexpr int states = Update::slots + 1;
  // what is constant in a step is worked out once in a block: some of it in double, slow on many GPUs
  PH_SHARED(uint64_t, constants, [(sizeof(Update) + 7) / 8]);
  if (threadIdx.x == 0) {
    T scalars[Update::scalars];
    for (int i = 0; i < Update::scalars; ++i) scalars[i] = *table.scalars[i];
    const Update update(attributes, scalars);
    memcpy(constants, &update, sizeof(update));
  }

  // the first group that ends after this block
  int first = 0, last = table.groups - 1;
  while (first < last) {
    const int middle = (first + last) / 2;
    if (blockIdx.x < table.end[middle]) {
      last = middle;
    } else {
      first = middle + 1;
    }
  }
  const Group<Update, T>& group = table.group[first];
  const uint32_t piece = blockIdx.x - (first ? table.end[first - 1] : 0);
  const int64_t begin = (int64_t{piece} * threads + threadIdx.x) * per_thread, count = group.size - begin;
  const bool whole = table.aligned && count >= per_thread;
  T from[states + 1][per_thread];
  if (count > 0) {
    PH_UNROLL
    for (int s = 0; s <= states; ++s) load_partial(from[s], group.in[s] + begin, whole, count);
  }
  __syncthreads();
  if (count <= 0) return;
  const Update& update = *reinterpret_cast<const Update*>(constants);
  PH_UNROLL
  for (int e = 0; e < per_thread; ++e) {
    T state[states];
    PH_UNROLL
    for (int s = 0; s < states; ++s) state[s] = from[s][e];
    update(from[states][e], state);
    PH_UNROLL
    for (int s = 0; s < states; ++s) from[s][e] = state[s];
  }
  PH_UNROLL
  for (int s = 0; s < states; ++s) store_partial(group.out[s] + begin, from[s], whole, count);
}

// Updates the groups from `first` on that fit into a table; returns the first of those that are left.
template <class Update, class T, int capacity, class Attrs>
int launch_update(const KernelCall& k, const Attrs& a, int first, int groups) {
  constexpr int states = Update::slots + 1, most_blocks = 1 << 30;
  Table<Update, T, capacity> table;
  for (int i = 0; i < Update::scalars; ++i) table.scalars[i] = k.in[groups * (states + 1) + i].template as<T>();
  table.groups = 0;
  table.aligned = true;
  unsigned blocks = 0;
  for (; first < groups && table.groups < capacity; ++first) {
    Group<Update, T>& group = table.group[table.groups];
    for (int i = 0; i <= states; ++i) group.in[i] = k.in[first * (states + 1) + i].template as<T>();
    for (int i = 0; i < states; ++i) group.out[i] = k.out[first * states + i].template as<T>();
    group.size = k.in[first * (states + 1)].size();
    if (group.size == 0) continue;
    const unsigned own = blocks_for(group.size, threads, per_thread);
    if (blocks > 0 && blocks + own > most_blocks) break;
    for (int i = 0; i <= states; ++i) table.aligned &= is_aligned(group.in[i]);
    for (int i = 0; i < states; ++i) table.aligned &= is_aligned(group.out[i]);
    table.end[table.groups++] = blocks += own;
  }
  if (blocks > 0) {
    PH_LAUNCH((update_kernel<Update, T, Attrs, capacity>), blocks, threads, 0, device().stream, table, a);
  }
  return first;
}

template <class Update, class T, class Attrs>
void update_groups(const KernelCall& k, const Attrs& a) {
  constexpr int few = groups_within<Update, T>(small_table);
  // float64 serves checks, not large networks
  constexpr int many = std::is_same_v<T, double> ? few : groups_within<Update, T>(large_table);
  const int groups = (k.in.size() - Update::scalars) / (Update::slots + 2);
  for (int next = 0; next < groups;) {
    next = groups - next <= few ? launch_update<Update, T, few>(k, a, next, groups)
                                : launch_update<Update, T, many>(k, a, next, groups);
  }
}

template <template <class> class Update, class Attrs>
void update(const KernelCall& k, const Attrs& a) {
  k.in[0].dtype == DType::float32 ? update_groups<Update<float>, float>(k, a)
                                  : update_groups<Update<double>, double>(k, a);
}

// No more than the inputs, of which they are new values.
template <class Attrs>
size_t result_bytes(SpecSpan in, const Attrs&) {
  size_t bytes = 0;
  for (const Spec& spec : in) bytes += copy_bytes(spec.dtype, spec.shape.size());
  return bytes;
}

}  // namespace

#define PH_UPDATE(op, Update, Attrs)                                       \
  PH_KERNELS(op, kernel<update<Update, Attrs>, not_half<Attrs>>("groups"), \
             through_float<update<Update, Attrs>, result_bytes<Attrs>>())
PH_UPDATE(sgd_step, SgdUpdate, NoAttrs);
PH_UPDATE(momentum_step, MomentumUpdate, MomentumStepAttrs);
PH_UPDATE(adam_step, AdamUpdate, AdamStepAttrs);
PH_UPDATE(nadam_step, NadamUpdate, AdamStepAttrs);
PH_UPDATE(adamax_step, AdamaxUpdate, AdamStepAttrs);
PH_UPDATE(rmsprop_step, RmspropUpdate, RmspropStepAttrs);
PH_UPDATE(adadelta_step, AdadeltaUpdate, RmspropStepAttrs);
PH_UPDATE(adagrad_step, AdagradUpdate, AdagradStepAttrs);
PH_UPDATE(ftrl_step, FtrlUpdate, FtrlStepAttrs);
PH_UPDATE(lion_step, LionUpdate, LionStepAttrs);
#undef PH_UPDATE

}  // namespace ph::cuda
