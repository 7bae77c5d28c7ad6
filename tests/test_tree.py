"""Nested structures: order of leaves, forms that are kept, what counts as the same."""

from __future__ import annotations

from collections import OrderedDict, defaultdict, deque, namedtuple

import pytest

from pronghorn import tree

Point = namedtuple("Point", "x y")
NESTED = {"b": [1, (2,)], "a": Point(3, None)}


def test_leaves_come_in_key_order_and_those_of_an_ordered_dict_in_its_own():
    assert tree.flatten(NESTED) == [3, None, 1, 2]
    assert tree.flatten(OrderedDict(b=1, a=2)) == [1, 2]
    assert tree.flatten({"x": 3, 1: 2}) == [2, 3]
    assert tree.flatten(deque([1, [2]])) == [1, 2]


def test_paths_are_keys_and_indices():
    assert tree.flatten_with_path(NESTED) == [(("a", 0), 3), (("a", 1), None), (("b", 0), 1), (("b", 1, 0), 2)]
    assert tree.flatten_with_path(7) == [((), 7)]


def test_mapping_keeps_forms():
    mapped = tree.map_structure(lambda x: x if x is None else x + 1, NESTED)
    assert (
        mapped == {"b": [2, (3,)], "a": Point(4, None)}
        and isinstance(mapped["a"], Point)
        and list(mapped) == ["b", "a"]
    )
    counts = tree.map_structure(lambda x: x * 2, defaultdict(list, a=1))
    assert counts["a"] == 2 and counts["new"] == []
    assert tree.map_structure(lambda a, b: a - b, {"x": 5, "y": 7}, OrderedDict(y=1, x=2)) == {"x": 3, "y": 6}
    assert tree.pack_sequence_as(NESTED, [1, 2, 3, 4]) == {"b": [3, (4,)], "a": Point(1, 2)}


def test_none_is_a_leaf_unless_told_otherwise():
    assert tree.map_structure(lambda x: 0, [1, None]) == [0, 0]
    assert tree.map_structure(lambda x: 0, [1, None], none_is_leaf=False) == [0, None]


def test_mapping_up_to_a_shallower_structure():
    assert tree.map_structure_up_to([0, 0], lambda a, b: (a, b), [[1, 2], 3], [4, [5]]) == [([1, 2], 4), (3, [5])]
    assert tree.map_structure_up_to(0, lambda a: a, [1]) == [1]


def test_mapping_shapes():
    shapes = {"a": (1, None), "b": [[2, 3], (4,)]}
    assert tree.map_shape_structure(len, shapes) == {"a": 2, "b": [2, 1]}


def test_traversal_in_both_directions():
    seen = []
    tree.traverse(seen.append, [(1, 2), {"a": 3}])
    assert seen == [[(1, 2), {"a": 3}], (1, 2), 1, 2, {"a": 3}, 3]
    seen = []
    tree.traverse(seen.append, [(1, 2), {"a": 3}], top_down=False)
    assert seen == [1, 2, (1, 2), 3, {"a": 3}, [(1, 2), {"a": 3}]]
    assert tree.traverse(lambda x: tree.MAP_TO_NONE if x == 2 else None, [1, (2, 3)]) == [1, (None, 3)]
    assert tree.traverse(lambda x: 0 if isinstance(x, tuple) else None, [1, (2, 3)]) == [1, 0]
    assert tree.lists_to_tuples([1, [2, {"a": [3]}]]) == (1, (2, {"a": (3,)}))


@pytest.mark.parametrize(
    ("a", "b"),
    [([1], (1,)), ([1], [1, 2]), ({"a": 1}, {"b": 1}), ([1], 1), (Point(1, 2), (1, 2)), ({"a": [1]}, {"a": 1})],
)
def test_structures_that_differ(a, b):
    for first, second in ((a, b), (b, a)):
        with pytest.raises(ValueError, match="differ"):
            tree.assert_same_structure(first, second)
        with pytest.raises(ValueError, match="differ"):
            tree.map_structure(lambda x, y: x, first, second)


def test_same_paths_need_not_be_the_same_structure():
    tree.assert_same_paths([0, (1,)], (2, [3]))
    with pytest.raises(ValueError, match=r"only b has \{\(1,\)\}"):
        tree.assert_same_paths([0], (0, 1))


def test_misuse_is_explained():
    for function in (lambda: tree.map_structure(abs), lambda: tree.map_structure_up_to([1], abs)):
        with pytest.raises(ValueError, match="at least one structure"):
            function()
    with pytest.raises(ValueError, match="structure has 2 leaves, flat_sequence has 1"):
        tree.pack_sequence_as([1, 2], [1])
    with pytest.raises(ValueError, match="differ"):
        tree.map_structure_up_to([0, 0], abs, [1])
