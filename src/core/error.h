// Errors that reach the Python user: Error becomes ValueError, the others their namesakes.
#pragma once
#include <cstdint>
#include <sstream>
#include <stdexcept>
#include <string>

namespace ph {

struct Error : std::runtime_error {
  using std::runtime_error::runtime_error;
};
struct TypeError : Error {
  using Error::Error;
};
struct IndexError : Error {
  using Error::Error;
};
struct MemoryError : Error {
  using Error::Error;
};

template <class... Parts>
std::string concat(const Parts&... parts) {
  std::ostringstream out;
  (out << ... << parts);
  return out.str();
}

// For kernels, whose files must not instantiate standard templates.
[[noreturn]] void fail_index(const char* op, int64_t index, int64_t size);
[[noreturn]] void fail_label(const char* op, int64_t label, int64_t classes);

// Messages name the op, the argument, what came and what was wanted.
#define PH_FAIL(...) throw ::ph::Error(::ph::concat(__VA_ARGS__))
#define PH_CHECK(condition, ...)            \
  do {                                      \
    if (!(condition)) PH_FAIL(__VA_ARGS__); \
  } while (0)
#define PH_CHECK_TYPE(condition, ...)                                   \
  do {                                                                  \
    if (!(condition)) throw ::ph::TypeError(::ph::concat(__VA_ARGS__)); \
  } while (0)

}  // namespace ph
