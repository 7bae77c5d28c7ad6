"""Calls every public name of a module as it is meant, then with each argument spoiled in turn. An exception that says
what is wrong is an answer; anything else is a fault.

    python tests/bad_variants.py MODULE...   # prints JSON: the number of calls and of variants, and the faults

Before each call its name goes to stderr, so that the last line there tells which call crashed.
"""

from __future__ import annotations

import contextlib
import faulthandler
import io
import json
import os
import re
import resource
import signal
import sys
import tempfile
import traceback
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np

import pronghorn as ph
import public_arguments
import public_calls
import public_methods

ANSWERS = (ValueError, TypeError, IndexError, OverflowError, MemoryError, NotImplementedError, OSError)
# what Python or NumPy says when nobody has looked at the argument
INTERNAL = (
    "has no attribute",
    "unsupported operand",
    "is not subscriptable",
    "is not iterable",
    "ufunc",
    "values to unpack",
    "cannot unpack",
    "not supported between",
    "incompatible function arguments",
    "cannot be interpreted as an integer",
    "indices must be integers",
    "bad operand type",
    "has no len()",
    "is not callable",
    "argument must be a string or a",
    "argument after",
    "unhashable type",
    "can't multiply sequence",
    "must be real number",
    "list index out of range",
    "tuple index out of range",
    "not all arguments converted",
    "must be str or None",
    "inhomogeneous",
    "could not convert string",
)
# how our messages begin
OURS = re.compile(
    r"[\w.]+(\(\))?: |\w+\(\) is missing argument|unknown \w+ |cannot interpret .* as an? |dtype must be|shape must be"
    r"|layer '|input \d+ of layer|out of memory|[\w.<>]+\(\) (missing|takes|got) "
)
SECONDS = 10
# numbers of rounds: huge ones are no mistake, they only take for ever
ROUNDS = {
    "Model.fit": ("epochs", "steps_per_epoch", "validation_steps"),
    "Model.evaluate": ("steps",),
    "Model.profile": ("repeats",),
    "ops.fori_loop": ("upper",),
}
MEMORY = 6 << 30


class HangError(Exception):
    """A call does not come to an end."""


def _hang(*_: Any) -> None:
    raise HangError(f"no answer after {SECONDS} s")


THREADS = ph.config.num_threads()
PACKAGE = os.path.dirname(ph.__file__)
USERS_FILES = {public_arguments.__file__, public_methods.__file__}


class Unknown:
    """An object of a class nobody knows."""

    def __repr__(self) -> str:
        return "Unknown()"


SCALARS = {"None": None, "text": "text", "list": [], "dict": {}, "object": Unknown()}


def _of_array(value: np.ndarray) -> Iterator[tuple[str, Any]]:
    yield "scalar", value.dtype.type(0)
    yield "one dimension more", value[None]
    if value.ndim > 1:
        yield "one dimension less", value[0]
    for axis in range(value.ndim):
        yield f"axis {axis} longer", np.concatenate([value, value.take([0], axis)], axis)
        yield f"axis {axis} empty", value.take([], axis)
    yield "nine dimensions", value.reshape((1,) * (9 - value.ndim) + value.shape)
    for dtype in ("bool", "int32", "float64", "complex64", "object", "U3"):
        yield dtype, value.astype(dtype)
    if value.dtype.kind == "f":
        yield "NaN", np.full_like(value, np.nan)
        yield "infinite", np.full_like(value, np.inf)
        yield "negative", -value
    else:
        yield "negative", -value.astype("int64") - 1
        yield "large", value.astype("int64") + 1000
        yield "huge", value.astype("int64") + 2**40
    yield "ragged", [[1.0], [1.0, 2.0]]


def _of_numbers(value: tuple[int, ...] | list[int]) -> Iterator[tuple[str, Any]]:
    make = type(value)
    yield "empty", make()
    yield "longer", make([*value, *value, *value])
    if all(isinstance(each, (int, float)) for each in value):
        for bad in (-7, 0, 2**40, 2**70, 1.5, float("nan"), None, "text"):
            yield f"holding {bad}", make([bad, *value[1:]])


def variants(value: Any) -> Iterator[tuple[str, Any]]:
    """What a user may wrongly give instead of `value`, each with a word for it."""
    yield from SCALARS.items()
    if isinstance(value, np.ndarray):
        yield from _of_array(value)
    elif isinstance(value, bool):
        yield from (("2", 2), ("NaN", float("nan")))
    elif isinstance(value, int):
        yield from ((str(each), each) for each in (-7, -1, 0, 100, 2**40, 2**70, 1.5, float("nan"), True))
    elif isinstance(value, float):
        yield from ((str(each), each) for each in (-1.0, 0.0, 1e30, float("nan"), float("inf"), 10**400, True))
    elif isinstance(value, str):
        yield from (("unknown word", "unheard-of"), ("empty text", ""), ("number", 3))
    elif isinstance(value, (tuple, list)) and value and isinstance(value[0], np.ndarray):
        make = type(value)
        for word, bad in (*SCALARS.items(), *_of_array(value[0])):
            yield f"holding {word}", make([bad, *value[1:]])
        yield "of one", make(value[:1])
        yield "empty", make()
    elif isinstance(value, (tuple, list)):
        yield from _of_numbers(value)
    else:
        yield from ((str(each), each) for each in (-1, 0, 1.5, float("nan"), 2**40, [-7, None], {"a": "text"}))


def _bytes(result: Any) -> int:
    if isinstance(result, (tuple, list)):
        return sum(map(_bytes, result))
    if isinstance(result, (ph.Tensor, ph.Variable, np.ndarray)):
        return int(np.prod(result.shape)) * 4
    return 0


def _words(call: public_calls.Call) -> list[str]:
    """What a message may name: the function or its arguments."""
    module, _, name = call.name.rpartition(".")
    return [
        name.lower(),
        module.split(".")[-1].lower(),
        *(key.strip("*").lower() for key in call.arguments if key != "*"),
    ]


def fault_of(call: public_calls.Call, error: BaseException) -> str | None:
    """What is wrong with an exception, None if it is an answer."""
    text = str(error)
    if type(error) is RuntimeError and text.startswith("generator raised"):
        return "generator"
    frame = traceback.extract_tb(error.__traceback__)[-1]
    if frame.filename in USERS_FILES:
        return None  # a function of the user's got something else than it takes
    if not isinstance(error, ANSWERS) or isinstance(error, UnicodeError):
        return f"{type(error).__name__}: {text}"
    if not text.strip():
        return f"{type(error).__name__} without text"
    if OURS.match(text):
        return None
    for internal in INTERNAL:
        if internal in text:
            return f"internal message: {text}"
    if isinstance(error, (MemoryError, OSError)):
        return None
    if not frame.filename.startswith((PACKAGE, os.path.dirname(__file__))):
        return f"{type(error).__name__} of {os.path.basename(frame.filename)}: {text}"
    words = [*_words(call), "tensor"]
    if not any(word in text.lower().replace("`", "") for word in words):
        return f"nothing named: {text}"
    return None


def attempt(call: public_calls.Call, given: dict[str, Any]) -> tuple[str | None, BaseException | None]:
    """Make a call; return what is wrong with how it went, and the exception if there was one."""
    signal.alarm(SECONDS)
    faulthandler.dump_traceback_later(4 * SECONDS, exit=True)
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            result = call.use(**given)
        return ("giant result" if _bytes(result) > 1 << 28 else None), None
    except Exception as error:
        fault = fault_of(call, error)
        if fault is not None:
            frame = traceback.extract_tb(error.__traceback__)[-1]
            fault = f"{' '.join(fault.split())[:160]}  [{os.path.basename(frame.filename)}:{frame.lineno}]"
        return fault, error
    finally:
        signal.alarm(0)
        if ph.config.num_threads() != THREADS:
            ph.config.set_num_threads(THREADS)
        ph.config.set_epsilon(1e-7)
        ph.config.set_dtype_policy("float32")
        ph.config.set_image_data_format("channels_last")


def spoiled(call: public_calls.Call) -> Iterator[tuple[str, dict[str, Any]]]:
    """The call's arguments with each spoiled in turn, and words for it."""
    for argument, value in call.arguments.items():
        for word, bad in variants(value):
            line = f"{call.name}({argument}: {word})"
            if argument in ROUNDS.get(call.name, ()) and isinstance(bad, int) and bad > 1000:
                continue
            if argument == "*" and not isinstance(bad, tuple):
                bad = tuple(bad) if isinstance(bad, list) else (bad,)
            yield line, {**call.arguments, argument: bad}


def main(modules: list[str]) -> None:
    """Try the calls of the modules, in a folder of their own."""
    warnings.simplefilter("ignore")
    np.seterr(all="ignore")
    signal.signal(signal.SIGALRM, _hang)
    if "asan" not in os.environ.get("LD_PRELOAD", ""):
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    calls = tried = 0
    faults = []
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        public_methods.shared_model().save_weights(public_methods.WEIGHTS)
        for module in modules:
            for call in public_calls.calls(module):
                calls += 1
                print(call.name, file=sys.stderr, flush=True)
                fault, error = attempt(call, dict(call.arguments))
                if fault or error:
                    faults.append(f"{call.name} as it is meant -> {fault or error}")
                for line, given in spoiled(call):
                    tried += 1
                    print(line, file=sys.stderr, flush=True)
                    fault, _ = attempt(call, given)
                    if fault is not None:
                        faults.append(f"{line} -> {fault}")
        os.chdir("/")
    faulthandler.cancel_dump_traceback_later()
    print(json.dumps({"calls": calls, "variants": tried, "faults": faults}))


if __name__ == "__main__":
    main(sys.argv[1:])
