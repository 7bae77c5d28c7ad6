// Shape: up to eight dimensions, held by value.
#pragma once
#include <cstdint>
#include <initializer_list>
#include <ostream>

#include "core/inline.h"

namespace ph {

class Shape {
 public:
  static constexpr int max_rank = 8;

  Shape() = default;
  PH_INLINE Shape(std::initializer_list<int64_t> dims) {
    for (int64_t d : dims) push_back(d);
  }

  PH_INLINE int rank() const { return rank_; }
  PH_INLINE int64_t operator[](int i) const { return dims_[i]; }
  PH_INLINE int64_t& operator[](int i) { return dims_[i]; }
  PH_INLINE const int64_t* begin() const { return dims_; }
  PH_INLINE const int64_t* end() const { return dims_ + rank_; }
  PH_INLINE int64_t back() const { return dims_[rank_ - 1]; }

  // The caller keeps the rank within max_rank; checked_push_back (shape rules) throws instead.
  PH_INLINE void push_back(int64_t dim) { dims_[rank_++] = dim; }
  void checked_push_back(int64_t dim);

  // Number of elements; 1 for rank 0.
  PH_INLINE int64_t size() const { return product(0, rank_); }

  // Product of the dimensions in [begin, end).
  PH_INLINE int64_t product(int begin, int end) const {
    int64_t n = 1;
    for (int i = begin; i < end; ++i) n *= dims_[i];
    return n;
  }

  PH_INLINE bool operator==(const Shape& other) const {
    if (rank_ != other.rank_) return false;
    for (int i = 0; i < rank_; ++i) {
      if (dims_[i] != other.dims_[i]) return false;
    }
    return true;
  }

 private:
  int64_t dims_[max_rank] = {};
  int rank_ = 0;
};

// NumPy's broadcasting of two shapes; `op` is named in the error.
Shape broadcast(const Shape& a, const Shape& b, const char* op);

// Maps an axis in [-rank, rank) to [0, rank); throws naming `op` otherwise.
int normalize_axis(int64_t axis, int rank, const char* op);

// Prints as Python does: (2, 3), (4,), ().
std::ostream& operator<<(std::ostream& out, const Shape& shape);

}  // namespace ph
