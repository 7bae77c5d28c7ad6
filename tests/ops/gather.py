"""Rows by index, and their way back."""

from __future__ import annotations

from typing import Any

import numpy as np

from sample import Sample, integers, normal


def _take(id: str, shape: tuple[int, ...], axis: int, indices: np.ndarray, **more: Any) -> list[Sample]:
    """The rows, and the op that adds them back."""
    x, axis_size = normal(*shape), shape[axis]
    dy = normal(*np.take(x, indices % axis_size, axis).shape, seed=1)

    halves = tuple(dtype for dtype in more.get("dtypes", ()) if dtype.endswith("float16"))

    def add_back(dy: np.ndarray, indices: np.ndarray) -> np.ndarray:
        whole = np.zeros(shape)
        positive = axis % len(shape)
        np.add.at(whole, (slice(None),) * positive + (indices,), dy)
        return whole

    return [
        Sample(id, "take", [x, indices], {"axis": axis}, lambda x, i: np.take(x, i, axis), rtol=0.0, **more),
        Sample(id, "take_grad", [dy, indices], {"shape": shape, "axis": axis}, add_back, dtypes=halves),
    ]


def _one_hot(id: str, indices: np.ndarray, depth: int, dtype: str = "float32") -> Sample:
    def reference(indices: np.ndarray) -> np.ndarray:
        return (indices[..., None] == np.arange(depth)).astype(dtype)

    return Sample(id, "one_hot", [indices], {"depth": depth, "dtype": dtype}, reference)


SAMPLES = [
    *_take("rows", (20, 7), 0, integers(0, 20, 9)),
    *_take("columns", (5, 30), 1, integers(0, 30, 11), dtypes=("float16", "bfloat16", "int8", "int64", "bool")),
    *_take("middle", (3, 6, 4), -2, integers(0, 6, 2, 5)),
    *_take("repeated", (4, 3), 0, np.array([1, 1, 1, 3, 1], "int32")),
    *_take("negative", (6, 3), 0, np.array([-1, -6, 2, 0], "int32")),
    *_take("int64", (6, 3), 0, integers(0, 6, 8, dtype="int64")),
    *_take("one", (5, 2), 0, np.array(3, "int32")),
    *_take("none", (5, 2), 0, np.zeros((0,), "int32")),
    *_take("embedding", (1000, 33), 0, integers(0, 1000, 16, 20)),
    *_take("words", (50, 32), 0, integers(-50, 50, 70), dtypes=("float16", "bfloat16", "int8", "int64", "bool")),
    *_take("outer-words", (3, 40, 16), 1, integers(0, 40, 30)),
    Sample("beyond", "take", [normal(3, 2), np.array([0, 3], "int32")], raises=(IndexError, r"take.*3.*3")),
    Sample("below", "take", [normal(3, 2), np.array([-4], "int32")], raises=(IndexError, r"take.*-4.*3")),
    Sample("beyond-empty", "take", [np.zeros((3, 0)), np.array([5], "int64")], raises=(IndexError, r"take.*5.*3")),
    Sample(
        "beyond",
        "take_grad",
        [normal(2, 2), np.array([1, 3], "int32")],
        {"shape": (3, 2)},
        raises=(IndexError, r"take_grad.*3.*3"),
    ),
    Sample("float", "take", [normal(3), normal(2)], raises=(TypeError, r"take.*int32 or int64.*float32")),
    _one_hot("vector", integers(0, 10, 33), 10),
    _one_hot("matrix", integers(0, 5, 3, 4), 5, "int32"),
    _one_hot("blocks", integers(0, 37, 130), 37, "float16"),
    _one_hot("narrow", integers(-1, 3, 150), 2, "int8"),
    _one_hot("outside", np.array([-1, 0, 3, 7], "int64"), 3),
    _one_hot("scalar", np.array(2, "int32"), 4, "float64"),
    _one_hot("empty", np.zeros((0,), "int32"), 4, "bool"),
    Sample("negative", "one_hot", [np.array([1], "int32")], {"depth": -1}, raises=(ValueError, r"one_hot.*-1")),
]
