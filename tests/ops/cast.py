"""Conversions between all pairs of dtypes, as NumPy's astype."""

from __future__ import annotations

from collections.abc import Callable

import ml_dtypes
import numpy as np

from sample import Sample

DTYPES = (
    *("bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"),
    *("float16", "bfloat16", "float32", "float64"),
)
FLOATS = ("float16", "bfloat16", "float32", "float64")


def _numpy(dtype: str) -> np.dtype:
    return np.dtype(ml_dtypes.bfloat16 if dtype == "bfloat16" else dtype)


def _to(dtype: str) -> Callable[[np.ndarray], np.ndarray]:
    return lambda x: np.asarray(x).astype(_numpy(dtype))


def _values(source: str) -> np.ndarray:
    # what every type can hold, so that no conversion is undefined; the rest is below
    values = np.random.default_rng(0).integers(0, 100, size=1031)
    return (values % 2 if source == "bool" else values).astype(_numpy(source))


HALF_WAY = np.array([1 + 2.0**-11, 1 + 3 * 2.0**-11, 2049.0, 2051.0, 65519.0, 65520.0, 1e-8, 6e-8, 3e-5, -0.0, 1e6])
SPECIAL = np.array([np.nan, np.inf, -np.inf, 0.0, -0.0, 1.5, -1.5, 0.99, -0.99])

SAMPLES = [
    *[
        Sample(f"{source}-to-{to}", "cast", [_values(source)], {"dtype": to}, _to(to))
        for source in DTYPES
        for to in DTYPES
        if source not in ("float32", "float64") and source != to
    ],
    *[
        Sample(f"floats-to-{to}", "cast", [np.linspace(0, 100, 1031)], {"dtype": to}, _to(to), grad=to == "float64")
        for to in DTYPES
    ],
    *[Sample(f"rounding-to-{to}", "cast", [HALF_WAY], {"dtype": to}, _to(to), grad=False) for to in FLOATS],
    *[Sample(f"special-to-{to}", "cast", [SPECIAL], {"dtype": to}, _to(to), grad=False) for to in FLOATS],
    Sample("special-to-bool", "cast", [SPECIAL], {"dtype": "bool"}, _to("bool"), grad=False),
    Sample("negative-to-int8", "cast", [np.array([-1.9, -128.0, 127.9])], {"dtype": "int8"}, _to("int8"), grad=False),
    Sample("wide-to-narrow", "cast", [np.array([300, -1, 65536], "int32")], {"dtype": "uint8"}, _to("uint8")),
    Sample("large-to-int64", "cast", [np.array([2.0**40, -(2.0**40)])], {"dtype": "int64"}, _to("int64"), grad=False),
    Sample("uint64-beyond-int64", "cast", [np.array([2**63 + 2**20], "uint64")], {"dtype": "float64"}, _to("float64")),
    Sample("scalar", "cast", [np.float64(2.5)], {"dtype": "int32"}, _to("int32"), grad=False),
    Sample("empty", "cast", [np.zeros((0, 3))], {"dtype": "int32"}, _to("int32"), grad=False),
    Sample("dtype", "cast", [np.zeros(2)], {"dtype": "int7"}, raises=(TypeError, r"int7.*int8")),
]  # fmt: skip
