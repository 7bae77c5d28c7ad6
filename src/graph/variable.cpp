#include "core/variable.h"

#include "graph/graph.h"
#include "graph/tape.h"
#include "ops/cast.h"

namespace ph {

std::optional<DType>& autocast_dtype() {
  thread_local std::optional<DType> dtype;
  return dtype;
}

DType Variable::seen_dtype() const {
  const std::optional<DType> wanted = autocast_dtype();
  return wanted && autocast && is_float(spec().dtype) ? *wanted : spec().dtype;
}

Tensor Variable::seen() {
  const Tensor value = read();
  return value.dtype() == seen_dtype() ? value : cast(value, seen_dtype());
}

Tensor Variable::read() {
  const auto self = shared_from_this();
  const Tensor value = current_graph() ? current_graph()->read(self) : value_;
  for (Tape* tape : active_tapes()) tape->saw_read(self, value);
  return value;
}

void Variable::assign(const Tensor& value) {
  PH_CHECK(value.shape() == spec().shape, "assign: variable '", name, "' has shape ", spec().shape,
           ", the value has shape ", value.shape());
  PH_CHECK_TYPE(value.dtype() == spec().dtype, "assign: variable '", name, "' has dtype ", spec().dtype,
                ", the value has dtype ", value.dtype());
  if (current_graph()) {
    current_graph()->assign(shared_from_this(), value);
  } else {
    PH_CHECK(!value.is_traced(), "assign: variable '", name, "' was given a traced tensor outside its trace");
    value_ = value.on(value_.device());
  }
}

}  // namespace ph
