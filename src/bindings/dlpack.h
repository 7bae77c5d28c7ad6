// DLPack: sharing memory with other libraries. The structures are those of the DLPack specification, version 0.8.
#pragma once
#include <pybind11/pybind11.h>

#include "core/tensor.h"

namespace ph {

pybind11::tuple dlpack_device(const Tensor& tensor);
pybind11::capsule to_dlpack(const Tensor& tensor);
Tensor from_dlpack(pybind11::object exporter);

}  // namespace ph
