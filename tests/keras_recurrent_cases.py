"""Recurrent layers, their cells and wrappers, for keras_layer_cases.py."""

from __future__ import annotations

from typing import Any

import numpy as np

from keras_layer_case import Case

_SHAPE = (2, 4, 3)
# the first and last steps, steps between, and all of a row
_MASK = np.array([[False, True, False, True], [True, True, False, False]])
_MASK_OF_ALL = np.array([[False, False, False, False], [True, False, True, True]])
_SEQUENCES = {"units": 2, "return_sequences": True}
_ALL = {**_SEQUENCES, "return_state": True}


def _state(number: int, units: int = 2) -> np.ndarray:
    return (np.arange(2 * units).reshape(2, units) * 0.25 + 0.1 * number - 0.5).astype("float32").round(2)


def own_cell(library: Any) -> Any:
    """A cell with weights of its own, whose output is its state."""

    class OwnCell(library.layers.Layer):
        def __init__(self, units: int, **kwargs: Any) -> None:
            super().__init__(**kwargs)
            self.units = units
            self.state_size = units

        def build(self, input_shape: Any) -> None:
            self.kernel = self.add_weight(shape=(input_shape[-1], self.units), name="kernel")
            self.recurrent_kernel = self.add_weight(shape=(self.units, self.units), name="recurrent_kernel")

        def call(self, inputs: Any, states: Any) -> Any:
            mixed = library.ops.matmul(inputs, self.kernel) + library.ops.matmul(states[0], self.recurrent_kernel)
            output = library.ops.sin(mixed)
            return output, [output]

    return OwnCell(2, name="own")


def two_states(library: Any) -> Any:
    """A cell with two states of different sizes, and outputs of a third one."""

    class TwoStates(library.layers.Layer):
        state_size = [2, 3]
        output_size = 4

        def build(self, input_shape: Any) -> None:
            self.kernel = self.add_weight(shape=(input_shape[-1] + 5, 9), name="kernel")

        def get_initial_state(self, batch_size: Any = None) -> Any:
            return [library.ops.ones((batch_size, 2)), library.ops.zeros((batch_size, 3))]

        def call(self, inputs: Any, states: Any, training: bool = False) -> Any:
            everything = library.ops.concatenate([inputs, *states], axis=-1)
            mixed = library.ops.tanh(library.ops.matmul(everything, self.kernel))
            return mixed[:, :4] * (2.0 if training else 1.0), [mixed[:, 4:6], mixed[:, 6:]]

    return TwoStates(name="two")


def _of_layer(layer: str, states: int, *variants: dict[str, Any]) -> list[Case]:
    """A recurrent layer under settings of its own, and under those that all have."""
    initial = [_state(number) for number in range(states)]
    kinds = ("kernel", "recurrent", "bias", "activity")
    # Keras's SimpleRNN forgets its activity_regularizer
    regularizers = {f"{kind}_regularizer": "l2" for kind in kinds if (layer, kind) != ("SimpleRNN", "activity")}
    return [
        *(Case(layer, _SHAPE, {"units": 2, **settings}) for settings in variants),
        Case(layer, _SHAPE, {"units": 2, "use_bias": False}),
        Case(layer, _SHAPE, {"units": 2, **regularizers}),
        Case(layer, (1, 1, 2), {"units": 3}),
        Case(layer, _SHAPE, {**_SEQUENCES, "unroll": True}),
        Case(layer, _SHAPE, {**_ALL}),
        Case(layer, _SHAPE, {"units": 2, "return_state": True}),
        Case(layer, _SHAPE, {**_ALL, "go_backwards": True}),
        Case(layer, _SHAPE, {"units": 2, "go_backwards": True}),
        Case(
            layer, _SHAPE, {"units": 2, "dropout": 0.5, "recurrent_dropout": 0.5, "seed": 1}, call={"training": False}
        ),
        Case(layer, _SHAPE, {**_ALL}, call={"initial_state": initial}),
        *(
            Case(layer, _SHAPE, settings, call={"mask": mask})
            for mask in (_MASK, _MASK_OF_ALL)
            for settings in (
                {"units": 2},
                _ALL,
                {**_ALL, "go_backwards": True},
                {**_ALL, "zero_output_for_mask": True},
                {"units": 2, "zero_output_for_mask": True},
            )
        ),
        Case(layer, _SHAPE, {**_SEQUENCES, "unroll": True}, call={"mask": _MASK}),
        Case(layer, _SHAPE, _ALL, call={"mask": _MASK, "initial_state": initial}),
        Case(layer, _SHAPE, {"units": 2, "go_backwards": True}, call={"mask": _MASK, "initial_state": initial}),
    ]


def _of_cell(cell: str, states: int, *variants: dict[str, Any]) -> list[Case]:
    given = {"states": [_state(number) for number in range(states)]}
    plain: list[dict[str, Any]] = [{}, {"use_bias": False}, {"dropout": 0.5, "recurrent_dropout": 0.5}]
    return [Case(cell, (2, 3), {"units": 2, **settings}, call=given) for settings in (*plain, *variants)]


_GATED: list[dict[str, Any]] = [
    {},
    {"activation": "relu"},
    {"activation": "sigmoid", "recurrent_activation": "tanh"},
    {"activation": None, "recurrent_activation": "hard_sigmoid"},
    {"implementation": 1},
]
_RESET_BEFORE: list[dict[str, Any]] = [
    {"reset_after": False},
    {"reset_after": False, "use_bias": False},
    {"reset_after": False, "recurrent_activation": "hard_sigmoid", "return_sequences": True},
    {"reset_after": False, "go_backwards": True, "return_state": True},
]

_LAYERS = [
    *_of_layer("SimpleRNN", 1, {}, {"activation": "relu"}, {"activation": None}, {"activation": "elu"}),
    *_of_layer("LSTM", 2, *_GATED, {"unit_forget_bias": False}),
    *_of_layer("GRU", 1, *_GATED, *_RESET_BEFORE),
    *(
        Case("GRU", _SHAPE, {**_ALL, "reset_after": False, **settings}, call={"mask": _MASK, **call})
        for settings, call in (({}, {}), ({"use_bias": False}, {"initial_state": [_state(0)]}))
    ),
    *_of_cell("SimpleRNNCell", 1, {"activation": "relu"}),
    *_of_cell("LSTMCell", 2, {"recurrent_activation": "hard_sigmoid"}, {"implementation": 1}),
    *_of_cell("GRUCell", 1, {"reset_after": False}, {"reset_after": False, "use_bias": False}, {"implementation": 1}),
    Case(
        "StackedRNNCells",
        (2, 3),
        inner=[("LSTMCell", {"units": 2}), ("GRUCell", {"units": 3})],
        call={"states": [[_state(0), _state(1)], [_state(2, 3)]]},
    ),
]

_LSTM_CELL = ("LSTMCell", {"units": 2})
_STACK = [_LSTM_CELL, ("SimpleRNNCell", {"units": 3}), ("GRUCell", {"units": 2})]
_SEVERAL = {"return_sequences": True, "return_state": True}

_AROUND_CELLS = [
    *(
        Case("RNN", _SHAPE, settings, inner=cell, call=call)
        for cell in (_LSTM_CELL, own_cell, two_states, _STACK)
        for settings, call in (
            ({}, {}),
            (_SEVERAL, {"training": True}),
            ({**_SEVERAL, "go_backwards": True}, {}),
        )
    ),
    *(
        Case("RNN", _SHAPE, settings, inner=cell, call={"mask": mask})
        for cell in (_LSTM_CELL, own_cell, _STACK)
        for mask in (_MASK, _MASK_OF_ALL)
        for settings in ({}, _SEVERAL, {**_SEVERAL, "go_backwards": True, "zero_output_for_mask": True})
    ),
    Case("RNN", _SHAPE, _SEVERAL, inner=own_cell, call={"mask": _MASK, "initial_state": [_state(0)]}),
    Case("RNN", _SHAPE, _SEVERAL, inner=two_states, call={"initial_state": [_state(0), _state(1, 3)]}),
    Case("RNN", _SHAPE, inner=[own_cell, two_states]),
    Case(
        "RNN",
        _SHAPE,
        _SEVERAL,
        inner=_STACK,
        call={"mask": _MASK, "initial_state": [[_state(0), _state(1)], [_state(2, 3)], [_state(3)]]},
    ),
]

_LSTM = ("LSTM", {"units": 2, "name": "inner"})
_LSTM_OF_ALL = ("LSTM", {**_ALL, "name": "inner"})
_GRU_SEQUENCES = ("GRU", {**_SEQUENCES, "name": "inner"})
_OTHER_WAY = ("GRU", {**_SEQUENCES, "activation": "relu", "go_backwards": True, "name": "other"})
_MODES = ("concat", "sum", "mul", "ave", None)

_BOTH_WAYS = [
    *(Case("Bidirectional", _SHAPE, {"merge_mode": mode}, inner=_LSTM) for mode in _MODES),
    *(Case("Bidirectional", _SHAPE, {"merge_mode": mode}, inner=_LSTM_OF_ALL) for mode in ("concat", None)),
    *(Case("Bidirectional", _SHAPE, {"merge_mode": mode}, inner=_GRU_SEQUENCES) for mode in _MODES),
    *(
        Case("Bidirectional", _SHAPE, {"merge_mode": mode}, inner=inner, call={"mask": mask})
        for mode, inner in (("concat", _LSTM), ("sum", _LSTM_OF_ALL), (None, _GRU_SEQUENCES))
        for mask in (_MASK, _MASK_OF_ALL)
    ),
    Case("Bidirectional", _SHAPE, {"backward_layer": _OTHER_WAY}, inner=_GRU_SEQUENCES),
    Case("Bidirectional", _SHAPE, {"backward_layer": _OTHER_WAY}, inner=_GRU_SEQUENCES, call={"mask": _MASK}),
    Case("Bidirectional", _SHAPE, inner=_LSTM_OF_ALL, call={"initial_state": [_state(number) for number in range(4)]}),
    Case(
        "Bidirectional",
        _SHAPE,
        inner=_GRU_SEQUENCES,
        call={"mask": _MASK, "initial_state": [_state(number) for number in range(2)]},
    ),
    Case("Bidirectional", _SHAPE, inner=("SimpleRNN", {"units": 2, "name": "inner"})),
]

_PER_STEP = [
    Case("TimeDistributed", (2, 4, 3), inner=("Dense", {"units": 2, "name": "inner"}), call={"mask": _MASK}),
    Case("TimeDistributed", (2, 3, 4, 2), inner=("GRU", {"units": 2, "name": "inner"})),
    Case(
        "TimeDistributed",
        (1, 2, 4, 3),
        inner=("LSTM", {"units": 2, "name": "inner"}),
        call={"mask": _MASK[None]},
    ),
    Case("TimeDistributed", (2, 3, 4), inner=("Softmax", {"name": "inner"}), call={"mask": np.ones((2, 3, 4)) > 0}),
]

RECURRENT = [*_LAYERS, *_AROUND_CELLS, *_BOTH_WAYS, *_PER_STEP]
