"""Input: where a functional or sequential model begins."""

from __future__ import annotations

from typing import Any

from pronghorn import arguments, config
from pronghorn.layers.layer import Layer
from pronghorn.symbolic import KerasTensor, Node


class InputLayer(Layer):
    """The layer behind `Input`: it holds the shape and dtype of a model's input.

    Args:
        shape: tuple of int or None, without the batch size.
        batch_size: int or None.
        dtype: dtype name; None means `config.floatx()`.
        sparse, ragged: accepted for Keras's sake; must not be true.
        batch_shape: tuple of int or None, with the batch size, in place of `shape`.
        input_tensor: a `KerasTensor` to use.
        optional: whether None may be passed for this input.
        name: unique name.

    Raises:
        ValueError: unless exactly one of `shape`, `batch_shape` and `input_tensor` is given.
    """

    def __init__(
        self,
        shape: Any = None,
        batch_size: int | None = None,
        dtype: str | None = None,
        sparse: bool | None = None,
        ragged: bool | None = None,
        batch_shape: Any = None,
        input_tensor: KerasTensor | None = None,
        optional: bool = False,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        if batch_shape is None:
            batch_shape = kwargs.pop("batch_input_shape", None)
        if shape is None:
            shape = kwargs.pop("input_shape", None)
        super().__init__(name=name, **kwargs)
        if sparse or ragged:
            raise ValueError(f"Input {self.name!r}: sparse and ragged tensors are not supported")
        if input_tensor is not None:
            if not isinstance(input_tensor, KerasTensor):
                raise TypeError(
                    f"Input {self.name!r}: tensor must be a KerasTensor, got {arguments.shown(input_tensor)}"
                )
            batch_shape, dtype = input_tensor.shape, input_tensor.dtype
        elif (shape is None) == (batch_shape is None):
            raise ValueError(
                f"Input {self.name!r} needs either shape or batch_shape, got shape={shape}, batch_shape={batch_shape}"
            )
        elif batch_shape is None:
            batch_shape = (batch_size, *self._checked((shape,) if isinstance(shape, int) else shape))
        elif batch_size is not None:
            raise ValueError(f"Input {self.name!r}: batch_size and batch_shape must not both be given")
        self.batch_shape = self._checked(batch_shape)
        self._dtype = dtype or config.floatx()
        self.optional = optional
        self.built = True
        if input_tensor is None:
            input_tensor = KerasTensor(self.batch_shape, self._dtype, name=self.name)
        Node(self, (), {}, input_tensor)

    def _checked(self, shape: Any) -> tuple[int | None, ...]:
        """A shape of sizes and None."""
        if not isinstance(shape, (list, tuple)):
            raise ValueError(f"Input {self.name!r}: shape must be a tuple of integers and None, got {shape!r}")
        return tuple(
            None if size is None else arguments.integer(size, f"Input {self.name!r}: shape", 0) for size in shape
        )

    @property
    def dtype(self) -> str:
        """Dtype of the input."""
        return self._dtype

    def call(self) -> Any:
        raise TypeError(f"Input layer {self.name!r} cannot be called")

    def get_config(self) -> dict[str, Any]:
        return {
            "batch_shape": self.batch_shape,
            "dtype": self._dtype,
            "sparse": False,
            "ragged": False,
            "name": self.name,
            "optional": self.optional,
        }


def Input(
    shape: Any = None,
    batch_size: int | None = None,
    dtype: str | None = None,
    sparse: bool | None = None,
    ragged: bool | None = None,
    batch_shape: Any = None,
    name: str | None = None,
    tensor: KerasTensor | None = None,
    optional: bool = False,
) -> KerasTensor:
    """Return a symbolic tensor that stands for a model's input.

    Args:
        shape: tuple of int or None (any size), without the batch size.
        batch_size: int, or None for any.
        dtype: dtype name; None means `config.floatx()`.
        sparse, ragged: accepted for Keras's sake; must not be true.
        batch_shape: tuple with the batch size, in place of `shape` and `batch_size`.
        name: unique name.
        tensor: a `KerasTensor` to use.
        optional: whether None may be passed for this input.

    Returns:
        a `KerasTensor`.

    Raises:
        ValueError: unless exactly one of `shape`, `batch_shape` and `tensor` is given.

    Example:
        >>> import pronghorn as ph
        >>> x = ph.Input((784,))
        >>> model = ph.Model(x, ph.layers.Dense(10)(x))
        >>> model.output_shape
        (None, 10)
    """
    layer = InputLayer(shape, batch_size, dtype, sparse, ragged, batch_shape, tensor, optional, name)
    return layer.output
