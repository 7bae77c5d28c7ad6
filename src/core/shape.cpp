#include "core/shape.h"

#include <algorithm>

#include "core/error.h"

namespace ph {

void Shape::checked_push_back(int64_t dim) {
  PH_CHECK(rank_ < max_rank, "a tensor has at most ", max_rank, " dimensions");
  push_back(dim);
}

Shape broadcast(const Shape& a, const Shape& b, const char* op) {
  Shape out;
  const int rank = std::max(a.rank(), b.rank());
  for (int i = 0; i < rank; ++i) {
    const int from_a = i - (rank - a.rank()), from_b = i - (rank - b.rank());
    const int64_t da = from_a < 0 ? 1 : a[from_a], db = from_b < 0 ? 1 : b[from_b];
    PH_CHECK(da == db || da == 1 || db == 1, op, ": shapes ", a, " and ", b, " do not broadcast together");
    out.push_back(da == 1 ? db : da);
  }
  return out;
}

int normalize_axis(int64_t axis, int rank, const char* op) {
  PH_CHECK(axis >= -rank && axis < rank, op, ": axis ", axis, " is out of range for a tensor of rank ", rank);
  return static_cast<int>(axis < 0 ? axis + rank : axis);
}

std::ostream& operator<<(std::ostream& out, const Shape& shape) {
  out << "(";
  for (int i = 0; i < shape.rank(); ++i) out << (i ? ", " : "") << shape[i];
  return out << (shape.rank() == 1 ? ",)" : ")");
}

}  // namespace ph
