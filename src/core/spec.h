// Spec: what is known of a tensor before it exists. View: a spec with an address, what kernels see.
#pragma once
#include <ostream>
#include <vector>

#include "core/dtype.h"
#include "core/shape.h"

namespace ph {

struct Spec {
  Shape shape;
  DType dtype = DType::float32;

  PH_INLINE size_t bytes() const { return static_cast<size_t>(shape.size()) * size_of(dtype); }
  PH_INLINE bool operator==(const Spec& other) const { return dtype == other.dtype && shape == other.shape; }
};

using Specs = std::vector<Spec>;

inline std::ostream& operator<<(std::ostream& out, const Spec& spec) { return out << spec.dtype << spec.shape; }

struct View {
  void* data = nullptr;
  Shape shape;
  DType dtype = DType::float32;

  template <class T>
  PH_INLINE T* as() const {
    return static_cast<T*>(data);
  }
  PH_INLINE int64_t size() const { return shape.size(); }
};

// A read-only list of N things, for code that must not instantiate standard templates (see inline.h).
template <class T>
struct List {
  const T* items = nullptr;
  int count = 0;

  PH_INLINE int size() const { return count; }
  PH_INLINE const T& operator[](int i) const { return items[i]; }
  PH_INLINE const T* begin() const { return items; }
  PH_INLINE const T* end() const { return items + count; }
};

using SpecSpan = List<Spec>;

inline SpecSpan span_of(const Specs& specs) { return {specs.data(), static_cast<int>(specs.size())}; }

}  // namespace ph
