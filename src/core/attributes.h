// Attributes: the settings of one op call (axis, strides, ...), a plain struct that lists its fields once.
//
//   struct SoftmaxAttrs {
//     int64_t axis = -1;
//     PH_FIELDS(SoftmaxAttrs, axis)
//   };
//
// From that list follow keyword arguments and signatures in Python, hashing, equality and printing. Structs are
// trivially copyable, so that a step of a program holds them by value and a device library can receive them as bytes.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <type_traits>

#include "core/dtype.h"
#include "core/shape.h"

namespace ph {

// A short list of integers (axes, strides, a shape).
struct IntList {
  static constexpr int capacity = 16;
  int64_t values[capacity] = {};
  int64_t count = 0;

  IntList() = default;
  PH_INLINE IntList(std::initializer_list<int64_t> list) {
    for (int64_t v : list) values[count++] = v;
  }
  explicit IntList(const Shape& shape) {
    for (int64_t d : shape) values[count++] = d;
  }
  PH_INLINE int size() const { return static_cast<int>(count); }
  PH_INLINE int64_t operator[](int i) const { return values[i]; }
  PH_INLINE const int64_t* begin() const { return values; }
  PH_INLINE const int64_t* end() const { return values + count; }
  void push_back(int64_t value);  // throws when full
};

Shape to_shape(const IntList& list, const char* op);  // throws on more than eight or negative dimensions

enum class FieldKind { boolean, integer, real, dtype, integers, choice, bytes };

struct Field {
  const char* name;
  FieldKind kind;
  size_t offset;
  size_t size;
  const char* const* choices;  // for FieldKind::choice: the enum's names in order, ended by nullptr
};

// The names of an enum used as an attribute: PH_CHOICES(Padding, "valid", "same") at namespace ph scope.
template <class E>
struct Choices;
#define PH_CHOICES(Enum, ...)                                      \
  template <>                                                      \
  struct Choices<Enum> {                                           \
    static constexpr const char* names[] = {__VA_ARGS__, nullptr}; \
  };

// The position of a name among an enum's, -1 if it is none of them.
PH_INLINE int32_t find_choice(const char* const* names, std::string_view name) {
  for (int32_t i = 0; names[i]; ++i) {
    if (names[i] == name) return i;
  }
  return -1;
}

template <class T>
constexpr Field make_field(const char* name, size_t offset) {
  if constexpr (std::is_same_v<T, bool>) {
    return {name, FieldKind::boolean, offset, sizeof(T), nullptr};
  } else if constexpr (std::is_same_v<T, int64_t>) {
    return {name, FieldKind::integer, offset, sizeof(T), nullptr};
  } else if constexpr (std::is_same_v<T, double>) {
    return {name, FieldKind::real, offset, sizeof(T), nullptr};
  } else if constexpr (std::is_same_v<T, DType>) {
    return {name, FieldKind::dtype, offset, sizeof(T), nullptr};
  } else if constexpr (std::is_same_v<T, IntList>) {
    return {name, FieldKind::integers, offset, sizeof(T), nullptr};
  } else if constexpr (std::is_enum_v<T>) {
    static_assert(sizeof(T) == 4, "enums used as attributes are int32_t");
    return {name, FieldKind::choice, offset, sizeof(T), Choices<T>::names};
  } else {
    static_assert(std::has_unique_object_representations_v<T>, "an attribute compared by its bytes has no padding");
    return {name, FieldKind::bytes, offset, sizeof(T), nullptr};
  }
}

struct FieldList {
  const Field* fields;
  int count;
};

#define PH_PARENS ()
#define PH_EXPAND(...) PH_EXPAND3(PH_EXPAND3(PH_EXPAND3(__VA_ARGS__)))
#define PH_EXPAND3(...) PH_EXPAND2(PH_EXPAND2(PH_EXPAND2(__VA_ARGS__)))
#define PH_EXPAND2(...) PH_EXPAND1(PH_EXPAND1(PH_EXPAND1(__VA_ARGS__)))
#define PH_EXPAND1(...) __VA_ARGS__
#define PH_FIELD_LIST(Type, name, ...)                                \
  ::ph::make_field<decltype(Type::name)>(#name, offsetof(Type, name)) \
      __VA_OPT__(, PH_FIELD_AGAIN PH_PARENS(Type, __VA_ARGS__))
#define PH_FIELD_AGAIN() PH_FIELD_LIST
#define PH_FIELDS(Type, ...)                                                               \
  static ::ph::FieldList field_list() {                                                    \
    static constexpr ::ph::Field fields[] = {PH_EXPAND(PH_FIELD_LIST(Type, __VA_ARGS__))}; \
    return {fields, static_cast<int>(sizeof(fields) / sizeof(fields[0]))};                 \
  }

struct NoAttrs {
  static FieldList field_list() { return {nullptr, 0}; }
};

// What the op table knows of an attribute struct.
struct AttributesType {
  FieldList fields;
  size_t size;
  void (*set_defaults)(void*);
};

template <class A>
const AttributesType* attributes_type() {
  static_assert(std::is_trivially_copyable_v<A>);
  static const AttributesType type{A::field_list(), sizeof(A), [](void* at) { new (at) A(); }};
  return &type;
}

// A value of any attribute struct.
class Attributes {
 public:
  static constexpr size_t capacity = 640;

  explicit Attributes(const AttributesType* type) : type_(type) { type->set_defaults(bytes_); }
  template <class A>
  static Attributes of(const A& value) {
    static_assert(sizeof(A) <= capacity);
    Attributes out(attributes_type<A>());
    std::memcpy(out.bytes_, &value, sizeof(A));
    return out;
  }
  const void* data() const { return bytes_; }
  void* data() { return bytes_; }
  const AttributesType* type() const { return type_; }
  template <class A>
  const A& as() const {
    return *reinterpret_cast<const A*>(bytes_);
  }
  template <class A>
  A& as() {
    return *reinterpret_cast<A*>(bytes_);
  }

  bool operator==(const Attributes& other) const;
  size_t hash() const;
  std::string text() const;  // "axis=-1, keepdims=True"; fields at their defaults are left out

 private:
  const AttributesType* type_;
  alignas(16) std::byte bytes_[capacity];
};

std::string field_text(const Field& field, const void* attributes);

}  // namespace ph
