"""Running a function with other values in some variables, and taking what it leaves in them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from pronghorn import arguments
from pronghorn.variable import Variable

Result = TypeVar("Result")


def with_values(
    function: Callable[[], Result], variables: Sequence[Variable], values: Sequence[Any], name: str
) -> tuple[Result, list[Any]]:
    """Run a function while variables have other values; afterwards they have their own again.

    Args:
        function: function without arguments.
        variables: the variables.
        values: a value for each of them.
        name: what the values are called in error messages.

    Returns:
        What the function returned, and the values that the variables had at its end.

    Raises:
        ValueError: if there are not as many values as variables.
    """
    values = arguments.list_of(values, name)
    if len(values) != len(variables):
        raise ValueError(f"{name} must hold {len(variables)} tensors, one for each variable, got {len(values)}")
    own = [variable.value for variable in variables]
    try:
        for variable, value in zip(variables, values):
            variable.assign(value)
        return function(), [variable.value for variable in variables]
    finally:
        for variable, value in zip(variables, own):
            variable.assign(value)
