"""Running a function with other values in some variables, and taking what it leaves in them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from pronghorn import arguments
from pronghorn.variable import Variable

# variables, a value for each of them, and what the values are called in error messages
Group = tuple[Sequence[Variable], Sequence[Any], str]


def with_values(function: Callable[[], Any], *groups: Group) -> tuple[Any, ...]:
    """Run a function while variables have other values; afterwards they have their own again.

    Args:
        function: function without arguments.
        *groups: groups of variables and their values.

    Returns:
        What the function returned, and for each group the list of values that its variables had at the end.

    Raises:
        ValueError: if there are not as many values as variables.
    """
    given: list[tuple[Variable, Any]] = []
    for variables, values, name in groups:
        values = arguments.list_of(values, name)
        if len(values) != len(variables):
            raise ValueError(f"{name} must hold {len(variables)} tensors, one for each variable, got {len(values)}")
        given += zip(variables, values)
    own = [(variable, variable.read()) for variable, _ in given]
    try:
        for variable, value in given:
            variable.assign(value)
        result = function()
        return result, *([variable.read() for variable in variables] for variables, _, _ in groups)
    finally:
        for variable, value in own:
            variable.assign(value)
