"""Bidirectional: a recurrent layer in either direction of time."""

from __future__ import annotations

import inspect
from typing import Any

from pronghorn import arguments, ops, tree
from pronghorn.layers.layer import Layer
from pronghorn.layers.recurrent.steps import spec_by_one_step
from pronghorn.saving.serialization import deserialize_keras_object, serialize_keras_object

_MERGE_MODES = ("sum", "mul", "ave", "concat", None)
_ALIKE = ("stateful", "return_sequences", "return_state")


class Bidirectional(Layer):
    """Two copies of a recurrent layer, one of which goes backwards.

    Args:
        layer: an `RNN`, `LSTM`, `GRU`, ..., or a layer of one's own with the attributes `go_backwards`,
            `return_sequences`, `return_state`, `stateful` and `input_spec`. A new layer is made from its config.
        merge_mode: how the outputs of the two are joined: "concat", "sum", "mul", "ave" or None, which returns both.
        weights: list of arrays to start from, the first half for the forward layer; or None.
        backward_layer: the layer to go backwards; None for one like `layer`.

    It is called as the layer is; `initial_state` holds the forward layer's states, then the backward layer's, and
    `return_state` gives them in this order. With `return_sequences`, outputs stand in the order of time in either
    direction, and those of masked steps are zeros.

    Raises:
        ValueError: if a layer is none, or the two do not fit together.

    Example:
        >>> import pronghorn as ph
        >>> ph.layers.Bidirectional(ph.layers.LSTM(4))(ph.ops.ones((2, 10, 3))).shape
        (2, 8)

    Source: Schuster and Paliwal, "Bidirectional recurrent neural networks", 1997;
    https://keras.io/api/layers/recurrent_layers/bidirectional/
    """

    def __init__(
        self,
        layer: Any,
        merge_mode: str | None = "concat",
        weights: Any = None,
        backward_layer: Any = None,
        **kwargs: Any,
    ) -> None:
        _check_layer(layer, "layer")
        if backward_layer is not None:
            _check_layer(backward_layer, "backward_layer")
        arguments.one_of(merge_mode, _MERGE_MODES, "Bidirectional: merge_mode")
        super().__init__(**kwargs)
        self.forward_layer = _copied(layer, "forward_")
        if backward_layer is None:
            backward_layer = _copied(layer, "backward_", go_backwards=True)
        self.backward_layer = backward_layer
        self._check_pair()
        for each in (self.forward_layer, self.backward_layer):
            if hasattr(each, "zero_output_for_mask"):
                each.zero_output_for_mask = each.return_sequences
        self.merge_mode = merge_mode
        self._initial_weights = None if weights is None else arguments.list_of(weights, "Bidirectional: weights")
        self.stateful = layer.stateful
        self.return_sequences = layer.return_sequences
        self.return_state = layer.return_state
        self.supports_masking = True
        self.input_spec = layer.input_spec

    def _check_pair(self) -> None:
        forward, backward = self.forward_layer, self.backward_layer
        if forward.go_backwards == backward.go_backwards:
            raise ValueError(
                f"Bidirectional: layer and backward_layer must differ in go_backwards, both have {forward.go_backwards}"
            )
        for name in _ALIKE:
            if getattr(forward, name) != getattr(backward, name):
                raise ValueError(
                    f"Bidirectional: layer and backward_layer must have the same {name}, got {getattr(forward, name)} "
                    f"and {getattr(backward, name)}"
                )

    def build(self, sequences_shape: Any, initial_state_shape: Any = None) -> None:
        for layer in (self.forward_layer, self.backward_layer):
            if not layer.built:
                layer.build(sequences_shape)
                layer.built = True
        if self._initial_weights is not None:
            half = len(self._initial_weights) // 2
            self.forward_layer.set_weights(self._initial_weights[:half])
            self.backward_layer.set_weights(self._initial_weights[half:])

    def call(self, sequences: Any, initial_state: Any = None, mask: Any = None, training: bool | None = None) -> Any:
        states: list[Any] = [None, None]
        if initial_state is not None:
            given = arguments.list_of(initial_state, "Bidirectional: initial_state")
            half = len(given) // 2
            states = [given[:half], given[half:]]
        results = [
            layer(sequences, initial_state=state, training=training, **({"mask": mask} if _takes_mask(layer) else {}))
            for layer, state in zip((self.forward_layer, self.backward_layer), states)
        ]
        following: tuple[Any, ...] = ()
        if self.return_state:
            following = (*results[0][1:], *results[1][1:])
            results = [result[0] for result in results]
        forward, backward = (ops.cast(result, self.compute_dtype) for result in results)
        if self.return_sequences:
            backward = ops.flip(backward, axis=1)
        merged = self._merged(forward, backward)
        if not self.return_state:
            return merged
        return (*merged, *following) if self.merge_mode is None else (merged, *following)

    def _merged(self, forward: Any, backward: Any) -> Any:
        if self.merge_mode == "concat":
            return ops.concatenate([forward, backward], axis=-1)
        if self.merge_mode == "sum":
            return forward + backward
        if self.merge_mode == "ave":
            return (forward + backward) / 2
        return forward * backward if self.merge_mode == "mul" else (forward, backward)

    def compute_output_spec(
        self, sequences: Any, initial_state: Any = None, mask: Any = None, training: bool | None = None
    ) -> Any:
        stacked = (2 if self.merge_mode is None else 1) if self.return_sequences else 0
        return spec_by_one_step(self.call, sequences, mask, stacked, initial_state=initial_state, training=training)

    def compute_output_shape(self, sequences_shape: Any, initial_state_shape: Any = None) -> Any:
        shapes = self.forward_layer.compute_output_shape(sequences_shape)
        outputs, states = (shapes[0], tuple(shapes[1:])) if self.return_state else (shapes, ())
        outputs = tuple(outputs)
        if self.merge_mode is None:
            return (outputs, outputs, *states, *states)
        if self.merge_mode == "concat":
            outputs = (*outputs[:-1], 2 * outputs[-1])
        return (outputs, *states, *states) if self.return_state else outputs

    def compute_mask(self, inputs: Any, mask: Any) -> Any:
        mask = tree.flatten(mask)[0] if self.return_sequences else None
        return (mask, mask) if self.merge_mode is None else mask

    @property
    def states(self) -> Any:
        """The states of a stateful layer, forward and backward; None if there are none."""
        forward, backward = self.forward_layer.states, self.backward_layer.states
        return (*forward, *backward) if forward and backward else None

    def reset_state(self) -> None:
        """Set the states of a stateful layer to zeros.

        Raises:
            AttributeError: if it is not stateful.
        """
        if not self.stateful:
            raise AttributeError(f"Bidirectional {self.name!r}: reset_state needs a layer that is stateful")
        self.forward_layer.reset_state()
        self.backward_layer.reset_state()

    def reset_states(self) -> None:
        """Set the states of a stateful layer to zeros: `reset_state` under its older name."""
        self.reset_state()

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "merge_mode": self.merge_mode,
            "layer": serialize_keras_object(self.forward_layer),
            "backward_layer": serialize_keras_object(self.backward_layer),
        }

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: dict[str, Any] | None = None) -> Any:
        config = arguments.config_of(config, cls.__name__)
        for name in ("layer", "backward_layer"):
            if config.get(name) is not None:
                config[name] = deserialize_keras_object(config[name], custom_objects)
        return cls(**config)


def _check_layer(layer: Any, name: str) -> None:
    missing = [each for each in ("go_backwards", *_ALIKE) if not hasattr(layer, each)]
    if not isinstance(layer, Layer) or missing:
        raise ValueError(f"Bidirectional: {name} must be a recurrent layer, got {arguments.shown(layer)}")


def _takes_mask(layer: Layer) -> bool:
    return "mask" in inspect.signature(layer.call).parameters


def _copied(layer: Any, prefix: str, **changes: Any) -> Any:
    config = serialize_keras_object(layer)
    config["config"] |= {"name": prefix + layer.name.removeprefix(prefix), **changes}
    return deserialize_keras_object(config)
