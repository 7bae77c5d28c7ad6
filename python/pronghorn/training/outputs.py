"""Matching what users give per output (losses, metrics, weights, targets) with the outputs of a model."""

from __future__ import annotations

from typing import Any

from pronghorn import naming, tree


class Outputs:
    """The outputs of a model, flat, with their names.

    Args:
        y_pred: what the model returned.
        names: the model's output names, or None where it has none.

    Attributes:
        count: number of outputs.
        names: one name per output, None where unknown.
    """

    def __init__(self, y_pred: Any, names: list[str] | None) -> None:
        self.count = len(tree.flatten(y_pred))
        self.names: list[str | None] = [None] * self.count
        if isinstance(y_pred, dict) and len(y_pred) == self.count:
            # The order of tree.flatten.
            self.names = sorted(y_pred)
        elif names is not None and len(names) == self.count:
            self.names = list(names)
        self.structure = tree.map_structure(lambda _: "output", y_pred)

    def flatten(self, y: Any, name: str) -> list[Any]:
        """Return one entry per output.

        Args:
            y: structure with one leaf per output: a dict by output name, a list, or the model's own structure.
            name: what it is called in error messages.

        Raises:
            ValueError: if it does not match the outputs.
        """
        if isinstance(y, dict) and None not in self.names and set(y) == set(self.names):
            return [leaf for key in self.names for leaf in tree.flatten(y[key])]
        if isinstance(y, dict) and self.count == 1 and len(y) == 1:
            return tree.flatten(y)
        if isinstance(y, dict) and not isinstance(self.structure, dict):
            raise ValueError(f"{name} has the keys {sorted(y)}, the model's outputs are {self.names}")
        leaves = tree.flatten(y)
        if len(leaves) != self.count:
            raise ValueError(f"{name} has {len(leaves)} parts, the model has {self.count} outputs{self._listing()}")
        return leaves

    def per_output(self, value: Any, name: str, entry_may_nest: bool) -> list[Any]:
        """Return one entry of a compile argument per output, None where an output has none.

        Args:
            value: a dict by output name, a list with an entry per output, or a structure like the model's outputs.
            name: the argument's name.
            entry_may_nest: whether an entry may itself be a list.

        Raises:
            ValueError: if it does not match the outputs.
        """
        if isinstance(value, dict):
            if None not in self.names and set(value) <= set(self.names):
                return [value.get(key) for key in self.names]
            unknown = sorted(map(str, set(value) - set(self.names)))
            raise ValueError(f"{name} has the keys {unknown}, which are no outputs{self._listing()}")
        fits = isinstance(value, (list, tuple)) and len(value) == self.count
        if fits and (entry_may_nest or not any(tree.is_nested(entry) for entry in value)):
            return list(value)
        leaves = tree.flatten(value)
        if not entry_may_nest and len(leaves) == self.count:
            return leaves
        raise ValueError(
            f"{name} must have one entry per output, got {value!r} for {self.count} outputs{self._listing()}"
        )

    def _listing(self) -> str:
        return "" if None in self.names else f" ({', '.join(map(str, self.names))})"


def label_kind(y_true: Any, y_pred: Any) -> str:
    """Tell from shapes what "accuracy" and "crossentropy" mean.

    Returns:
        "binary" for one value per sample, "sparse" for class numbers, "categorical" for one-hot rows.
    """
    true, pred = tuple(y_true.shape), tuple(y_pred.shape)
    if pred and pred[-1] == 1:
        return "binary"
    if len(true) < len(pred) or (true and true[-1] == 1 and pred[-1] > 1):
        return "sparse"
    return "categorical"


def name_of(identifier: Any) -> str:
    """Return the name of a loss or metric: as the user wrote it, or the object's; a function's in snake case."""
    if isinstance(identifier, str):
        return identifier
    name = getattr(identifier, "name", None)
    if isinstance(name, str) and name:
        return name
    return naming.to_snake_case(getattr(identifier, "__name__", None) or type(identifier).__name__)
