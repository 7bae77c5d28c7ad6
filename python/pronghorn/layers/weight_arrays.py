"""The weights of a layer as NumPy arrays: read, set, counted, put into files and taken from them."""

from __future__ import annotations

from typing import Any

import numpy as np

from pronghorn import arguments
from pronghorn.layers.tracking import Tracked


class WeightArrays(Tracked):
    """The methods of a layer that give and take its weights' values."""

    name: str
    built: bool

    def get_weights(self) -> list[np.ndarray]:
        """Return the values of `weights` as NumPy arrays."""
        return [variable.numpy() for variable in self.weights]

    def set_weights(self, weights: list[Any]) -> None:
        """Set the values of `weights`.

        Raises:
            ValueError: if the number of arrays or a shape does not fit.
        """
        variables = self.weights
        if not isinstance(weights, (list, tuple)):
            raise TypeError(f"set_weights: weights must be a list of arrays, got {arguments.shown(weights)}")
        if len(variables) != len(weights):
            raise ValueError(
                f"set_weights: layer {self.name!r} has {len(variables)} weights, got {len(weights)} arrays"
            )
        for variable, value in zip(variables, weights):
            try:
                value = value if hasattr(value, "shape") else np.asarray(value)
            except ValueError:
                raise ValueError(f"set_weights: what came for {variable.path!r} is no array: its rows differ") from None
            if tuple(np.shape(value)) != tuple(variable.shape):
                raise ValueError(
                    f"set_weights: {variable.path!r} has shape {variable.shape}, got an array of {np.shape(value)}"
                )
            variable.assign(value)

    def count_params(self) -> int:
        """Return the number of scalars in the weights.

        Raises:
            ValueError: if the layer is not built.
        """
        if not self.built:
            raise ValueError(f"count_params: layer {self.name!r} is not built; call it or its build() method first")
        return sum(int(np.prod(variable.shape)) for variable in self.weights)

    def save_own_variables(self, store: Any) -> None:
        """Put the layer's own weights, not its sublayers', into a mapping from "0", "1" ... to arrays."""
        for index, variable in enumerate(self._trainable_variables + self._non_trainable_variables):
            store[str(index)] = variable.numpy()

    def load_own_variables(self, store: Any) -> None:
        """Set the layer's own weights from a mapping that `save_own_variables` filled.

        Raises:
            ValueError: if the number of arrays or a shape does not fit.
        """
        variables = self._trainable_variables + self._non_trainable_variables
        if len(store.keys()) != len(variables):
            hint = "" if self.built else " The layer was never built, so it has no weights yet."
            raise ValueError(
                f"layer {self.name!r} has {len(variables)} weights, the file has {len(store.keys())} for it.{hint}"
            )
        for index, variable in enumerate(variables):
            value = np.asarray(store[str(index)])
            if tuple(value.shape) != tuple(variable.shape):
                raise ValueError(f"{variable.path!r} has shape {variable.shape}, the file has {value.shape}")
            variable.assign(value)
