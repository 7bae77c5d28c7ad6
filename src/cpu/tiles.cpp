// The tile interpreter: walks the outputs in tiles of 512 elements; for each tile, brings the inputs into the compute
// type where they are stored in another or broadcast, runs the chain's instructions on slots that stay in L1, and
// stores the outputs. A float32 chain on full float32 tensors copies nothing.
#include "cpu/tiles.h"

#include "core/half.h"
#include "core/thread_pool.h"
#include "cpu/convert.h"
#include "ops/elementwise.h"

namespace ph::PH_LEVEL {

namespace {

// How an input is found from an output's flat index: dimensions that lie alike are merged; stride 0 repeats.
struct Broadcast {
  bool is_full = false, is_scalar = false;
  int rank = 0;
  int64_t size[Shape::max_rank], stride[Shape::max_rank];  // innermost first

  // A row that all rows of the output see, of which a tile holds a whole number.
  bool is_same_in_all_tiles() const { return rank == 2 && stride[1] == 0 && tile_size % size[0] == 0; }
};

Broadcast broadcast_of(const Shape& in, const Shape& out) {
  Broadcast b;
  b.is_scalar = in.size() == 1;
  b.is_full = in.size() == out.size();
  if (b.is_scalar || b.is_full) return b;
  int64_t step = 1;
  for (int i = 0; i < out.rank(); ++i) {
    const int64_t n = out[out.rank() - 1 - i];
    const int at = in.rank() - 1 - i;
    const bool present = at >= 0 && in[at] != 1;
    if (n == 1) continue;
    const int64_t stride = present ? step : 0;
    if (present) step *= n;
    if (b.rank > 0 && b.stride[b.rank - 1] * b.size[b.rank - 1] == stride) {
      b.size[b.rank - 1] *= n;  // also merges neighbouring repeats, 0 * size == 0
    } else {
      b.size[b.rank] = n;
      b.stride[b.rank] = stride;
      ++b.rank;
    }
  }
  return b;
}

// Where an input is read for a position of the output.
struct Place {
  int64_t at[Shape::max_rank] = {}, offset = 0;

  Place(const Broadcast& b, int64_t position) {
    for (int d = 0; d < b.rank; ++d) {
      at[d] = position % b.size[d];
      position /= b.size[d];
      offset += at[d] * b.stride[d];
    }
  }
  // Whether n elements from here on lie side by side.
  bool is_run(const Broadcast& b, int64_t n) const { return b.stride[0] == 1 && at[0] + n <= b.size[0]; }
};

// Fills to[0, n) with the elements that the output's n positions from `place` on see.
template <class T>
void load_broadcast(T* to, const char* from, DType storage, const Broadcast& b, Place place, int64_t n) {
  auto& [at, offset] = place;
  const int64_t bytes = static_cast<int64_t>(size_of(storage));
  while (n > 0) {
    int64_t run = b.size[0] - at[0];
    if (run > n) run = n;
    if (b.stride[0] == 0) {
      T value;
      load_converted(&value, from + offset * bytes, storage, 1);
      for (int64_t i = 0; i < run; ++i) to[i] = value;
    } else {
      load_converted(to, from + offset * bytes, storage, run);
    }
    to += run;
    n -= run;
    offset -= at[0] * b.stride[0];
    at[0] = 0;
    for (int d = 1; d < b.rank; ++d) {
      offset += b.stride[d];
      if (++at[d] < b.size[d]) break;
      offset -= b.size[d] * b.stride[d];
      at[d] = 0;
    }
  }
}

constexpr int64_t tiles_per_chunk = 16;

template <class T>
void run_typed(const TileProgram& program, const KernelCall& call) {
  const int64_t n = call.out[0].size();
  if (n == 0) return;
  Broadcast broadcasts[TileProgram::max_inputs];
  for (int k = 0; k < call.in.size(); ++k) broadcasts[k] = broadcast_of(call.in[k].shape, call.out[0].shape);
  TileFunction<T> functions[TileProgram::max_instructions];
  for (int i = 0; i < program.instruction_count; ++i) functions[i] = tile_function<T>(program.code[i].code);

  const int64_t chunk = tiles_per_chunk * tile_size;
  const double ns_per_element = 0.2 * (program.instruction_count + call.in.size());
  parallel_for((n + chunk - 1) / chunk, ns_per_element * static_cast<double>(chunk < n ? chunk : n), [&](int64_t c) {
    alignas(64) T slots[TileProgram::max_slots][tile_size];
    alignas(64) T inputs[TileProgram::max_inputs][tile_size];
    const T* registers[TileProgram::first_slot + TileProgram::max_slots] = {};
    const int64_t end = (c + 1) * chunk < n ? (c + 1) * chunk : n;
    for (int64_t begin = c * chunk; begin < end; begin += tile_size) {
      const int64_t m = end - begin < tile_size ? end - begin : tile_size;
      for (int k = 0; k < call.in.size(); ++k) {
        const View& in = call.in[k];
        const char* data = in.as<char>();
        const bool first = begin == c * chunk;
        if (broadcasts[k].is_full) {
          if (in.dtype == dtype_of<T>()) {
            registers[k] = in.as<T>() + begin;
            continue;
          }
          load_converted(inputs[k], data + begin * static_cast<int64_t>(size_of(in.dtype)), in.dtype, m);
        } else if (!broadcasts[k].is_scalar) {
          const Place place(broadcasts[k], begin);
          if (in.dtype == dtype_of<T>() && place.is_run(broadcasts[k], m)) {
            registers[k] = in.as<T>() + place.offset;
            continue;
          }
          if (first || !broadcasts[k].is_same_in_all_tiles()) {
            load_broadcast(inputs[k], data, in.dtype, broadcasts[k], place, m);
          }
        } else if (first) {
          load_converted(inputs[k], data, in.dtype, 1);
          for (int64_t i = 1; i < tile_size; ++i) inputs[k][i] = inputs[k][0];
        }
        registers[k] = inputs[k];
      }
      for (int i = 0; i < program.instruction_count; ++i) {
        const TileInstruction& step = program.code[i];
        T* to = slots[step.slot];
        const View* out = step.output == TileProgram::no_output ? nullptr : &call.out[step.output];
        const bool direct = out && out->dtype == dtype_of<T>();
        if (direct) to = out->as<T>() + begin;
        functions[i](to, registers[step.operand[0]], registers[step.operand[1]], registers[step.operand[2]], m);
        registers[TileProgram::first_slot + step.slot] = to;
        if (out && !direct) {
          store_converted(out->as<char>() + begin * static_cast<int64_t>(size_of(out->dtype)), to, out->dtype, m);
        }
      }
    }
  });
}

void run_chain(const KernelCall& call, const TilesAttrs& attributes) { run_tiles(attributes.program, call); }

template <ElementwiseCode code>
void run_single(const KernelCall& call, const NoAttrs&) {
  constexpr int last = static_cast<int>(TileProgram::first_slot);
  TileProgram program;
  program.type = static_cast<uint8_t>(tile_type_of(call.in[call.in.size() - 1].dtype));
  program.instruction_count = 1;
  program.output_count = 1;
  program.code[0] = {static_cast<uint8_t>(code), {0, last, last}, 0, 0};
  for (int k = 1; k < call.in.size(); ++k) program.code[0].operand[k] = static_cast<uint8_t>(k);
  run_tiles(program, call);
}

}  // namespace

void run_tiles(const TileProgram& program, const KernelCall& call) {
  switch (static_cast<TileType>(program.type)) {
    case TileType::float32:
      return run_typed<float>(program, call);
    case TileType::float64:
      return run_typed<double>(program, call);
    case TileType::int32:
      return run_typed<int32_t>(program, call);
    case TileType::int64:
      return run_typed<int64_t>(program, call);
  }
}

PH_KERNELS(tiles, kernel<run_chain>("tiles"));
#define PH_ELEMENTWISE(name, arity, cls, slope) \
  PH_KERNELS(name, kernel<run_single<ElementwiseCode::name##_code>>("tiles"));
#include "ops/elementwise.def"
#undef PH_ELEMENTWISE

}  // namespace ph::PH_LEVEL
