// Division by multiplication against the hardware's division, where the two could differ.
#include "cases.h"
#include "cuda/divide.h"

using ph::cuda::Divider;

// The numbers around the powers of two and of three.
static std::vector<int64_t> edge_numbers() {
  std::vector<int64_t> numbers;
  const auto add_around = [&](int64_t n) {
    for (int64_t away = -2; away <= 2; ++away) {
      if (away <= 0 ? n + away >= 0 : n <= INT64_MAX - away) numbers.push_back(n + away);
    }
  };
  for (int bit = 0; bit < 63; ++bit) add_around(int64_t{1} << bit);
  for (int64_t power = 3; power <= INT64_MAX / 3; power *= 3) add_around(power);
  add_around(INT64_MAX);
  return numbers;
}

// For each divisor: every number, the multiple of the divisor at or below it, and that less one.
__global__ void divide_kernel(const Divider* divisors, int divisor_count, const int64_t* numbers, int count,
                              int* wrong) {
  const int at = static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x);
  if (at >= divisor_count) return;
  const Divider by = divisors[at];
  const int64_t d = by.divisor();
  int found = 0;
  for (int i = 0; i < count; ++i) {
    const int64_t n = numbers[i], multiple = n / d * d;
    found += by.divide(n) != n / d;
    found += by.divide(multiple) != n / d;
    if (multiple > 0) found += by.divide(multiple - 1) != n / d - 1;
  }
  wrong[at] = found;
}

// Prints how many divisors there are and how many wrong quotients.
static void check_quotients(const std::vector<int64_t>& divisors, const std::vector<int64_t>& numbers) {
  std::vector<Divider> made;
  for (const int64_t d : divisors) made.push_back(Divider(d));
  const int count = static_cast<int>(made.size());
  Array<Divider> by(made);
  Array<int64_t> n(numbers);
  Array<int> wrong(std::vector<int>(made.size(), -1));
  PH_LAUNCH(divide_kernel, (made.size() + 63) / 64, 64, 0, nullptr, by.data, count, n.data,
            static_cast<int>(numbers.size()), wrong.data);
  int all = 0;
  for (const int each : wrong.values()) all += each;
  print(std::vector<int>{count, all});
}

CASE(quotients_of_all_small_numbers) {
  std::vector<int64_t> divisors, numbers;
  for (int64_t d = 1; d <= 130; ++d) divisors.push_back(d);
  for (int64_t n = 0; n <= 400; ++n) numbers.push_back(n);
  check_quotients(divisors, numbers);
}

CASE(quotients_of_edge_numbers) {
  const std::vector<int64_t> numbers = edge_numbers();
  std::vector<int64_t> divisors;
  for (const int64_t d : numbers) {
    if (d > 0) divisors.push_back(d);
  }
  check_quotients(divisors, numbers);
}

// Its length is taken as 1.
CASE(quotients_by_an_empty_axis) { check_quotients({0}, {0, 7}); }
