"""Ordering of rows: stable, NaN last."""

from __future__ import annotations

from typing import Any

import numpy as np

from sample import Sample, in_halves, integers, normal


def _argsort(id: str, x: np.ndarray, descending: bool = False, **more: Any) -> Sample:
    def reference(x: np.ndarray) -> np.ndarray:
        if not descending:
            return np.argsort(x, axis=-1, kind="stable")
        return np.argsort(-x.astype("float64"), axis=-1, kind="stable")

    return Sample(id, "argsort", [x], {"descending": descending}, reference, **more)


_WITH_NAN = normal(5, 60)
_WITH_NAN[1, 3] = _WITH_NAN[1, 50] = _WITH_NAN[4, 59] = np.nan

SAMPLES = [
    _argsort("row", normal(1000)),
    _argsort("rows", normal(7, 33)),
    _argsort("rows-descending", normal(7, 33), True),
    _argsort("cube", normal(2, 3, 5)),
    _argsort("ties", integers(0, 4, 6, 100).astype("float64")),
    _argsort("ties-descending", integers(0, 4, 6, 100).astype("float64"), True),
    _argsort("nan", _WITH_NAN),
    _argsort("nan-descending", _WITH_NAN, True),
    _argsort("infinite", np.array([1.0, np.inf, -np.inf, np.nan, 0.0])),
    _argsort("one", normal(4, 1)),
    _argsort("no-rows", normal(0, 4)),
    _argsort("empty-rows", normal(4, 0)),
    *[_argsort(dtype, integers(0, 50, 3, 40, dtype=dtype)) for dtype in ("int8", "uint8", "int32", "int64", "uint32")],
    _argsort("bool", integers(0, 2, 3, 9, dtype="bool")),
    _argsort("large", normal(40_000)),
    *[_argsort(f"length-{n}", normal(2, n)) for n in (1023, 1024, 1025, 2048, 2049, 5000)],
    _argsort("long-ties-descending", integers(0, 3, 2, 3000).astype("float64"), True),
    Sample("scalar", "argsort", [normal()], raises=(ValueError, r"argsort.*rank 0")),
]

SAMPLES = in_halves(SAMPLES)
