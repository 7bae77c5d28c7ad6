"""Ops that move elements: results must be exact, in every dtype."""

from __future__ import annotations

from typing import Any

import numpy as np

from sample import Sample, integers, normal

EVERY_SIZE = ("float16", "bfloat16", "int8", "int64", "bool")


def _reshape(id: str, x: np.ndarray, shape: tuple[int, ...]) -> Sample:
    return Sample(id, "reshape", [x], {"shape": shape}, lambda x: x.reshape(shape))


def _transpose(id: str, x: np.ndarray, axes: tuple[int, ...] = (), **more: Any) -> Sample:
    return Sample(id, "transpose", [x], {"axes": axes}, lambda x: x.transpose(axes or None), rtol=0.0, **more)


def _broadcast(id: str, x: np.ndarray, shape: tuple[int, ...], **more: Any) -> Sample:
    return Sample(id, "broadcast_to", [x], {"shape": shape}, lambda x: np.broadcast_to(x, shape), rtol=0.0, **more)


def _key(begin: tuple[int, ...], size: tuple[int, ...], strides: tuple[int, ...]) -> tuple[np.ndarray, ...]:
    return np.ix_(*[b + s * np.arange(n) for b, n, s in zip(begin, size, strides)])


def _slice(
    id: str, x: np.ndarray, begin: tuple[int, ...], size: tuple[int, ...], strides: tuple[int, ...], **more: Any
) -> list[Sample]:
    """The slice, and the op that writes back where it reads."""

    def put_back(part: np.ndarray) -> np.ndarray:
        whole = np.zeros(x.shape, part.dtype)
        whole[_key(begin, size, strides)] = part
        return whole

    attrs = {"begin": begin, "strides": strides}
    return [
        Sample(id, "slice", [x], {**attrs, "size": size}, lambda x: x[_key(begin, size, strides)], rtol=0.0, **more),
        Sample(id, "slice_grad", [normal(*size)], {**attrs, "shape": x.shape}, put_back, rtol=0.0, **more),
    ]


def _concatenate(id: str, axis: int, *xs: np.ndarray, **more: Any) -> Sample:
    return Sample(id, "concatenate", xs, {"axis": axis}, lambda *xs: np.concatenate(xs, axis), rtol=0.0, **more)


def _split(id: str, x: np.ndarray, parts: int, axis: int = -1, **more: Any) -> Sample:
    attrs = {"parts": parts, "axis": axis}
    return Sample(id, "split", [x], attrs, lambda x: tuple(np.split(x, parts, axis)), rtol=0.0, **more)


def _pad(id: str, x: np.ndarray, low: tuple[int, ...], high: tuple[int, ...], value: float, **more: Any) -> Sample:
    widths = list(zip(low, high))

    def reference(x: np.ndarray) -> np.ndarray:
        return np.pad(x, widths, constant_values=value) if widths else x

    return Sample(id, "pad", [x], {"low": low, "high": high, "value": value}, reference, rtol=0.0, **more)


SAMPLES = [
    _reshape("flat", normal(2, 3, 5), (30,)),
    _reshape("unknown", normal(2, 3, 5), (5, -1)),
    _reshape("scalar", normal(1, 1), ()),
    _reshape("empty", normal(0, 3), (3, 0, 2)),
    Sample("does-not-fit", "reshape", [normal(2, 3)], {"shape": (4, 2)}, raises=(ValueError, r"reshape.*\(4, 2\)")),
    Sample("two-unknown", "reshape", [normal(4)], {"shape": (-1, -1)}, raises=(ValueError, r"reshape.*one -1")),
    Sample("plain", "stop_gradient", [normal(2, 3)], {}, lambda x: x),
    _transpose("matrix", normal(37, 19), dtypes=EVERY_SIZE),
    _transpose("large", normal(130, 67)),
    _transpose("wide", normal(3, 300)),
    _transpose("tall", normal(300, 3)),
    _transpose("identity", normal(3, 4, 5), (0, 1, 2)),
    _transpose("batched", normal(4, 33, 18), (0, 2, 1), dtypes=EVERY_SIZE),
    _transpose("channels-first", normal(2, 6, 7, 5), (0, 3, 1, 2), dtypes=EVERY_SIZE),
    _transpose("channels-last", normal(2, 5, 6, 7), (0, 2, 3, 1)),
    _transpose("outer", normal(5, 6, 32), (1, 0, 2)),
    _transpose("negative-axes", normal(2, 3, 4), (-1, 0, -2)),
    _transpose("rank-5", normal(2, 3, 2, 4, 3), (4, 1, 3, 0, 2)),
    _transpose("ones", normal(1, 5, 1, 3), (2, 3, 0, 1)),
    _transpose("narrow", normal(150, 5, 70), (0, 2, 1)),
    _transpose("few-rows", normal(3, 290, 2), (2, 0, 1), dtypes=EVERY_SIZE),
    _transpose("pairs", normal(40, 37, 2), (1, 0, 2), dtypes=EVERY_SIZE),
    _transpose("heads", normal(2, 9, 3, 16), (0, 2, 1, 3), dtypes=EVERY_SIZE),
    _transpose("tiles-of-tiles", normal(3, 2, 40, 35), (1, 3, 0, 2)),
    _transpose("empty", normal(0, 4), (1, 0)),
    _transpose("scalar", normal()),
    Sample("twice", "transpose", [normal(2, 3)], {"axes": (0, 0)}, raises=(ValueError, r"transpose.*axis 0.*twice")),
    Sample("too-few", "transpose", [normal(2, 3)], {"axes": (0,)}, raises=(ValueError, r"transpose.*all 2 axes")),
    Sample("range", "transpose", [normal(2, 3)], {"axes": (0, 2)}, raises=(ValueError, r"transpose.*axis 2")),
    _broadcast("row", normal(1, 65), (17, 65), dtypes=EVERY_SIZE),
    _broadcast("column", normal(17, 1), (17, 65)),
    _broadcast("column-of-words", normal(17, 1), (17, 64), dtypes=EVERY_SIZE),
    _broadcast("rows-of-words", normal(3, 1, 32), (3, 50, 32), dtypes=EVERY_SIZE),
    _broadcast("new-axes", normal(3), (2, 4, 3)),
    _broadcast("middle", normal(2, 1, 3), (2, 5, 3)),
    _broadcast("scalar", normal(), (4, 2)),
    _broadcast("same", normal(2, 2), (2, 2)),
    _broadcast("empty", normal(1, 3), (0, 3)),
    Sample("shape", "broadcast_to", [normal(3)], {"shape": (4,)}, raises=(ValueError, r"broadcast_to.*\(3,\).*\(4,\)")),
    *_slice("block", normal(9, 8, 7), (2, 0, 3), (5, 8, 2), (1, 1, 1)),
    *_slice("steps", normal(9, 40), (1, 2), (3, 12), (3, 3), dtypes=EVERY_SIZE),
    *_slice("backwards", normal(6, 9), (5, 8), (6, 4), (-1, -2)),
    *_slice("rows", normal(200, 90), (50, 0), (120, 90), (1, 1)),
    *_slice("words", normal(20, 64), (3, 16), (9, 32), (2, 1), dtypes=EVERY_SIZE),
    *_slice("rows-backwards", normal(40, 3, 32), (39, 0, 0), (20, 3, 32), (-2, 1, 1)),
    *_slice("flat-middle", normal(3000), (513,), (1999,), (1,)),
    *_slice("empty", normal(4, 3), (0, 0), (0, 3), (1, 1)),
    *_slice("scalar", normal(), (), (), ()),
    Sample(
        "beyond",
        "slice",
        [normal(4)],
        {"begin": (2,), "size": (3,), "strides": (1,)},
        raises=(ValueError, r"slice.*begin 2, size 3"),
    ),
    Sample(
        "lists",
        "slice",
        [normal(4, 2)],
        {"begin": (2,), "size": (3,), "strides": (1,)},
        raises=(ValueError, r"slice.*2 entries"),
    ),
    _concatenate("rows", 0, normal(2, 3), normal(4, 3, seed=1), dtypes=EVERY_SIZE),
    _concatenate("columns", -1, normal(17, 3), normal(17, 30, seed=1), normal(17, 1, seed=2), dtypes=EVERY_SIZE),
    _concatenate("middle", 1, normal(2, 1, 5), normal(2, 4, 5)),
    _concatenate("one", 0, normal(3)),
    _concatenate("with-empty", 0, normal(0, 3), normal(2, 3), normal(0, 3)),
    _concatenate("many", 0, *[normal(2, seed=seed) for seed in range(20)]),
    _concatenate("many-columns", 1, *[normal(7, 1 + seed % 3, seed=seed) for seed in range(70)]),
    _concatenate("words", 1, normal(300, 16), normal(300, 32, seed=1), dtypes=EVERY_SIZE),
    _concatenate("int32", 0, integers(0, 9, 4), integers(0, 9, 3)),
    Sample(
        "shapes", "concatenate", [normal(2, 3), normal(2, 4)], {"axis": 0}, raises=(ValueError, r"concatenate.*differ")
    ),
    Sample("axis", "concatenate", [normal(2), normal(2)], {"axis": 1}, raises=(ValueError, r"concatenate.*axis 1")),
    _concatenate("long-rows", 1, normal(3, 30000), normal(3, 1, seed=1), normal(3, 40000, seed=2)),
    _split("rows", normal(6, 5), 3, 0, dtypes=EVERY_SIZE),
    _split("columns", normal(17, 12), 4, dtypes=EVERY_SIZE),
    _split("single-columns", normal(7, 90), 90, 1),
    _split("steps", normal(5, 70, 3), 70, 1, dtypes=EVERY_SIZE),
    _split("one", normal(3, 2), 1),
    _split("words", normal(300, 64), 2, dtypes=EVERY_SIZE),
    _split("long-rows", normal(3, 70000), 5, 1),
    _split("empty", normal(0, 6), 3, 1),
    _split("empty-parts", normal(2, 0, 3), 4, 1),
    _split("int32", integers(0, 9, 4, 6), 2),
    Sample(
        "unequal", "split", [normal(2, 5)], {"parts": 2, "axis": 1}, raises=(ValueError, r"split.*\(2, 5\).*2 equal")
    ),
    Sample("no-parts", "split", [normal(4)], {"parts": 0}, raises=(ValueError, r"split: parts .* got 0")),
    Sample("too-many", "split", [normal(0)], {"parts": 2**40}, raises=(ValueError, r"split: parts .* got 1099")),
    Sample("axis", "split", [normal(4)], {"parts": 2, "axis": 1}, raises=(ValueError, r"split.*axis 1")),
    _pad("both-sides", normal(4, 5), (1, 2), (3, 0), 0.0, dtypes=("float16", "bfloat16", "int8", "int64")),
    _pad("value", normal(3, 50), (0, 7), (2, 7), -1.5, dtypes=("bfloat16",)),
    _pad("images", normal(2, 5, 6, 3), (0, 1, 2, 0), (0, 1, 2, 0), 0.0),
    _pad("words", normal(40, 32), (2, 16), (1, 16), 1.5, dtypes=("float16", "bfloat16", "int8", "int64")),
    _pad("blocks", normal(3, 20, 17, 4), (0, 1, 1, 0), (0, 1, 1, 0), 0.0),
    _pad("empty", normal(0, 2), (1, 0), (1, 1), 2.0),
    _pad("none", normal(3), (0,), (0,), 0.0),
    _pad("scalar", normal(), (), (), 0.0),
    Sample("negative", "pad", [normal(3)], {"low": (-1,), "high": (0,)}, raises=(ValueError, r"pad.*negative")),
    Sample("widths", "pad", [normal(3)], {"low": (1, 1), "high": (0, 0)}, raises=(ValueError, r"pad.*1 entries")),
]
