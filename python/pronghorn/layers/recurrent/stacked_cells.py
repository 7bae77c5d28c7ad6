"""StackedRNNCells: cells one on top of another, as one cell."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pronghorn import arguments, tree
from pronghorn.layers.layer import Layer
from pronghorn.layers.recurrent.any_cell import call_cell, check_cell, initial_state, output_size, run_cell
from pronghorn.layers.shapes import is_shape
from pronghorn.saving.serialization import deserialize_keras_object, serialize_keras_object


class StackedRNNCells(Layer):
    """A cell made of cells, each of which gets the outputs of the one before as its inputs.

    Args:
        cells: list of cells.

    Its state is the list of the cells' states. It is called on the inputs of a step and such a list, and returns the
    outputs of the last cell and the list of the next states.

    Raises:
        ValueError: if there is none, or one of them is no cell.

    Example:
        >>> import pronghorn as ph
        >>> cells = [ph.layers.LSTMCell(8), ph.layers.GRUCell(4)]
        >>> ph.layers.RNN(ph.layers.StackedRNNCells(cells))(ph.ops.ones((2, 10, 3))).shape
        (2, 4)
    """

    def __init__(self, cells: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        given = arguments.list_of(cells, "StackedRNNCells: cells")
        if not given:
            raise ValueError("StackedRNNCells: cells must not be empty")
        for cell in given:
            check_cell(cell, "StackedRNNCells: each of cells")
        self.cells = given

    @property
    def state_size(self) -> list[Any]:
        """The cells' state sizes."""
        return [cell.state_size for cell in self.cells]

    @property
    def output_size(self) -> int:
        """The size of the last cell's outputs."""
        return output_size(self.cells[-1])

    def get_initial_state(self, batch_size: int | None = None) -> list[Any]:
        """Return the list of the cells' states for the first step of `batch_size` sequences."""
        return [initial_state(cell, batch_size, self.compute_dtype) for cell in self.cells]

    def build(self, input_shape: Any) -> None:
        if not is_shape(input_shape) or not input_shape:
            raise ValueError(f"layer {self.name!r}: inputs must have shape (batch, ...), got shape {input_shape}")
        for cell in self.cells:
            if isinstance(cell, Layer) and not cell.built:
                cell.build(input_shape)
                cell.built = True
            input_shape = (input_shape[0], output_size(cell))

    def call(self, inputs: Any, states: Any, training: bool | None = False, **kwargs: Any) -> Any:
        if not isinstance(states, (list, tuple)) or len(states) != len(self.cells):
            raise ValueError(
                f"layer {self.name!r}: states must be a list of {len(self.cells)}, one for each cell, "
                f"got {arguments.shown(states)}"
            )

        def run(index: int, x: Any, own: list[Any]) -> tuple[Any, list[Any]]:
            return call_cell(self.cells[index], x, own, training, **kwargs)

        return self._through(inputs, states, run)

    def run_sequence(
        self, sequences: Any, states: list[Any], mask: Any, training: bool | None, last_only: bool
    ) -> tuple[Any, list[Any]]:
        """Take one cell after the other through whole sequences; arguments and results are those of `steps.unrolled`.

        What a masked step gives to the next cell is of no account, as that cell's step is masked too.
        """
        last = len(self.cells) - 1

        def run(index: int, inputs: Any, own: list[Any]) -> tuple[Any, list[Any]]:
            return run_cell(self.cells[index], inputs, own, mask, training, last_only and index == last)

        return self._through(sequences, states, run)

    def _through(self, inputs: Any, states: Any, run: Callable[..., tuple[Any, list[Any]]]) -> tuple[Any, list[Any]]:
        following = []
        for index, own in enumerate(states):
            nested = tree.is_nested(own)
            inputs, after = run(index, inputs, list(own) if nested else [own])
            following.append(after if nested else after[0])
        return inputs, following

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "cells": [serialize_keras_object(cell) for cell in self.cells]}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: dict[str, Any] | None = None) -> Any:
        config = arguments.config_of(config, cls.__name__)
        return cls([deserialize_keras_object(cell, custom_objects) for cell in config.pop("cells")], **config)
