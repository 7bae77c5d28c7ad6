"""Recurrent ops over whole sequences: ragged, empty and large sizes, masks, initial states; Keras's steps in NumPy."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from sample import Sample, in_halves, integers, normal

# id: (batch, steps, units, whether some steps are masked)
SIZES = {
    "one": (1, 1, 1, False),
    "one-sample": (1, 5, 20, False),
    "three": (3, 5, 3, False),
    "one-step": (17, 1, 8, False),
    "slices": (33, 5, 33, False),
    "ragged": (17, 5, 20, False),
    "one-unit": (3, 5, 1, True),
    "three-masked": (3, 5, 3, True),
    "one-step-masked": (33, 1, 33, True),
    "slices-masked": (33, 5, 8, True),
    "ragged-masked": (17, 5, 33, True),
    "no-steps": (3, 0, 8, False),
    "no-samples": (0, 5, 8, True),
    "no-units": (3, 5, 0, False),
    "pages": (9, 16, 64, False),
    "deep": (2, 2, 400, False),
}


def _sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


def _steps(mask: np.ndarray | None, batch: int, steps: int) -> Iterator[tuple[int, np.ndarray]]:
    """Each step and which samples it counts for, as a column."""
    counts = np.ones((batch, steps), bool) if mask is None else mask
    for t in range(steps):
        yield t, counts[:, t, None]


def _before(outputs: np.ndarray, initial: np.ndarray, t: int) -> np.ndarray:
    return outputs[:, t - 1] if t else initial


def _lstm(
    projected: np.ndarray, kernel: np.ndarray, h: np.ndarray, c: np.ndarray, mask: np.ndarray | None = None
) -> tuple[np.ndarray, ...]:
    batch, steps, units = len(h), projected.shape[1], len(kernel)
    hidden, cells, gates = (np.zeros((batch, steps, n)) for n in (units, units, 4 * units))
    for t, counts in _steps(mask, batch, steps):
        i, f, g, o = np.split(projected[:, t] + h @ kernel, 4, axis=1)
        i, f, g, o = _sigmoid(i), _sigmoid(f), np.tanh(g), _sigmoid(o)
        c = np.where(counts, f * c + i * g, c)
        h = np.where(counts, o * np.tanh(c), h)
        hidden[:, t], cells[:, t], gates[:, t] = h, c, np.where(counts, np.concatenate([i, f, g, o], 1), 0)
    return hidden, cells, gates


def _lstm_grad(
    kernel: np.ndarray,
    c0: np.ndarray,
    cells: np.ndarray,
    gates: np.ndarray,
    dhidden: np.ndarray,
    mask: np.ndarray | None = None,
    dcells: np.ndarray | None = None,
) -> tuple[np.ndarray, ...]:
    dprojected, dh, dc = np.zeros_like(gates), np.zeros_like(c0), np.zeros_like(c0)
    for t, counts in reversed(list(_steps(mask, len(c0), gates.shape[1]))):
        i, f, g, o = np.split(gates[:, t], 4, axis=1)
        tanh = np.tanh(cells[:, t])
        dh, dc = dh + dhidden[:, t], dc if dcells is None else dc + dcells[:, t]
        inner = dc + dh * o * (1 - tanh**2)
        di, df, dg, do = inner * g, inner * _before(cells, c0, t), inner * i, dh * tanh
        dz = np.concatenate([di * i * (1 - i), df * f * (1 - f), dg * (1 - g**2), do * o * (1 - o)], 1)
        dprojected[:, t] = np.where(counts, dz, 0)
        dh, dc = np.where(counts, dz @ kernel.T, dh), np.where(counts, inner * f, dc)
    return dprojected, dh, dc


def _gru(reset_after: bool) -> Callable[..., Any]:
    def reference(
        projected: np.ndarray, kernel: np.ndarray, bias: np.ndarray, h: np.ndarray, mask: np.ndarray | None = None
    ) -> Any:
        batch, steps, units = len(h), projected.shape[1], len(kernel)
        hidden, gates, inners = (np.zeros((batch, steps, n)) for n in (units, 3 * units, units))
        for t, counts in _steps(mask, batch, steps):
            x_z, x_r, x_n = np.split(projected[:, t], 3, axis=1)
            h_z, h_r, h_n = np.split(h @ kernel + bias, 3, axis=1)
            z, r = _sigmoid(x_z + h_z), _sigmoid(x_r + h_r)
            if reset_after:
                inner = h_n
                n = np.tanh(x_n + r * inner)
            else:
                inner = r * h
                n = np.tanh(x_n + inner @ kernel[:, 2 * units :] + bias[2 * units :])
            h = np.where(counts, z * h + (1 - z) * n, h)
            hidden[:, t], inners[:, t] = h, np.where(counts, inner, 0)
            gates[:, t] = np.where(counts, np.concatenate([z, r, n], 1), 0)
        return hidden, gates, inners

    return reference


def _gru_grad(reset_after: bool) -> Callable[..., Any]:
    def reference(
        kernel: np.ndarray,
        h0: np.ndarray,
        hidden: np.ndarray,
        gates: np.ndarray,
        inner: np.ndarray,
        dhidden: np.ndarray,
        mask: np.ndarray | None = None,
    ) -> Any:
        units = len(kernel)
        dprojected, drecurrent, dh = np.zeros_like(gates), np.zeros_like(gates), np.zeros_like(h0)
        for t, counts in reversed(list(_steps(mask, len(h0), gates.shape[1]))):
            z, r, n = np.split(gates[:, t], 3, axis=1)
            before = _before(hidden, h0, t)
            dh = dh + dhidden[:, t]
            dz, dn = dh * (before - n) * z * (1 - z), dh * (1 - z) * (1 - n**2)
            if reset_after:
                dr = dn * inner[:, t] * r * (1 - r)
                dproduct = np.concatenate([dz, dr, dn * r], 1)
                dbefore = dh * z + dproduct @ kernel.T
            else:
                dinner = dn @ kernel[:, 2 * units :].T
                dr = dinner * before * r * (1 - r)
                dproduct = np.concatenate([dz, dr, dn], 1)
                dbefore = dh * z + dinner * r + dproduct[:, : 2 * units] @ kernel[:, : 2 * units].T
            drecurrent[:, t] = np.where(counts, dproduct, 0)
            dprojected[:, t] = np.where(counts, np.concatenate([dz, dr, dn], 1), 0)
            dh = np.where(counts, dbefore, dh)
        return (dprojected, dh, drecurrent) if reset_after else (dprojected, dh)

    return reference


ACTIVATIONS: dict[str, tuple[Callable[..., Any], Callable[..., Any]]] = {
    # and the slope, seen from the result
    "tanh": (np.tanh, lambda h: 1 - h**2),
    "relu": (lambda x: np.maximum(x, 0), lambda h: (h > 0) * 1.0),
    "none": (lambda x: x, np.ones_like),
}


def _simple_rnn(activation: str) -> Callable[..., Any]:
    def reference(projected: np.ndarray, kernel: np.ndarray, h: np.ndarray, mask: np.ndarray | None = None) -> Any:
        hidden = np.zeros_like(projected)
        for t, counts in _steps(mask, len(h), projected.shape[1]):
            h = np.where(counts, ACTIVATIONS[activation][0](projected[:, t] + h @ kernel), h)
            hidden[:, t] = h
        return hidden

    return reference


def _simple_rnn_grad(activation: str) -> Callable[..., Any]:
    def reference(kernel: np.ndarray, hidden: np.ndarray, dhidden: np.ndarray, mask: np.ndarray | None = None) -> Any:
        dprojected, dh = np.zeros_like(hidden), np.zeros((len(hidden), len(kernel)))
        for t, counts in reversed(list(_steps(mask, len(hidden), hidden.shape[1]))):
            dh = dh + dhidden[:, t]
            dz = np.where(counts, dh * ACTIVATIONS[activation][1](hidden[:, t]), 0)
            dprojected[:, t] = dz
            dh = np.where(counts, dz @ kernel.T, dh)
        return dprojected, dh

    return reference


def _kernel(units: int, blocks: int) -> np.ndarray:
    return normal(units, blocks * units, seed=1, scale=1 / max(units, 1) ** 0.5)


def _mask(batch: int, steps: int) -> np.ndarray:
    """Random, but for a sample without a step that counts and one that all count for."""
    mask = integers(0, 2, batch, steps, seed=7) == 1
    mask[:1] = False
    mask[1:2] = True
    return mask


def _within(low: float, *shape: int, seed: int) -> np.ndarray:
    """Between `low` and 1, as activated gates are."""
    return low + (1 - low) * _sigmoid(normal(*shape, seed=seed)).astype("float32").astype("float64")


def samples_of(name: str, batch: int, steps: int, units: int, masked: bool) -> list[Sample]:
    def sequence(blocks: int, seed: int) -> np.ndarray:
        return normal(batch, steps, blocks * units, seed=seed)

    h0, c0 = normal(batch, units, seed=2, scale=0.5), normal(batch, units, seed=3)
    mask = [_mask(batch, steps)] if masked else []
    numbers = {"rtol": 1e-4, "atol": 3e-5} if units > 60 else {"rtol": 3e-5, "atol": 5e-6}
    hidden, dhidden, inner = sequence(1, 4), sequence(1, 5), sequence(1, 6)
    sigmoids, tanhs = _within(0, batch, steps, 2 * units, seed=8), _within(-1, batch, steps, units, seed=9)
    gates = np.concatenate([sigmoids, tanhs, _within(0, batch, steps, units, seed=10)], -1)
    forward = [sequence(4, 0), _kernel(units, 4), h0, c0, *mask]
    backward = [_kernel(units, 4), c0, sequence(1, 11), gates, dhidden, *mask]
    samples = [
        Sample(name, "lstm", forward, {}, _lstm, targets=(0, 1), **numbers),
        Sample(name, "lstm_grad", backward, {}, _lstm_grad, **numbers),
    ]
    if masked:
        with_cells = [*backward, sequence(1, 12)]
        samples.append(Sample(f"{name}-cells", "lstm_grad", with_cells, {}, _lstm_grad, **numbers))
    gates = np.concatenate([sigmoids, tanhs], -1)
    forward = [sequence(3, 0), _kernel(units, 3), normal(3 * units, seed=13), h0, *mask]
    backward = [_kernel(units, 3), h0, hidden, gates, inner, dhidden, *mask]
    for reset_after in (True, False):
        mark, attrs = name + ("" if reset_after else "-reset-before"), {"reset_after": reset_after}
        samples += [
            Sample(mark, "gru", forward, attrs, _gru(reset_after), targets=(0,), **numbers),
            Sample(mark, "gru_grad", backward, attrs, _gru_grad(reset_after), **numbers),
        ]
    forward = [sequence(1, 0), _kernel(units, 1), h0, *mask]
    for activation in ACTIVATIONS:
        mark, attrs = f"{name}-{activation}", {"activation": activation}
        # past 1 the slope of tanh would be large, and so would the gradients be of early steps
        states = tanhs if activation == "tanh" else hidden
        backward = [_kernel(units, 1), states, dhidden, *mask]
        samples += [
            Sample(mark, "simple_rnn", forward, attrs, _simple_rnn(activation), **numbers),
            Sample(mark, "simple_rnn_grad", backward, attrs, _simple_rnn_grad(activation), **numbers),
        ]
    return samples


SAMPLES = [sample for name, given in SIZES.items() for sample in samples_of(name, *given)]

# gradients of one result only, and of the others only where there is no mask
_INPUTS = [normal(3, 4, 12), _kernel(3, 4), normal(3, 3, seed=2), normal(3, 3, seed=3)]
SAMPLES += [
    Sample("hidden-alone", "lstm", _INPUTS, {}, _lstm, targets=(0,)),
    Sample("cells-alone", "lstm", _INPUTS, {}, _lstm, targets=(1,)),
    Sample("cells-alone-masked", "lstm", [*_INPUTS, _mask(3, 4)], {}, _lstm, targets=(1,)),
    # far into saturation
    Sample("large", "lstm", [60 * _INPUTS[0], *_INPUTS[1:]], {}, _lstm, grad=False),
    Sample("default", "gru", [normal(3, 4, 9), _kernel(3, 3), normal(9), normal(3, 3)], {}, _gru(True), targets=(0,)),
    Sample("default", "simple_rnn", [normal(3, 4, 3), _kernel(3, 1), normal(3, 3)], {}, _simple_rnn("tanh")),
]

# op -> its inputs by name, mask last but for dcells
_SHAPES = {
    "lstm": {"projected": (3, 5, 16), "recurrent_kernel": (4, 16), "h0": (3, 4), "c0": (3, 4), "mask": (3, 5)},
    "lstm_grad": {
        "recurrent_kernel": (4, 16),
        "c0": (3, 4),
        "cells": (3, 5, 4),
        "gates": (3, 5, 16),
        "dhidden": (3, 5, 4),
        "mask": (3, 5),
        "dcells": (3, 5, 4),
    },
    "gru": {
        "projected": (3, 5, 12),
        "recurrent_kernel": (4, 12),
        "recurrent_bias": (12,),
        "h0": (3, 4),
        "mask": (3, 5),
    },
    "gru_grad": {
        "recurrent_kernel": (4, 12),
        "h0": (3, 4),
        "hidden": (3, 5, 4),
        "gates": (3, 5, 12),
        "inner": (3, 5, 4),
        "dhidden": (3, 5, 4),
        "mask": (3, 5),
    },
    "simple_rnn": {"projected": (3, 5, 4), "recurrent_kernel": (4, 4), "h0": (3, 4), "mask": (3, 5)},
    "simple_rnn_grad": {"recurrent_kernel": (4, 4), "hidden": (3, 5, 4), "dhidden": (3, 5, 4), "mask": (3, 5)},
}
# what all others are measured by, and into how many blocks of units its last axis falls
_MEASURES = {
    "lstm": ("projected", 4),
    "lstm_grad": ("gates", 4),
    "gru": ("projected", 3),
    "gru_grad": ("gates", 3),
    "simple_rnn": ("projected", 1),
    "simple_rnn_grad": ("hidden", 1),
}


def _error_samples(op: str) -> Iterator[Sample]:
    shapes, (measure, blocks) = _SHAPES[op], _MEASURES[op]
    good = {name: np.ones(shape, bool) if name == "mask" else normal(*shape) for name, shape in shapes.items()}

    def wrong(what: str, name: str, value: np.ndarray, exception: type[Exception], message: str) -> Sample:
        return Sample(f"{name}-{what}", op, list({**good, name: value}.values()), raises=(exception, message))

    for name, value in good.items():
        if name == measure:
            yield wrong("rank", name, value[0], ValueError, rf"{op}: {name} must have shape \(batch, steps, .*units\)")
            yield wrong("dtype", name, value.astype("int32"), TypeError, f"{op}: {name} must be floating, got int32")
            if blocks > 1:
                message = rf"{op}: the last axis of {name} must be {blocks} \* units, got shape"
                yield wrong("width", name, value[..., 1:], ValueError, message)
            continue
        message = rf"{op}: {name} must have shape \({', '.join(map(str, value.shape))},?\), got \("
        for axis in range(value.ndim):
            yield wrong(f"axis-{axis}", name, np.delete(value, 0, axis), ValueError, message)
        yield wrong("rank", name, value[None], ValueError, message)
        wanted = "bool" if name == "mask" else "float32"
        message = f"{op}: {name} must be {wanted}, got int32"
        yield wrong("dtype", name, value.astype("int32"), TypeError, message)


SAMPLES += [sample for op in _SHAPES for sample in _error_samples(op)]
SAMPLES += [
    Sample(
        "activation",
        "simple_rnn",
        [normal(3, 5, 4), normal(4, 4), normal(3, 4)],
        {"activation": "gelu"},
        raises=(TypeError, "simple_rnn.*activation.*one of 'tanh', 'relu', 'none'"),
    ),
    Sample("no-mask", "lstm", _INPUTS[:3], raises=(TypeError, "lstm")),
]

SAMPLES = in_halves(SAMPLES)
