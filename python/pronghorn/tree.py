"""Nested structures of lists, tuples and dicts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def is_nested(structure: Any) -> bool:
    """Tell whether `structure` is a list, tuple or dict."""
    return isinstance(structure, (list, tuple, dict))


def _children(structure: Any) -> list[Any]:
    if isinstance(structure, dict):
        return [structure[key] for key in sorted(structure)]
    return list(structure)


def _rebuild(structure: Any, children: list[Any]) -> Any:
    if isinstance(structure, dict):
        by_key = dict(zip(sorted(structure), children))
        return type(structure)((key, by_key[key]) for key in structure)
    if hasattr(structure, "_fields"):
        return type(structure)(*children)
    return type(structure)(children)


def flatten(structure: Any) -> list[Any]:
    """Return the leaves of a nested structure, dict entries in key order.

    Example:
        >>> from pronghorn import tree
        >>> tree.flatten({"b": 2, "a": [1, (3,)]})
        [1, 3, 2]
    """
    if not is_nested(structure):
        return [structure]
    return [leaf for child in _children(structure) for leaf in flatten(child)]


def map_structure(fn: Callable[..., Any], *structures: Any) -> Any:
    """Apply `fn` to corresponding leaves and return the results in the first structure's form.

    Raises:
        ValueError: if the structures differ.
    """
    first = structures[0]
    for other in structures[1:]:
        assert_same_structure(first, other)
    results = [fn(*leaves) for leaves in zip(*(flatten(structure) for structure in structures))]
    return pack_sequence_as(first, results)


def pack_sequence_as(structure: Any, flat_sequence: list[Any]) -> Any:
    """Put the leaves in `flat_sequence` into the form of `structure`.

    Raises:
        ValueError: if the number of leaves differs.
    """
    leaves = list(flat_sequence)
    expected = len(flatten(structure))
    if len(leaves) != expected:
        raise ValueError(f"pack_sequence_as: structure has {expected} leaves, flat_sequence has {len(leaves)}")
    remaining = iter(leaves)

    def build(part: Any) -> Any:
        if not is_nested(part):
            return next(remaining)
        return _rebuild(part, [build(child) for child in _children(part)])

    return build(structure)


def assert_same_structure(a: Any, b: Any) -> None:
    """Raise unless `a` and `b` nest in the same way.

    Raises:
        ValueError: naming both structures where they differ.
    """
    same = is_nested(a) == is_nested(b)
    if same and is_nested(a):
        same = isinstance(a, dict) == isinstance(b, dict) and len(a) == len(b)
        if same and isinstance(a, dict):
            same = sorted(a) == sorted(b)
        if same:
            for left, right in zip(_children(a), _children(b)):
                assert_same_structure(left, right)
            return
    if not same:
        raise ValueError(f"the two structures differ: {a!r} and {b!r}")
