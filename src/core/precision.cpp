#include "core/precision.h"

#include <atomic>

namespace ph {

namespace {
std::atomic<Precision> chosen{Precision::high};
}

Precision matmul_precision() { return chosen.load(std::memory_order_relaxed); }
void set_matmul_precision(Precision precision) { chosen.store(precision, std::memory_order_relaxed); }

}  // namespace ph
