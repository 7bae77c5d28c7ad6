"""Calls every native op with random arguments. A Python exception is an answer; a crash is not.

python tests/fuzz_ops.py SEED CALLS      # prints the op before each call, so that the last line names the culprit
"""

from __future__ import annotations

import inspect
import sys

import numpy as np

from pronghorn import _core

DTYPES = ("float32", "float64", "int32", "int64", "bool", "int8", "uint8", "uint32", "float16")
SHAPES = (
    (),
    (0,),
    (1,),
    (3,),
    (2, 3),
    (3, 2),
    (0, 3),
    (4, 4),
    (1, 5, 1),
    (2, 3, 4),
    (2, 5, 5, 3),
    (3, 3, 3, 4),
    (1, 1, 1, 1),
)
SPECIAL = (np.nan, np.inf, -np.inf, 0.0, -1.0, 1e30)


def random_array(rng: np.random.Generator) -> np.ndarray:
    """An array of some shape and dtype, now and then with NaN, infinities or odd integers in it."""
    shape = SHAPES[rng.integers(len(SHAPES))]
    values = rng.normal(size=shape) * 3
    dtype = DTYPES[rng.integers(len(DTYPES)) if rng.random() < 0.5 else 0]
    if rng.random() < 0.2 and values.size and dtype.startswith("float"):
        values.flat[rng.integers(values.size)] = SPECIAL[rng.integers(len(SPECIAL))]
    with np.errstate(all="ignore"):
        return values.astype(dtype)


def random_attribute(rng: np.random.Generator, default: object) -> object:
    """A value like the default, or one that does not fit."""
    choice = rng.random()
    if choice < 0.15:
        return [None, "text", -3, 2**40, (), (1, 2, 3, 4, 5, 6, 7, 8, 9, 10), 1.5, float("nan")][rng.integers(8)]
    if isinstance(default, bool):
        return bool(rng.integers(2))
    if isinstance(default, int):
        return int(rng.integers(-3, 5))
    if isinstance(default, float):
        return float(rng.normal())
    if isinstance(default, tuple):
        return tuple(int(each) for each in rng.integers(-2, 5, size=rng.integers(0, 5)))
    return default


def main() -> None:
    """Run the calls."""
    rng = np.random.default_rng(int(sys.argv[1]))
    names = [entry["name"] for entry in _core.op_table()]
    answered = 0
    for _ in range(int(sys.argv[2])):
        name = names[rng.integers(len(names))]
        function = getattr(_core.ops, name)
        entry = next(entry for entry in _core.op_table() if entry["name"] == name)
        parameters = list(inspect.signature(function).parameters.values())
        inputs = [random_array(rng) for _ in entry["inputs"]]
        if rng.random() < 0.5 and len(inputs) > 1:
            inputs = [inputs[0]] * len(inputs)
        arguments = {}
        for parameter in parameters[len(inputs) :]:
            if rng.random() < 0.6:
                arguments[parameter.name] = random_attribute(rng, parameter.default)
        shapes = [f"{each.dtype}{each.shape}" for each in inputs]
        print(name, shapes, arguments, file=sys.stderr, flush=True)
        try:
            first = [inputs] if name in ("concatenate", "tiles") else inputs
            result = function(*first, **arguments)
            for each in result if isinstance(result, tuple) else (result,):
                each.numpy()
            answered += 1
        except (ValueError, TypeError, IndexError, OverflowError, MemoryError):
            pass
    print(answered)


if __name__ == "__main__":
    main()
