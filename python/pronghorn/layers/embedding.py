"""Embedding: a table of vectors looked up by index."""

from __future__ import annotations

from typing import Any

from pronghorn import constraints, initializers, ops, regularizers
from pronghorn.layers.arguments import positive_int, refuse
from pronghorn.layers.input_spec import InputSpec
from pronghorn.layers.layer import Layer
from pronghorn.layers.layer_config import attribute_config


class Embedding(Layer):
    """Turn indices into vectors.

    Args:
        input_dim: int, number of vectors; indices run from 0 to `input_dim - 1`.
        output_dim: int, size of a vector.
        embeddings_initializer: name or initializer.
        embeddings_regularizer: name, regularizer or None.
        embeddings_constraint: name, constraint or None.
        mask_zero: bool, whether index 0 is padding, to be masked.
        weights: array of shape (input_dim, output_dim) to start from, or None.
        lora_rank, lora_alpha, quantization_config: known, not supported; must be None.

    Integer inputs of shape (batch, ...) give outputs of shape (batch, ..., output_dim).

    Raises:
        ValueError: if a size is not a positive int.

    Example:
        >>> import pronghorn as ph
        >>> ph.layers.Embedding(1000, 8)(ph.ops.zeros((2, 5), dtype="int32")).shape
        (2, 5, 8)
    """

    def __init__(
        self,
        input_dim: int,
        output_dim: int,
        embeddings_initializer: Any = "uniform",
        embeddings_regularizer: Any = None,
        embeddings_constraint: Any = None,
        mask_zero: bool = False,
        weights: Any = None,
        lora_rank: int | None = None,
        lora_alpha: float | None = None,
        quantization_config: Any = None,
        **kwargs: Any,
    ) -> None:
        kwargs.pop("input_length", None)
        super().__init__(**kwargs)
        refuse("Embedding", lora_rank=lora_rank, lora_alpha=lora_alpha, quantization_config=quantization_config)
        self.input_dim = positive_int(input_dim, "Embedding: input_dim")
        self.output_dim = positive_int(output_dim, "Embedding: output_dim")
        self.embeddings_initializer = initializers.get(embeddings_initializer)
        self.embeddings_regularizer = regularizers.get(embeddings_regularizer)
        self.embeddings_constraint = constraints.get(embeddings_constraint)
        self.mask_zero = mask_zero
        self.supports_masking = mask_zero
        # Indices have no use for the layer's floating dtype.
        self.autocast = False
        self.input_spec = InputSpec()
        if weights is not None:
            self.build(None)
            self.set_weights(list(weights) if isinstance(weights, (list, tuple)) else [weights])

    def build(self, input_shape: Any = None) -> None:
        if self.built:
            return
        self.embeddings = self.add_weight(
            name="embeddings",
            shape=(self.input_dim, self.output_dim),
            initializer=self.embeddings_initializer,
            regularizer=self.embeddings_regularizer,
            constraint=self.embeddings_constraint,
        )

    def call(self, inputs: Any) -> Any:
        if not inputs.dtype.startswith(("int", "uint")):
            inputs = ops.cast(inputs, "int32")
        return ops.cast(ops.take(self.embeddings, inputs, axis=0), self.compute_dtype)

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        return ops.not_equal(inputs, 0) if self.mask_zero else None

    def get_config(self) -> dict[str, Any]:
        config = attribute_config(
            self,
            "input_dim",
            "output_dim",
            "embeddings_initializer",
            "embeddings_regularizer",
            "activity_regularizer",
            "embeddings_constraint",
            "mask_zero",
        )
        return {**super().get_config(), **config, "quantization_config": None}
