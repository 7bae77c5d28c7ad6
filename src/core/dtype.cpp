#include "core/dtype.h"

#include "core/error.h"

namespace ph {

static constexpr const char* names[dtype_count] = {"bool",     "int8",    "int16",  "int32",  "int64",
                                                   "uint8",    "uint16",  "uint32", "uint64", "float16",
                                                   "bfloat16", "float32", "float64"};

const char* name_of(DType dtype) { return names[static_cast<int>(dtype)]; }

DType dtype_from_name(std::string_view name) {
  for (int i = 0; i < dtype_count; ++i) {
    if (name == names[i]) return static_cast<DType>(i);
  }
  std::string known;
  for (const char* each : names) known += (known.empty() ? "" : ", ") + std::string(each);
  throw TypeError(concat("unknown dtype '", name, "'; known dtypes: ", known));
}

DType promote(DType a, DType b) {
  if (a == b) return a;
  if (a > b) std::swap(a, b);  // the enum's order: bool, signed, unsigned, floats
  if (a == DType::bool_) return b;
  if (is_float(b)) {
    if (!is_float(a)) return b;
    return a == DType::float16 && b == DType::bfloat16 ? DType::float32 : b;
  }
  if (is_unsigned(a) == is_unsigned(b)) return b;
  // signed a, unsigned b: the signed type that holds both; int64 with uint64 has none and becomes the default float
  if (b == DType::uint64) return DType::float32;
  const size_t wanted = size_of(b) * 2 > size_of(a) ? size_of(b) * 2 : size_of(a);
  return wanted == 2 ? DType::int16 : wanted == 4 ? DType::int32 : DType::int64;
}

std::ostream& operator<<(std::ostream& out, DType dtype) { return out << name_of(dtype); }

}  // namespace ph
