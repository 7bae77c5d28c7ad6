"""Which inputs a layer takes, checked before each call."""

from __future__ import annotations

from typing import Any

from pronghorn import arguments, tree
from pronghorn.layers.shapes import is_shape


class InputSpec:
    """Rank, shape and dtype that an input of a layer must have.

    Args:
        dtype: dtype name, or None for any.
        shape: tuple of int or None (any size), or None for any shape.
        ndim: exact rank.
        max_ndim, min_ndim: bounds of the rank.
        axes: dict from axis to the size it must have.
        allow_last_axis_squeeze: accept inputs with one trailing dimension of size 1 more or less.
        name: key of the input in a dict of inputs.
        optional: whether None is accepted.

    Example:
        >>> import pronghorn as ph
        >>> ph.layers.InputSpec(min_ndim=2, axes={-1: 3})
        InputSpec(min_ndim=2, axes={-1: 3})
    """

    def __init__(
        self,
        dtype: str | None = None,
        shape: Any = None,
        ndim: int | None = None,
        max_ndim: int | None = None,
        min_ndim: int | None = None,
        axes: dict[int, int | None] | None = None,
        allow_last_axis_squeeze: bool = False,
        name: str | None = None,
        optional: bool = False,
    ) -> None:
        self.dtype = dtype
        if shape is not None and not isinstance(shape, (list, tuple)):
            raise TypeError(f"InputSpec: shape must be a tuple of integers and None, got {shape!r}")
        self.shape = None if shape is None else tuple(shape)
        self.ndim = ndim if shape is None else len(shape)
        self.max_ndim = max_ndim
        self.min_ndim = min_ndim
        try:
            self.axes = {int(axis): size for axis, size in (axes or {}).items()}
        except (AttributeError, TypeError, ValueError):
            raise TypeError(f"InputSpec: axes must be a dict with integer keys, got {axes!r}") from None
        self.allow_last_axis_squeeze = allow_last_axis_squeeze
        self.name = name
        self.optional = optional

    def __repr__(self) -> str:
        shown = ("dtype", "shape", "ndim", "max_ndim", "min_ndim", "axes")
        return f"InputSpec({', '.join(f'{k}={getattr(self, k)}' for k in shown if getattr(self, k))})"

    def get_config(self) -> dict[str, Any]:
        """Return the constructor arguments."""
        return {k: getattr(self, k) for k in ("dtype", "shape", "ndim", "max_ndim", "min_ndim", "axes", "optional")}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> InputSpec:
        """Make a spec from `get_config`'s result."""
        return cls(**config)

    def complaint(self, x: Any) -> str | None:
        """Return why a tensor does not fit, or None."""
        if self.dtype is not None and x.dtype != self.dtype:
            return f"expected dtype={self.dtype}, found dtype={x.dtype}"
        return self.shape_complaint(tuple(x.shape))

    def shape_complaint(self, shape: tuple[int | None, ...]) -> str | None:
        """Return why a shape does not fit, or None."""
        rank = len(shape)
        if self.ndim is not None and not self.allow_last_axis_squeeze and rank != self.ndim:
            return f"expected ndim={self.ndim}, found ndim={rank}. Full shape received: {shape}"
        if self.max_ndim is not None and rank > self.max_ndim:
            return f"expected max_ndim={self.max_ndim}, found ndim={rank}. Full shape received: {shape}"
        if self.min_ndim is not None and rank < self.min_ndim:
            return f"expected min_ndim={self.min_ndim}, found ndim={rank}. Full shape received: {shape}"
        for axis, size in self.axes.items():
            if size is not None and (not -rank <= axis < rank or shape[axis] not in (size, None)):
                return f"expected axis {axis} of input shape to have value {size}, but received shape {shape}"
        if self.shape is None:
            return None
        wanted, full = self.shape, shape
        if self.allow_last_axis_squeeze:
            shape = shape[:-1] if shape[-1:] == (1,) else shape
            wanted = wanted[:-1] if wanted[-1:] == (1,) else wanted
        fits = len(wanted) == len(shape) and all(None in (a, b) or a == b for a, b in zip(wanted, shape))
        return None if fits else f"expected shape={self.shape}, found shape={full}"


def check_shape(spec: Any, shape: Any, layer_name: str) -> None:
    """Raise unless a shape fits the spec of a layer; where there are several specs, calls are checked only.

    Raises:
        ValueError: naming the layer, what was expected and what came.
    """
    if not isinstance(spec, InputSpec):
        return
    if not is_shape(shape):
        raise ValueError(
            f"layer {layer_name!r}: input_shape must be a tuple of integers and None, got {arguments.shown(shape)}"
        )
    complaint = spec.shape_complaint(tuple(shape))
    if complaint is not None:
        raise ValueError(f"input_shape of layer {layer_name!r} is incompatible with the layer: {complaint}")


def check_inputs(specs: Any, inputs: Any, layer_name: str) -> None:
    """Raise unless the inputs of a layer fit its specs.

    Args:
        specs: None, an `InputSpec`, or a structure of them.
        inputs: a tensor or a structure of them.
        layer_name: for the message.

    Raises:
        ValueError: naming the layer, the input, what was expected and what came.
    """
    if specs is None:
        return
    wanted = tree.flatten(specs)
    if isinstance(inputs, dict) and all(spec is not None and spec.name for spec in wanted):
        missing = [spec.name for spec in wanted if spec.name not in inputs]
        if missing:
            raise ValueError(f"layer {layer_name!r}: inputs lack the keys {missing}, got the keys {sorted(inputs)}")
        inputs = [inputs[spec.name] for spec in wanted]
    given = tree.flatten(inputs)
    if len(given) != len(wanted):
        raise ValueError(f"layer {layer_name!r} expects {len(wanted)} input(s), but it received {len(given)}: {inputs}")
    for index, (x, spec) in enumerate(zip(given, wanted)):
        if spec is None or (x is None and spec.optional):
            continue
        if not hasattr(x, "shape"):
            raise ValueError(f"inputs to a layer should be tensors; layer {layer_name!r} got {x!r} of type {type(x)}")
        complaint = spec.complaint(x)
        if complaint is not None:
            name = "" if spec.name is None else f" with name {spec.name!r}"
            raise ValueError(f"input {index}{name} of layer {layer_name!r} is incompatible with the layer: {complaint}")
