// The pieces of the extension module, a file each.
#pragma once
#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include "core/error.h"
#include "core/tensor.h"

namespace ph {

void bind_tensor(pybind11::module_& module);
void bind_ops(pybind11::module_& module);
void bind_graph(pybind11::module_& module);
void bind_program(pybind11::module_& module);
void bind_devices(pybind11::module_& module);
void bind_runtime(pybind11::module_& module);

// Makes an error of the native code the Python exception of its kind.
void set_python_error(const Error& error);

// A tensor from anything array-like: Tensor, Variable, NumPy array, Python number, nested lists. Python floats become
// the default float type and Python integers int32 (int64 where they do not fit); arrays keep their dtype. Throws
// TypeError naming `what` for anything else.
Tensor tensor_from(pybind11::handle object, const char* what);
// The tensor held by a Tensor or Variable; undefined for any other object.
Tensor tensor_held_by(pybind11::handle object);
Tensor tensor_from_array(const pybind11::array& array);
pybind11::array array_from_tensor(const Tensor& tensor);

pybind11::dtype numpy_dtype(DType dtype);
DType dtype_from_numpy(const pybind11::dtype& dtype);

// The dtype Python floats get; set from pronghorn.config.
DType default_float();

}  // namespace ph
