"""What SimpleRNN, LSTM and GRU have in common: a layer made with the arguments of its cell."""

from __future__ import annotations

from typing import Any

from pronghorn.arguments import config_of
from pronghorn.layers.layer_config import attribute_config
from pronghorn.layers.recurrent.cell import RecurrentCell
from pronghorn.layers.recurrent.rnn import RNN
from pronghorn.naming import to_snake_case

_OF_THE_LAYER = (
    *("return_sequences", "return_state", "go_backwards", "stateful", "unroll", "zero_output_for_mask"),
    "activity_regularizer",
)


def of_cell(name: str) -> Any:
    """Return a read-only property that is the cell's attribute of that name."""
    return property(lambda layer: getattr(layer.cell, name), doc=f"The cell's `{name}`.")


def checked_use_cudnn(value: Any) -> Any:
    """Return `value` if it is "auto" or a bool.

    Raises:
        ValueError: otherwise.
    """
    if value != "auto" and not isinstance(value, bool):
        raise ValueError(f"use_cudnn must be 'auto', True or False, got {value!r}")
    return value


class CellLayer(RNN):
    """An RNN around a cell that it makes itself.

    Args:
        cell: class of the cell.
        arguments: those of the layer and of the cell.
        others: further keyword arguments, of any `RNN`.
    """

    cell: RecurrentCell

    def __init__(self, cell: type[RecurrentCell], arguments: dict[str, Any], others: dict[str, Any]) -> None:
        own = {name: arguments.pop(name) for name in _OF_THE_LAYER if name in arguments}
        if "implementation" in others:
            arguments["implementation"] = others.pop("implementation")
        for name in ("dtype", "trainable"):
            if name in others:
                arguments[name] = others[name]
        super().__init__(cell(**arguments, name=to_snake_case(cell.__name__)), **own, **others)

    units = of_cell("units")
    activation = of_cell("activation")
    use_bias = of_cell("use_bias")
    kernel_initializer = of_cell("kernel_initializer")
    recurrent_initializer = of_cell("recurrent_initializer")
    bias_initializer = of_cell("bias_initializer")
    kernel_regularizer = of_cell("kernel_regularizer")
    recurrent_regularizer = of_cell("recurrent_regularizer")
    bias_regularizer = of_cell("bias_regularizer")
    kernel_constraint = of_cell("kernel_constraint")
    recurrent_constraint = of_cell("recurrent_constraint")
    bias_constraint = of_cell("bias_constraint")
    dropout = of_cell("dropout")
    recurrent_dropout = of_cell("recurrent_dropout")

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        del config["cell"]
        return {**config, **self.cell.own_config(), **attribute_config(self, "activity_regularizer")}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: dict[str, Any] | None = None) -> Any:
        return cls(**config_of(config, cls.__name__))
