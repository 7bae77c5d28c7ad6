#include "core/attributes.h"

#include <functional>
#include <sstream>

#include "core/error.h"

namespace ph {

void IntList::push_back(int64_t value) {
  PH_CHECK(count < capacity, "a list attribute holds at most ", capacity, " integers");
  values[count++] = value;
}

Shape to_shape(const IntList& list, const char* op) {
  Shape shape;
  for (int64_t d : list) {
    PH_CHECK(d >= 0, op, ": shape has the negative dimension ", d);
    shape.checked_push_back(d);
  }
  return shape;
}

static const void* at(const void* base, const Field& field) { return static_cast<const char*>(base) + field.offset; }

template <class T>
static T read(const void* base, const Field& field) {
  T value;
  std::memcpy(&value, at(base, field), sizeof(T));
  return value;
}

static bool fields_equal(const Field& field, const void* a, const void* b) {
  if (field.kind == FieldKind::integers) {
    const auto x = read<IntList>(a, field), y = read<IntList>(b, field);
    return x.count == y.count && std::memcmp(x.values, y.values, sizeof(int64_t) * x.count) == 0;
  }
  return std::memcmp(at(a, field), at(b, field), field.size) == 0;
}

bool Attributes::operator==(const Attributes& other) const {
  if (type_ != other.type_) return false;
  for (int i = 0; i < type_->fields.count; ++i) {
    if (!fields_equal(type_->fields.fields[i], bytes_, other.bytes_)) return false;
  }
  return true;
}

size_t Attributes::hash() const {
  size_t seed = 0;
  for (int i = 0; i < type_->fields.count; ++i) {
    const Field& field = type_->fields.fields[i];
    const char* begin = static_cast<const char*>(at(bytes_, field));
    size_t size = field.size;
    if (field.kind == FieldKind::integers) size = sizeof(int64_t) * read<IntList>(bytes_, field).count;
    seed = seed * 1000003 ^ std::hash<std::string_view>()(std::string_view(begin, size));
  }
  return seed;
}

std::string field_text(const Field& field, const void* attributes) {
  std::ostringstream out;
  switch (field.kind) {
    case FieldKind::boolean:
      out << (read<bool>(attributes, field) ? "True" : "False");
      break;
    case FieldKind::integer:
      out << read<int64_t>(attributes, field);
      break;
    case FieldKind::real:
      out << read<double>(attributes, field);
      break;
    case FieldKind::dtype:
      out << "'" << read<DType>(attributes, field) << "'";
      break;
    case FieldKind::choice:
      out << "'" << field.choices[read<int32_t>(attributes, field)] << "'";
      break;
    case FieldKind::bytes:
      out << "<" << field.size << " bytes>";
      break;
    case FieldKind::integers: {
      const auto list = read<IntList>(attributes, field);
      out << "(";
      for (int i = 0; i < list.size(); ++i) out << (i ? ", " : "") << list[i];
      out << (list.size() == 1 ? ",)" : ")");
      break;
    }
  }
  return out.str();
}

std::string Attributes::text() const {
  const Attributes defaults(type_);
  std::string out;
  for (int i = 0; i < type_->fields.count; ++i) {
    const Field& field = type_->fields.fields[i];
    if (fields_equal(field, bytes_, defaults.bytes_)) continue;
    out += (out.empty() ? "" : ", ") + std::string(field.name) + "=" + field_text(field, bytes_);
  }
  return out;
}

}  // namespace ph
