"""Checks of constructor arguments that many layers share."""

from __future__ import annotations

from typing import Any


def window(value: Any, rank: int, name: str, allow_zero: bool = False) -> tuple[int, ...]:
    """Return `value`, an int or a sequence of `rank` ints, as a tuple.

    Args:
        value: what the user gave.
        rank: number of spatial dimensions.
        name: name of the argument, for the message.
        allow_zero: whether zeros are accepted.

    Raises:
        ValueError: unless it is made of positive (or non-negative) ints.
    """
    sizes = (value,) * rank if isinstance(value, int) else value
    least = 0 if allow_zero else 1
    if (
        not isinstance(sizes, (list, tuple))
        or len(sizes) != rank
        or any(not isinstance(size, int) or isinstance(size, bool) or size < least for size in sizes)
    ):
        wanted = "non-negative" if allow_zero else "positive"
        raise ValueError(f"{name} must be a {wanted} integer or {rank} of them, got {value!r}")
    return tuple(sizes)


def padding_mode(value: Any, allow_causal: bool = False) -> str:
    """Return a padding mode in lower case.

    Raises:
        ValueError: for anything but "valid", "same" and, if allowed, "causal".
    """
    allowed = ("valid", "same", "causal") if allow_causal else ("valid", "same")
    mode = value.lower() if isinstance(value, str) else value
    if mode not in allowed:
        raise ValueError(f"padding must be one of {allowed}, got {value!r}")
    return mode


def positive_int(value: Any, name: str) -> int:
    """Return `value` if it is a positive int.

    Raises:
        ValueError: otherwise.
    """
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise ValueError(f"{name} must be a positive integer, got {value!r}")
    return value


def fraction(value: Any, name: str) -> float:
    """Return `value` if it lies between 0 and 1.

    Raises:
        ValueError: otherwise.
    """
    if not isinstance(value, (int, float)) or isinstance(value, bool) or not 0 <= value <= 1:
        raise ValueError(f"{name} must be a number between 0 and 1, got {value!r}")
    return value


def constructor_arguments(names: dict[str, Any], but: tuple[str, ...] = ()) -> dict[str, Any]:
    """Return a constructor's named arguments from its `locals()`, to be handed on.

    Args:
        names: what `locals()` gives in the constructor's first statement.
        but: arguments to leave out, besides `**kwargs`.
    """
    return {name: value for name, value in names.items() if name not in ("self", "__class__", "kwargs", *but)}


def refuse(layer: str, **arguments: Any) -> None:
    """Raise if one of the arguments, which the layer knows but cannot serve, is set.

    Raises:
        ValueError: naming the argument.
    """
    for name, value in arguments.items():
        if value is not None and value is not False:
            raise ValueError(f"{layer}: {name} is not supported, got {value!r}")
