"""Python's operators on tensors, variables and symbolic tensors: each is an op call."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from pronghorn import _core
from pronghorn.ops.elementwise import bitwise_and, bitwise_or, bitwise_xor, left_shift, logical_not, right_shift
from pronghorn.ops.indexing import get_item
from pronghorn.ops.linalg import matmul
from pronghorn.tensor import Tensor

_BINARY: dict[str, Callable[[Any, Any], Any]] = {
    "add": _core.ops.add,
    "sub": _core.ops.subtract,
    "mul": _core.ops.multiply,
    "truediv": _core.ops.divide,
    "floordiv": _core.ops.floor_divide,
    "mod": _core.ops.mod,
    "pow": _core.ops.power,
    "matmul": matmul,
    "and": bitwise_and,
    "or": bitwise_or,
    "xor": bitwise_xor,
    "lshift": left_shift,
    "rshift": right_shift,
}
_COMPARISONS: dict[str, Callable[[Any, Any], Any]] = {
    "lt": _core.ops.less,
    "le": _core.ops.less_equal,
    "gt": _core.ops.greater,
    "ge": _core.ops.greater_equal,
    "eq": _core.ops.equal,
    "ne": _core.ops.not_equal,
}


def _is_foreign(other: Any) -> bool:
    return other is None or isinstance(other, (str, dict, set))


def _operand(self: Any, other: Any) -> Any:
    """What stands beside a tensor in an operator. As in TensorFlow, floating NumPy values take a floating tensor's
    dtype: NumPy makes float64 of nearly everything, which nobody means to spread."""
    if isinstance(other, (np.ndarray, np.generic)) and "float" in self.dtype and "float" in other.dtype.name:
        return _core.ops.cast(_core.convert(other), dtype=self.dtype)
    return other


def _forward(op: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    return lambda self, other: NotImplemented if _is_foreign(other) else op(self, _operand(self, other))


def _reflected(op: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    return lambda self, other: NotImplemented if _is_foreign(other) else op(_operand(self, other), self)


def _invert(self: Any) -> Any:
    return logical_not(self) if self.dtype == "bool" else _core.ops.bitwise_not(self)


def _only_element(tensor: Any, wanted: str) -> Any:
    values = np.asarray(tensor.numpy())
    if values.size != 1:
        raise TypeError(f"{wanted}() needs a tensor with one element, this one has shape {tuple(values.shape)}")
    return values.reshape(()).item()


def _bool(self: Any) -> bool:
    if self.size != 1:
        raise ValueError(
            f"the truth value of a tensor of shape {self.shape} is ambiguous; use ops.any() or ops.all() on it"
        )
    return bool(_only_element(self, "bool"))


def _index(self: Any) -> int:
    if not self.dtype.startswith(("int", "uint")):
        raise TypeError(f"only integer tensors can be used as an index, this one has dtype {self.dtype}")
    return int(_only_element(self, "index"))


def _len(self: Any) -> int:
    if not self.shape:
        raise TypeError("len() of a tensor of rank 0")
    return self.shape[0]


def _iter(self: Any) -> Iterator[Any]:
    if not self.shape:
        raise TypeError("iteration over a tensor of rank 0")
    return (self[i] for i in range(self.shape[0]))


def _format(self: Any, spec: str) -> str:
    return format(_only_element(self, "format"), spec) if spec and self.size == 1 else str(self)


def install(cls: Any) -> None:
    """Give `cls` the operators that need no values: arithmetic, comparisons, indexing."""
    for name, op in _BINARY.items():
        setattr(cls, f"__{name}__", _forward(op))
        setattr(cls, f"__r{name}__", _reflected(op))
    for name, op in _COMPARISONS.items():
        setattr(cls, f"__{name}__", _forward(op))
    cls.__neg__ = lambda self: _core.ops.negative(self)
    cls.__pos__ = lambda self: self
    cls.__abs__ = lambda self: _core.ops.abs(self)
    cls.__invert__ = _invert
    cls.__getitem__ = lambda self, key: get_item(self, key)
    cls.__hash__ = object.__hash__  # by identity, although == compares element by element


def _install_values(cls: Any) -> None:
    cls.__bool__ = _bool
    cls.__float__ = lambda self: float(_only_element(self, "float"))
    cls.__int__ = lambda self: int(_only_element(self, "int"))
    cls.__index__ = _index
    cls.__len__ = _len
    cls.__iter__ = _iter
    cls.__format__ = _format
    cls.item = lambda self: _only_element(self, "item")
    cls.tolist = lambda self: self.numpy().tolist()


for _type in (Tensor, _core.Variable):
    install(_type)
    _install_values(_type)
