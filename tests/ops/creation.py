"""Tensors made from nothing."""

from __future__ import annotations

import numpy as np

from sample import Sample


def _full(id: str, shape: tuple[int, ...], dtype: str, value: float) -> Sample:
    attrs = {"shape": shape, "dtype": dtype, "value": value}
    return Sample(id, "full", [], attrs, lambda: np.full(shape, value, dtype))


SAMPLES = [
    _full("zeros", (3, 5), "float32", 0),
    _full("large", (70, 1031), "float32", 1.5),
    _full("float64", (7,), "float64", 0.1),
    _full("float16", (9,), "float16", 0.1),
    _full("int8", (5,), "int8", -7),
    _full("int64", (2, 2), "int64", 2**40),
    _full("bool", (4,), "bool", 1),
    _full("scalar", (), "int32", 3),
    _full("empty", (0, 2), "float32", 1),
    _full("nan", (3,), "float32", np.nan),
    Sample("negative", "full", [], {"shape": (2, -1)}, raises=(ValueError, r"full.*-1")),
    Sample("dtype", "full", [], {"shape": (2,), "dtype": "float31"}, raises=(TypeError, r"float31.*float32")),
    Sample("rank", "full", [], {"shape": (1,) * 9}, raises=(ValueError, r"8")),
]
