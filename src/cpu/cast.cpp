// Conversion between dtypes, as NumPy's astype: floats to integers cut towards zero, anything to bool is "is not zero".
#include "ops/cast.h"

#include "core/thread_pool.h"
#include "cpu/convert.h"

namespace ph::PH_LEVEL {

namespace {

// Through a type that holds all values of the source.
template <class Through>
void cast_through(const View& in, const View& out) {
  constexpr int64_t tile = 512, chunk = 16 * tile;
  const int64_t n = in.size();
  const int64_t in_bytes = static_cast<int64_t>(size_of(in.dtype)),
                out_bytes = static_cast<int64_t>(size_of(out.dtype));
  parallel_for((n + chunk - 1) / chunk, 0.3 * static_cast<double>(n < chunk ? n : chunk), [&](int64_t c) {
    alignas(64) Through values[tile];
    const int64_t end = (c + 1) * chunk < n ? (c + 1) * chunk : n;
    for (int64_t i = c * chunk; i < end; i += tile) {
      const int64_t m = end - i < tile ? end - i : tile;
      load_converted(values, in.as<char>() + i * in_bytes, in.dtype, m);
      store_converted(out.as<char>() + i * out_bytes, values, out.dtype, m);
    }
  });
}

void cast(const KernelCall& k, const CastAttrs&) {
  const View &in = k.in[0], &out = k.out[0];
  if (in.dtype == DType::float64) return cast_through<double>(in, out);
  if (is_float(in.dtype)) return cast_through<float>(in, out);
  if (in.dtype == DType::uint64) return cast_through<uint64_t>(in, out);
  cast_through<int64_t>(in, out);
}

}  // namespace

PH_KERNELS(cast, kernel<cast>("tiles"));

}  // namespace ph::PH_LEVEL
