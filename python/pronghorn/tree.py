"""Nested structures of lists, tuples and dicts."""

from __future__ import annotations

from collections import OrderedDict, defaultdict, deque
from collections.abc import Callable
from typing import Any

from pronghorn import arguments


class MAP_TO_NONE:
    """What the function given to `traverse` returns to put None in place of a part."""


# subclasses count as what they derive from, except that a namedtuple's fields matter
_KINDS = (list, tuple, dict, deque)


def is_nested(structure: Any) -> bool:
    """Tell whether `structure` is a list, tuple, dict or deque."""
    return isinstance(structure, _KINDS)


def _keys(structure: Any) -> list[Any]:
    if isinstance(structure, OrderedDict):
        return list(structure)
    if not isinstance(structure, dict):
        return list(range(len(structure)))
    try:
        return sorted(structure)
    except TypeError:  # keys of several types
        return sorted(structure, key=lambda key: (type(key).__qualname__, key))


def _children(structure: Any) -> list[Any]:
    if isinstance(structure, dict):
        return [structure[key] for key in _keys(structure)]
    return list(structure)


def _rows(structures: tuple[Any, ...]) -> list[tuple[Any, ...]]:
    return [tuple(structure[key] for structure in structures) for key in _keys(structures[0])]


def _rebuild(structure: Any, children: list[Any]) -> Any:
    if isinstance(structure, dict):
        by_key = dict(zip(_keys(structure), children))
        in_order = [(key, by_key[key]) for key in structure]
        if isinstance(structure, defaultdict):
            return type(structure)(structure.default_factory, in_order)
        return type(structure)(in_order)
    if hasattr(structure, "_fields"):
        return type(structure)(*children)
    return type(structure)(children)


def flatten(structure: Any) -> list[Any]:
    """Return the leaves of a nested structure, dict entries in key order (those of an `OrderedDict` in its own).

    Example:
        >>> from pronghorn import tree
        >>> tree.flatten({"b": 2, "a": [1, (3,)]})
        [1, 3, 2]
    """
    if not isinstance(structure, _KINDS):
        return [structure]
    leaves: list[Any] = []
    for child in _children(structure) if isinstance(structure, dict) else structure:
        if isinstance(child, _KINDS):
            leaves += flatten(child)
        else:
            leaves.append(child)
    return leaves


def flatten_with_path(structure: Any) -> list[tuple[tuple[Any, ...], Any]]:
    """Return the leaves as `flatten` does, each with the keys and indices that lead to it.

    Example:
        >>> from pronghorn import tree
        >>> tree.flatten_with_path({"b": 2, "a": [1, (3,)]})
        [(('a', 0), 1), (('a', 1, 0), 3), (('b',), 2)]
    """
    if not is_nested(structure):
        return [((), structure)]
    return [
        ((key, *path), leaf)
        for key, child in zip(_keys(structure), _children(structure))
        for path, leaf in flatten_with_path(child)
    ]


def map_structure(func: Callable[..., Any], *structures: Any, none_is_leaf: bool = True) -> Any:
    """Apply `func` to corresponding leaves and return the results in the first structure's form.

    Args:
        func: function of as many arguments as there are structures.
        *structures: structures that nest in the same way.
        none_is_leaf: whether None is a leaf; if not, None stays where the first structure has it.

    Raises:
        ValueError: if the structures differ, or there is none.

    Example:
        >>> from pronghorn import tree
        >>> tree.map_structure(lambda a, b: a + b, {"x": [1, 2]}, {"x": [10, 20]})
        {'x': [11, 22]}
    """
    if not structures:
        raise ValueError("map_structure: at least one structure is needed")
    arguments.function(func, "map_structure: func")
    return _map(func, structures, none_is_leaf)


def _map(func: Callable[..., Any], structures: tuple[Any, ...], none_is_leaf: bool) -> Any:
    first = structures[0]
    for other in structures[1:]:
        _assert_same_node(first, other)
    if not is_nested(first):
        return None if first is None and not none_is_leaf else func(*structures)
    return _rebuild(first, [_map(func, row, none_is_leaf) for row in _rows(structures)])


def map_structure_up_to(shallow_structure: Any, func: Callable[..., Any], *structures: Any) -> Any:
    """Apply `func` to the parts of structures that stand where a shallower structure has its leaves.

    Raises:
        ValueError: if a structure does not nest like `shallow_structure` down to its leaves, or there is none.

    Example:
        >>> from pronghorn import tree
        >>> tree.map_structure_up_to([None, None], len, [[1, 2], (3,)])
        [2, 1]
    """
    if not structures:
        raise ValueError("map_structure_up_to: at least one structure is needed")
    arguments.function(func, "map_structure_up_to: func")
    if not is_nested(shallow_structure):
        return func(*structures)
    for structure in structures:
        _assert_same_node(shallow_structure, structure)
    rows = _rows((shallow_structure, *structures))
    return _rebuild(shallow_structure, [map_structure_up_to(shallow, func, *parts) for shallow, *parts in rows])


def map_shape_structure(func: Callable[[Any], Any], structure: Any) -> Any:
    """Apply `func` to each shape, a tuple or list of ints and None, of a structure.

    Example:
        >>> from pronghorn import tree
        >>> tree.map_shape_structure(len, {"image": (None, 8, 8, 3), "label": (None,)})
        {'image': 4, 'label': 1}
    """
    arguments.function(func, "map_shape_structure: func")
    is_shape = isinstance(structure, (list, tuple)) and all(isinstance(size, (int, type(None))) for size in structure)
    if is_shape or not is_nested(structure):
        return func(structure)
    return _rebuild(structure, [map_shape_structure(func, child) for child in _children(structure)])


def traverse(func: Callable[[Any], Any], structure: Any, top_down: bool = True) -> Any:
    """Apply `func` to the structure, its parts and leaves; what it returns takes their place, unless it is None.

    Args:
        func: function of a part; it returns None to leave the part, `MAP_TO_NONE` to put None there.
        structure: any structure.
        top_down: whether a part comes before what is in it; a part that was replaced is then not looked into.

    Example:
        >>> from pronghorn import tree
        >>> tree.traverse(lambda part: sum(part) if isinstance(part, tuple) else None, [1, (2, 3)])
        [1, 5]
    """

    arguments.function(func, "traverse: func")

    def with_children(part: Any) -> Any:
        if not is_nested(part):
            return part
        return _rebuild(part, [traverse(func, child, top_down) for child in _children(part)])

    part = structure if top_down else with_children(structure)
    result = func(part)
    if result is None:
        return with_children(part) if top_down else part
    return None if result is MAP_TO_NONE else result


def lists_to_tuples(structure: Any) -> Any:
    """Return the structure with tuples in place of lists."""
    return traverse(lambda part: tuple(part) if isinstance(part, list) else None, structure, top_down=False)


def pack_sequence_as(structure: Any, flat_sequence: list[Any]) -> Any:
    """Put the leaves in `flat_sequence` into the form of `structure`.

    Raises:
        ValueError: if the number of leaves differs.
    """
    leaves = arguments.list_of(flat_sequence, "pack_sequence_as: flat_sequence")
    expected = len(flatten(structure))
    if len(leaves) != expected:
        raise ValueError(f"pack_sequence_as: structure has {expected} leaves, flat_sequence has {len(leaves)}")
    remaining = iter(leaves)

    def build(part: Any) -> Any:
        if not is_nested(part):
            return next(remaining)
        return _rebuild(part, [build(child) for child in _children(part)])

    return build(structure)


def _assert_same_node(a: Any, b: Any) -> None:
    same = all(isinstance(a, kind) == isinstance(b, kind) for kind in _KINDS)
    if same and is_nested(a):
        same = len(a) == len(b) and getattr(a, "_fields", None) == getattr(b, "_fields", None)
        same = same and (not isinstance(a, dict) or a.keys() == b.keys())
    if not same:
        raise ValueError(f"tree: the two structures differ: {a!r} and {b!r}")


def assert_same_structure(a: Any, b: Any, check_types: bool | None = None) -> None:
    """Raise unless `a` and `b` nest in the same way, lists where the other has lists, tuples where it has tuples.

    Args:
        a, b: structures.
        check_types: without effect, as in Keras 3; `assert_same_paths` makes no difference between lists and tuples.

    Raises:
        ValueError: naming both structures where they differ.
    """
    map_structure(lambda *leaves: None, a, b)


def assert_same_paths(a: Any, b: Any) -> None:
    """Raise unless the same keys and indices lead to the leaves of `a` and `b`; lists and tuples are alike.

    Raises:
        ValueError: naming the paths that only one of them has.
    """
    of_a, of_b = ({path for path, _ in flatten_with_path(structure)} for structure in (a, b))
    if of_a != of_b:
        raise ValueError(f"the paths differ: only a has {of_a - of_b or ''}, only b has {of_b - of_a or ''}")
