"""All state of a model as nested dicts, by the parts of the variables' paths."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pronghorn.variable import Variable

_KINDS = ("trainable_variables", "non_trainable_variables", "optimizer_variables", "metrics_variables")


def _variables(model: Any, kind: str) -> list[Variable]:
    if kind == "optimizer_variables":
        return list(model.optimizer.variables) if model.optimizer is not None else []
    return list(getattr(model, kind))


def get_state_tree(model: Any, value_format: str) -> dict[str, Any]:
    """Return the values of all variables; `Model.get_state_tree` describes the arguments.

    Raises:
        ValueError: for an unknown format, or two variables with the same path.
    """
    if value_format not in ("backend_tensor", "numpy_array"):
        raise ValueError(
            f"get_state_tree: value_format must be 'backend_tensor' or 'numpy_array', got {value_format!r}"
        )
    return {kind: _nested(_variables(model, kind), value_format == "numpy_array") for kind in _KINDS}


def _nested(variables: Iterable[Variable], as_numpy: bool) -> dict[str, Any]:
    tree: dict[str, Any] = {}
    for variable in variables:
        *folders, name = variable.path.split("/")
        branch = tree
        for folder in folders:
            branch = branch.setdefault(folder, {})
        if name in branch:
            raise ValueError(f"get_state_tree: two variables have the path {variable.path!r}; give layers unique names")
        branch[name] = variable.numpy() if as_numpy else variable.value
    return tree


def set_state_tree(model: Any, state_tree: dict[str, Any]) -> None:
    """Set variables; `Model.set_state_tree` describes the arguments.

    Raises:
        ValueError: for an unknown kind of variables.
    """
    if not isinstance(state_tree, dict):
        raise TypeError(f"set_state_tree: state_tree must be a dict as get_state_tree() returns it, got {state_tree!r}")
    for kind, tree in state_tree.items():
        if kind not in _KINDS:
            raise ValueError(f"set_state_tree: state_tree may have the keys {', '.join(_KINDS)}, got {kind!r}")
        values = dict(_leaves(tree, ""))
        for variable in _variables(model, kind):
            if variable.path in values:
                variable.assign(values[variable.path])


def _leaves(tree: Any, path: str) -> Iterable[tuple[str, Any]]:
    if not isinstance(tree, dict):
        yield path, tree
        return
    for name, branch in tree.items():
        yield from _leaves(branch, f"{path}/{name}" if path else name)
