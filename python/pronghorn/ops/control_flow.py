"""Branches and loops. Conditions of concrete tensors choose at once; traced ones compute both branches and select."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pronghorn import _core, arguments, tree
from pronghorn.ops.joining import stack

__all__ = ["cond", "fori_loop", "map", "scan", "switch", "vectorized_map", "while_loop"]

_raw = _core.ops


def cond(pred: Any, true_fn: Callable[[], Any], false_fn: Callable[[], Any]) -> Any:
    """Return true_fn() if `pred` holds, else false_fn().

    Inside a trace both are computed and the results selected, so neither may assign variables there.

    Args:
        pred: bool tensor of rank 0.
        true_fn: function without arguments.
        false_fn: function without arguments.

    Returns:
        what the function returns.

    Example:
        >>> from pronghorn import ops
        >>> ops.cond(True, lambda: 1, lambda: 2)
        1
    """
    arguments.function(true_fn, "cond: true_fn")
    arguments.function(false_fn, "cond: false_fn")
    pred = _core.convert(pred)
    if not pred.is_traced:
        return true_fn() if bool(pred) else false_fn()
    return tree.map_structure(lambda a, b: _raw.select(pred, a, b), true_fn(), false_fn())


def while_loop(
    cond: Callable[..., Any], body: Callable[..., Any], loop_vars: Any, maximum_iterations: int | None = None
) -> Any:
    """Repeat `body` while `cond` holds. The condition must be concrete: programs have no loops of unknown length.

    Args:
        cond: function of the values, returning a bool.
        body: function of the values, returning the next ones.
        loop_vars: first values.
        maximum_iterations: how often at most.

    Returns:
        the last values, in the form of `loop_vars`.

    Raises:
        ValueError: inside a trace, if the condition depends on traced values.

    Example:
        >>> from pronghorn import ops
        >>> ops.while_loop(lambda i: i < 10, lambda i: i * 2, 1)
        ph.Tensor(16, shape=(), dtype=int32)
    """
    arguments.function(cond, "while_loop: cond")
    arguments.function(body, "while_loop: body")
    if maximum_iterations is not None:
        maximum_iterations = arguments.integer(maximum_iterations, "while_loop: maximum_iterations")
    single = not isinstance(loop_vars, (list, tuple))
    values = tuple(tree.map_structure(_core.convert, value) for value in ((loop_vars,) if single else loop_vars))
    count = 0
    while (maximum_iterations is None or count < maximum_iterations) and bool(_core.convert(cond(*values))):
        result = body(*values)
        values = tuple(result) if isinstance(result, (list, tuple)) else (result,)
        count += 1
    return values[0] if single else values


def fori_loop(lower: int, upper: int, body_fun: Callable[[Any, Any], Any], init_val: Any) -> Any:
    """Return the value after body_fun(i, value) for i from `lower` to `upper` - 1.

    Args:
        lower: int.
        upper: int.
        body_fun: function of the counter and the value.
        init_val: first value, a structure of tensors.

    Returns:
        the last value.

    Example:
        >>> from pronghorn import ops
        >>> ops.fori_loop(0, 4, lambda i, total: total + i, 0)
        ph.Tensor(6, shape=(), dtype=int32)
    """
    arguments.function(body_fun, "fori_loop: body_fun")
    value = tree.map_structure(_core.convert, init_val)
    for i in range(arguments.integer(lower, "fori_loop: lower"), arguments.integer(upper, "fori_loop: upper")):
        value = body_fun(i, value)
    return value


def scan(
    f: Callable[[Any, Any], tuple[Any, Any]],
    init: Any,
    xs: Any = None,
    length: int | None = None,
    reverse: bool = False,
    unroll: int = 1,
) -> tuple[Any, Any]:
    """Carry a value through the slices of `xs` along the first axis; returns it and the stacked results."""
    arguments.function(f, "scan: f")
    if xs is not None:
        xs = tree.map_structure(lambda leaf: leaf if hasattr(leaf, "shape") else _core.convert(leaf), xs)
        sizes = {leaf.shape[0] if leaf.shape else -1 for leaf in tree.flatten(xs)}
        count = sizes.pop() if len(sizes) == 1 else -1
        if count < 0:
            raise ValueError("scan: the tensors of xs must have a first axis of one common size")
    elif length is None:
        raise ValueError("scan: give xs or length")
    else:
        count = arguments.integer(length, "scan: length", least=0)
    results = []
    carry = init
    steps = range(count - 1, -1, -1) if reverse else range(count)
    for i in steps:
        x = None if xs is None else tree.map_structure(lambda leaf, at=i: leaf[at], xs)
        carry, result = f(carry, x)
        results.append(result)
    if reverse:
        results.reverse()
    if not results or results[0] is None:
        return carry, None
    return carry, tree.map_structure(lambda *leaves: stack(leaves), *results)


def map(f: Callable[[Any], Any], xs: Any) -> Any:
    """Return the stacked results of `f` on the slices of `xs` along the first axis."""
    arguments.function(f, "map: f")
    return scan(lambda carry, x: (carry, f(x)), None, xs)[1]


def vectorized_map(function: Callable[[Any], Any], elements: Any) -> Any:
    """Return the stacked results of `function` on the slices of `elements` along the first axis."""
    return map(function, elements)


def switch(index: Any, branches: Any, *operands: Any) -> Any:
    """Return branches[index](*operands), the index clipped to the list. It must be concrete."""
    if not isinstance(branches, (list, tuple)) or not branches:
        raise ValueError(f"switch: branches must be a list of functions, got {arguments.shown(branches)}")
    chosen = branches[min(max(arguments.integer(index, "switch: index"), 0), len(branches) - 1)]
    return arguments.function(chosen, "switch: branches")(*operands)
