"""Case: a layer called once, by real Keras for a recording and here for the comparison."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

# a layer, as (class name, arguments), or a function of the library
Inner = tuple[str, dict[str, Any]] | Callable[[Any], Any]


def _made(inner: Any, library: Any) -> Any:
    if isinstance(inner, list):
        return [_made(each, library) for each in inner]
    return inner(library) if callable(inner) else getattr(library.layers, inner[0])(**inner[1])


def _named(inner: Any) -> str:
    if isinstance(inner, list):
        return f"[{', '.join(map(_named, inner))}]"
    return inner.__name__ if callable(inner) else f"{inner[0]}({inner[1]})"


def _plain(value: Any) -> Any:
    return [_plain(each) for each in value] if isinstance(value, list) else np.asarray(value).tolist()


def leaves(structure: Any) -> list[Any]:
    """The leaves of nested lists and tuples."""
    if not isinstance(structure, (list, tuple)):
        return [structure]
    return [leaf for each in structure for leaf in leaves(each)]


@dataclass(frozen=True)
class Case:
    """One layer called once: inputs, weights and the factors of its outputs are drawn from fixed seeds.

    Attributes:
        layer: class name.
        shapes: shape of the input, or a list of shapes for a layer of several inputs.
        settings: constructor arguments; `backward_layer` is given like `inner`.
        dtype: dtype of the inputs.
        call: keyword arguments of the call.
        inner: layer that the layer wraps, or a list of them.
    """

    layer: str
    shapes: Any
    settings: dict[str, Any] = field(default_factory=dict)
    dtype: str = "float32"
    call: dict[str, Any] = field(default_factory=dict)
    inner: Inner | list[Inner] | None = None

    @property
    def id(self) -> str:
        """What the recording is filed under."""
        options = [f"{key}={getattr(value, '__name__', value)}" for key, value in self.settings.items()]
        inner = [] if self.inner is None else [_named(self.inner)]
        called = "".join(f", {key}={_plain(value)}" for key, value in self.call.items())
        return f"{self.layer}({', '.join(inner + options)}) of {self.shapes}{called}".replace("'", "")

    def make(self, library: Any) -> Any:
        """The layer of a library with Keras's names."""
        wrapped = [] if self.inner is None else [_made(self.inner, library)]
        settings = {"name": "layer", **self.settings}
        if "backward_layer" in settings:
            settings["backward_layer"] = _made(settings["backward_layer"], library)
        return getattr(library.layers, self.layer)(*wrapped, **settings)

    def arguments(self, library: Any) -> dict[str, Any]:
        """Keyword arguments of the call, arrays as tensors."""

        def tensors(value: Any) -> Any:
            if isinstance(value, list):
                return [tensors(each) for each in value]
            return library.ops.convert_to_tensor(value) if isinstance(value, np.ndarray) else value

        return {key: tensors(value) for key, value in self.call.items()}

    @property
    def states(self) -> str | None:
        """The argument of the call that holds states, if there is one."""
        return next((name for name in ("states", "initial_state") if name in self.call), None)

    @property
    def inputs(self) -> list[np.ndarray]:
        """The inputs, in a list even if there is but one."""
        shapes = self.shapes if isinstance(self.shapes, list) else [self.shapes]
        generator = np.random.default_rng(1)
        if self.dtype.startswith("int"):
            return [generator.integers(0, 3, shape).astype(self.dtype) for shape in shapes]
        return [generator.normal(size=shape).astype(self.dtype) for shape in shapes]

    def joined(self, inputs: list[Any]) -> Any:
        """The inputs in the form that the layer takes."""
        return inputs if isinstance(self.shapes, list) else inputs[0]


def weight_values(layer: Any) -> list[np.ndarray]:
    """Values for the weights of a built layer: normal, and positive for variances."""
    generator = np.random.default_rng(2)
    drawn = [(v.path, generator.normal(scale=0.5, size=v.shape).astype("float32")) for v in layer.weights]
    return [np.abs(value) + 0.5 if path.endswith("variance") else value for path, value in drawn]


def weighted_sum(library: Any, outputs: Any) -> Any:
    """The sum of all outputs, each number with a factor of its own, so that every gradient is different."""
    total = 0
    for index, x in enumerate(leaves(outputs)):
        factors = np.random.default_rng(3 + index).normal(size=tuple(x.shape)).astype("float32")
        total = total + library.ops.sum(x * factors)
    return total


def shapes_of(outputs: Any) -> Any:
    """The shapes of outputs, in their nested form, as JSON has it."""
    if isinstance(outputs, (list, tuple)):
        return [shapes_of(each) for each in outputs]
    return list(outputs.shape)


def plain_config(layer: Any) -> Any:
    """A layer's config as JSON has it, without seeds."""
    return json.loads(json.dumps(layer.get_config()))
