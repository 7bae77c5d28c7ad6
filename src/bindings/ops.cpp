// Bindings of all ops: a loop over the op table. Each op becomes a function of the submodule `ops` whose positional and
// keyword arguments are its inputs followed by its attributes.
#include <algorithm>
#include <cstring>

#include "bindings/bindings.h"
#include "core/apply.h"
#include "ops/cast.h"
#include "ops/elementwise.h"

namespace py = pybind11;

namespace ph {

namespace {

// What handles op calls on symbolic tensors (the functional API); set by pronghorn.symbolic.
struct SymbolicHandler {
  PyObject* type = nullptr;
  PyObject* record = nullptr;
};
SymbolicHandler symbolic;

bool is_symbolic(PyObject* object) {
  if (!symbolic.type) return false;
  if (PyList_Check(object) || PyTuple_Check(object)) {
    for (Py_ssize_t i = 0; i < PySequence_Fast_GET_SIZE(object); ++i) {
      if (is_symbolic(PySequence_Fast_GET_ITEM(object, i))) return true;
    }
    return false;
  }
  return PyObject_IsInstance(object, symbolic.type) == 1;
}

// Arguments of a call by position in (inputs..., attributes...); nullptr where left out.
std::vector<PyObject*> match_arguments(const Op& op, PyObject* const* args, Py_ssize_t count, PyObject* names) {
  const size_t inputs = op.inputs.size(), fields = static_cast<size_t>(op.attributes->fields.count);
  std::vector<PyObject*> matched(inputs + fields, nullptr);
  if (static_cast<size_t>(count) > matched.size()) {
    throw TypeError(concat(op.name, "() takes at most ", matched.size(), " arguments, got ", count));
  }
  std::copy(args, args + count, matched.begin());
  const Py_ssize_t keywords = names ? PyTuple_GET_SIZE(names) : 0;
  for (Py_ssize_t k = 0; k < keywords; ++k) {
    const std::string name = PyUnicode_AsUTF8(PyTuple_GET_ITEM(names, k));
    size_t at = std::find(op.inputs.begin(), op.inputs.end(), name) - op.inputs.begin();
    if (at == inputs) {
      const Field* begin = op.attributes->fields.fields;
      const Field* end = begin + fields;
      const Field* found = std::find_if(begin, end, [&](const Field& field) { return name == field.name; });
      if (found == end) throw TypeError(concat(op.name, "() has no argument `", name, "`"));
      at += static_cast<size_t>(found - begin);
    }
    if (matched[at]) throw TypeError(concat(op.name, "() got two values for argument `", name, "`"));
    matched[at] = args[count + k];
  }
  return matched;
}

[[noreturn]] void bad_attribute(const Op& op, const Field& field, PyObject* value, const char* wanted) {
  throw TypeError(concat(op.name, "(): argument `", field.name, "` must be ", wanted, ", got ",
                         std::string(py::repr(py::handle(value)))));
}

int64_t integer_from(const Op& op, const Field& field, PyObject* value, const char* wanted) {
  if (PyBool_Check(value) || !PyIndex_Check(value)) bad_attribute(op, field, value, wanted);
  const int64_t out = PyNumber_AsSsize_t(value, PyExc_OverflowError);
  if (out == -1 && PyErr_Occurred()) {
    PyErr_Clear();
    bad_attribute(op, field, value, wanted);
  }
  return out;
}

void set_attribute(const Op& op, const Field& field, void* attributes, PyObject* value) {
  char* at = static_cast<char*>(attributes) + field.offset;
  const auto put = [&](const auto& typed) { std::memcpy(at, &typed, sizeof(typed)); };
  switch (field.kind) {
    case FieldKind::boolean: {
      const int truth = PyBool_Check(value) || PyIndex_Check(value) ? PyObject_IsTrue(value) : -1;
      if (truth < 0) bad_attribute(op, field, value, "a bool");
      put(truth == 1);
      return;
    }
    case FieldKind::integer:
      put(integer_from(op, field, value, "an integer"));
      return;
    case FieldKind::real: {
      const double real = PyFloat_AsDouble(value);
      if (real == -1 && PyErr_Occurred()) {
        PyErr_Clear();
        bad_attribute(op, field, value, "a number");
      }
      put(real);
      return;
    }
    case FieldKind::dtype:
      if (!PyUnicode_Check(value)) bad_attribute(op, field, value, "a dtype name");
      put(dtype_from_name(PyUnicode_AsUTF8(value)));
      return;
    case FieldKind::choice: {
      const int32_t choice = PyUnicode_Check(value) ? find_choice(field.choices, PyUnicode_AsUTF8(value)) : -1;
      if (choice >= 0) {
        put(choice);
        return;
      }
      std::string known;
      for (int32_t i = 0; field.choices[i]; ++i) {
        known += concat(i ? ", '" : "one of '", field.choices[i], "'");
      }
      bad_attribute(op, field, value, known.c_str());
    }
    case FieldKind::integers: {
      IntList list;
      if (PyIndex_Check(value)) {
        list.push_back(integer_from(op, field, value, "integers"));
      } else {
        if (!PySequence_Check(value) || PyUnicode_Check(value))
          bad_attribute(op, field, value, "a sequence of integers");
        const py::sequence items = py::reinterpret_borrow<py::sequence>(value);
        for (const py::handle item : items) {
          list.push_back(integer_from(op, field, item.ptr(), "a sequence of integers"));
        }
      }
      put(list);
      return;
    }
    case FieldKind::bytes:
      bad_attribute(op, field, value, "left out: it is set by graph passes");
  }
}

// NumPy's float64 scalars, what np.sqrt(2.0) gives, are Python floats too.
bool is_python_number(PyObject* object) { return PyFloat_Check(object) || PyLong_CheckExact(object); }

// The dtype all inputs of a promoting op are brought to. Python numbers follow the tensors (a float raises integers to
// the default float).
DType common_dtype(const Op& op, const Tensors& inputs, const std::vector<PyObject*>& objects, size_t first) {
  bool found = false, python_float = false;
  DType common = DType::bool_;
  for (size_t i = first; i < inputs.size(); ++i) {
    if (is_python_number(objects[i])) {
      python_float = python_float || PyFloat_Check(objects[i]);
      continue;
    }
    common = found ? promote(common, inputs[i].dtype()) : inputs[i].dtype();
    found = true;
  }
  if (!found) {
    for (size_t i = first; i < inputs.size(); ++i) common = promote(common, inputs[i].dtype());
  } else {
    if (python_float && !is_float(common)) common = default_float();
    if (common == DType::bool_ && !python_float) {
      for (size_t i = first; i < inputs.size(); ++i) common = promote(common, inputs[i].dtype());
    }
  }
  return op.traits.float_input && !is_float(common) ? default_float() : common;
}

enum class Accepts { numbers, anything, booleans };

Accepts accepted_by(const char* name) {
  static const std::vector<std::pair<std::string_view, ElementwiseClass>> classes = {
#define PH_ELEMENTWISE(op_name, arity, cls, slope) {#op_name, ElementwiseClass::cls},
#include "ops/elementwise.def"
#undef PH_ELEMENTWISE
  };
  for (const auto& [each, cls] : classes) {
    if (each != name) continue;
    if (cls == ElementwiseClass::logical) return Accepts::booleans;
    return cls == ElementwiseClass::arithmetic ? Accepts::numbers : Accepts::anything;
  }
  return Accepts::anything;
}

Tensor as_boolean(const Tensor& x) {
  return x.dtype() == DType::bool_ ? x : not_equal(x, Tensor::scalar(0, x.dtype()));
}

// A Python number straight into `dtype`, so that no precision is lost on the way.
Tensor number_as(PyObject* object, const Tensor& converted, DType dtype) {
  if (converted.dtype() == dtype) return converted;
  if (PyFloat_Check(object)) return Tensor::scalar(PyFloat_AS_DOUBLE(object), dtype);
  const int64_t exact = PyLong_AsLongLong(object);
  if (exact == -1 && PyErr_Occurred()) {
    PyErr_Clear();
    return cast(converted, dtype);
  }
  if (dtype == DType::int64) return Tensor::from_host({Shape{}, dtype}, &exact);
  return Tensor::scalar(static_cast<double>(exact), dtype);
}

void promote_inputs(const Op& op, Tensors& inputs, const std::vector<PyObject*>& objects) {
  const Accepts accepts = op.traits.elementwise ? accepted_by(op.name) : Accepts::anything;
  if (accepts == Accepts::booleans) {
    for (Tensor& input : inputs) input = as_boolean(input);
    return;
  }
  const size_t first = op.traits.elementwise && op.inputs.size() == 3 ? 1 : 0;  // select's condition stands apart
  if (first) inputs[0] = as_boolean(inputs[0]);
  DType common = common_dtype(op, inputs, objects, first);
  if (accepts == Accepts::numbers && common == DType::bool_) common = DType::int32;
  for (size_t i = first; i < inputs.size(); ++i) {
    if (inputs[i].dtype() == common) continue;
    inputs[i] = is_python_number(objects[i]) ? number_as(objects[i], inputs[i], common) : cast(inputs[i], common);
  }
}

PyObject* call_op(const Op& op, PyObject* const* args, Py_ssize_t count, PyObject* names) {
  const auto matched = match_arguments(op, args, count, names);
  const size_t input_count = op.inputs.size();

  std::vector<PyObject*> objects;
  py::object sequence;  // keeps the items of a variadic input alive
  if (op.variadic) {
    if (!matched[0] || !PySequence_Check(matched[0]) || PyUnicode_Check(matched[0])) {
      throw TypeError(concat(op.name, "(): argument `", op.inputs[0], "` must be a sequence of tensors"));
    }
    sequence = py::reinterpret_steal<py::object>(PySequence_Fast(matched[0], "not a sequence"));
    if (!sequence) throw py::error_already_set();
    for (Py_ssize_t i = 0; i < PySequence_Fast_GET_SIZE(sequence.ptr()); ++i) {
      objects.push_back(PySequence_Fast_GET_ITEM(sequence.ptr(), i));
    }
    PH_CHECK(!objects.empty(), op.name, "(): argument `", op.inputs[0], "` is empty");
  } else {
    for (size_t i = 0; i < input_count; ++i) {
      const bool given = matched[i] && matched[i] != Py_None;
      if (!given && static_cast<int>(i) < op.required_inputs) {
        throw TypeError(concat(op.name, "() is missing argument `", op.inputs[i], "`"));
      }
      if (given && objects.size() < i) {
        throw TypeError(
            concat(op.name, "(): argument `", op.inputs[i], "` was given but not `", op.inputs[objects.size()], "`"));
      }
      if (given) objects.push_back(matched[i]);
    }
  }

  for (PyObject* object : objects) {
    if (py::isinstance<Tensor>(object) || !is_symbolic(object)) continue;
    py::tuple positional(count);
    for (Py_ssize_t i = 0; i < count; ++i) positional[i] = py::reinterpret_borrow<py::object>(args[i]);
    py::dict keywords;
    for (Py_ssize_t k = 0; names && k < PyTuple_GET_SIZE(names); ++k) {
      keywords[PyTuple_GET_ITEM(names, k)] = py::reinterpret_borrow<py::object>(args[count + k]);
    }
    return py::reinterpret_borrow<py::object>(symbolic.record)(op.name, positional, keywords).release().ptr();
  }

  Tensors inputs;
  for (size_t i = 0; i < objects.size(); ++i) inputs.push_back(tensor_from(objects[i], op.name));
  if (op.traits.promotes) promote_inputs(op, inputs, objects);

  Attributes attributes(op.attributes);
  for (int f = 0; f < op.attributes->fields.count; ++f) {
    PyObject* value = matched[input_count + f];
    if (value) set_attribute(op, op.attributes->fields.fields[f], attributes.data(), value);
  }
  Tensors outputs = apply(op, inputs, attributes);
  if (outputs.size() == 1) return py::cast(std::move(outputs[0])).release().ptr();
  py::tuple results(outputs.size());
  for (size_t i = 0; i < outputs.size(); ++i) results[i] = py::cast(std::move(outputs[i]));
  return results.release().ptr();
}

// One C function serves every op; `self` is a capsule with the Op.
PyObject* call(PyObject* self, PyObject* const* args, Py_ssize_t count, PyObject* names) {
  try {
    return call_op(*static_cast<const Op*>(PyCapsule_GetPointer(self, nullptr)), args, count, names);
  } catch (py::error_already_set& error) {
    error.restore();
  } catch (const Error& error) {
    set_python_error(error);
  } catch (const std::bad_alloc&) {
    PyErr_NoMemory();
  } catch (const std::exception& error) {
    PyErr_SetString(PyExc_RuntimeError, error.what());
  }
  return nullptr;
}

// "softmax(x, axis=-1)\n--\n\n": the form from which inspect.signature reads it.
std::string signature_of(const Op& op) {
  std::string text = std::string(op.name) + "($module, ";
  for (size_t i = 0; i < op.inputs.size(); ++i) {
    text += (i ? ", " : "") + op.inputs[i] + (static_cast<int>(i) < op.required_inputs ? "" : "=None");
  }
  const Attributes defaults(op.attributes);
  for (int f = 0; f < op.attributes->fields.count; ++f) {
    const Field& field = op.attributes->fields.fields[f];
    std::string value = field_text(field, defaults.data());
    if (field.kind == FieldKind::bytes) value = "None";
    text += std::string(text.ends_with("$module, ") ? "" : ", ") + field.name + "=" + value;
  }
  return text + ")\n--\n\n";
}

}  // namespace

void bind_ops(py::module_& module) {
  py::module_ ops = module.def_submodule("ops", "One function per entry of the op table.");
  for (const Op* op : all_ops()) {
    // method definitions live as long as the process
    auto* doc = new std::string(signature_of(*op));
    auto* definition = new PyMethodDef{op->name, reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(call)),
                                       METH_FASTCALL | METH_KEYWORDS, doc->c_str()};
    const py::capsule self(const_cast<Op*>(op), static_cast<const char*>(nullptr));
    ops.add_object(op->name, py::reinterpret_steal<py::object>(PyCFunction_NewEx(definition, self.ptr(), nullptr)));
  }
  module.def("set_symbolic_handler", [](py::object type, py::object record) {
    symbolic = {type.release().ptr(), record.release().ptr()};
  });
  module.def(
      "holds_symbolic",
      [](const py::args& args, const py::kwargs& kwargs) {
        if (!symbolic.type) return false;
        for (const py::handle arg : args) {
          if (is_symbolic(arg.ptr())) return true;
        }
        for (const auto& item : kwargs) {
          if (is_symbolic(item.second.ptr())) return true;
        }
        return false;
      },
      "Whether a symbolic tensor is among the arguments or in a list or tuple among them.");
  module.def(
      "record_symbolic",
      [](const char* name, const py::tuple& args, const py::dict& kwargs) {
        return py::reinterpret_borrow<py::object>(symbolic.record)(name, args, kwargs);
      },
      "Records a call of the op `name` on symbolic tensors.");
  module.def(
      "op_table",
      [] {
        py::list table;
        for (const Op* op : all_ops()) {
          py::dict entry;
          entry["name"] = op->name;
          entry["inputs"] = py::cast(op->inputs);
          entry["has_gradient"] = op->gradient != nullptr;
          entry["no_gradient_reason"] =
              op->no_gradient_reason ? py::object(py::str(op->no_gradient_reason)) : py::none();
          entry["variadic"] = op->variadic;
          entry["is_view"] = op->traits.view;
          entry["decomposes"] = op->traits.decompose != nullptr;
          py::list variants;
          for (const Kernel& kernel : kernels_of(*op, *current_device())) variants.append(kernel.variant);
          entry["kernels"] = variants;
          table.append(entry);
        }
        return table;
      },
      "Everything the op table knows, for tests and documentation.");
}

}  // namespace ph
