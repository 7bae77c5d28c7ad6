"""Weight files (.weights.h5) in Keras 3's layout.

A layer's weights are the datasets "0", "1" ... of the group `<path>/vars`. The path of a layer is the attribute of its
owner that holds it; in a list or dict, the class name in snake case, numbered where it occurs again. The layers of
Sequential and functional models count as such a list, `layers`. The optimizer is an attribute like any other. Objects
that are reached twice are stored where they are reached first, in the order of the attributes' names.
"""

from __future__ import annotations

import functools
import os
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np

from pronghorn import arguments
from pronghorn.naming import to_snake_case

_SUFFIX = ".weights.h5"


def save_weights(model: Any, filepath: Any, overwrite: bool = True) -> None:
    """Write a model's weights to a file.

    Args:
        model: a built model.
        filepath: path that ends in ".weights.h5".
        overwrite: whether an existing file may be replaced.

    Raises:
        ValueError: if the name is wrong, the file exists and must not be replaced, or the model is not built.
    """
    import h5py

    path = _checked_path(filepath, "save_weights")
    _check_built(model, "save_weights")
    if not overwrite and os.path.exists(path):
        raise ValueError(f"save_weights: {path!r} exists and overwrite is False")
    # written beside it and moved, so that an interrupted run does not leave half a file
    partial = f"{path}.partial"
    try:
        with h5py.File(partial, "w") as file:
            for place, each in _saveables(model, "", set()):
                group = file.create_group(f"{place}/vars" if place else "vars")
                if isinstance(getattr(each, "name", None), str):
                    group.attrs["name"] = each.name
                each.save_own_variables(_Store(group))
        os.replace(partial, path)
    finally:
        if os.path.exists(partial):
            os.remove(partial)


def load_weights(model: Any, filepath: Any, skip_mismatch: bool = False) -> None:
    """Read a model's weights from a file.

    Args:
        model: a built model.
        filepath: path that ends in ".weights.h5".
        skip_mismatch: whether to leave alone, with a warning, what does not fit.

    Raises:
        ValueError: if the name is wrong, the model is not built or the file does not fit it.
    """
    import h5py

    path = _checked_path(filepath, "load_weights")
    _check_built(model, "load_weights")
    problems = []
    with h5py.File(path, "r") as file:
        for place, each in _saveables(model, "", set()):
            where = f"{place}/vars" if place else "vars"
            group = file.get(where, {})
            if place in ("optimizer", "optimizer/inner_optimizer") and len(group) != len(each.variables):
                # saved without, or before, the optimizer: the weights matter, the slots start anew
                if len(group):
                    warnings.warn(
                        f"load_weights: the optimizer has {len(each.variables)} variables and stays as it is, "
                        f"{path!r} holds {len(group)} of one; call model.optimizer.build(model.trainable_variables) "
                        "before loading to take them",
                        stacklevel=3,
                    )
                continue
            try:
                each.load_own_variables(_Store(group))
            except (KeyError, ValueError) as error:
                problems.append(f"{place or model.name}: {error}")
    if problems:
        message = f"load_weights: {len(problems)} objects do not fit {path!r}: " + "; ".join(problems)
        if not skip_mismatch:
            raise ValueError(message)
        warnings.warn(message, stacklevel=3)


class _Store:
    """A group of datasets as a mapping of arrays; bfloat16, which HDF5 lacks, is marked as Keras does."""

    def __init__(self, group: Any) -> None:
        self._group = group

    def __setitem__(self, key: str, value: Any) -> None:
        array = np.asarray(value)
        dataset = self._group.create_dataset(key, data=array)
        if array.dtype.name == "bfloat16":
            dataset.attrs["dtype"] = "bfloat16"

    def __getitem__(self, key: str) -> np.ndarray:
        dataset = self._group[key]
        array = np.asarray(dataset)
        if dataset.attrs.get("dtype") == "bfloat16":
            import ml_dtypes

            array = array.view(ml_dtypes.bfloat16)
        return array

    def __len__(self) -> int:
        return len(self._group)

    def keys(self) -> Any:
        return self._group.keys()


def _check_built(model: Any, caller: str) -> None:
    if not hasattr(model, "built"):
        raise TypeError(f"{caller}: model must be a model, got {arguments.shown(model)}")
    if not model.built:
        raise ValueError(f"{caller}: model {model.name!r} has no weights yet; call it or its build() method first")


def _checked_path(filepath: Any, caller: str) -> str:
    path = arguments.path(filepath, f"{caller}: filepath")
    if not path.endswith(_SUFFIX):
        raise ValueError(f"{caller}: the file name must end in {_SUFFIX!r}, got {path!r}")
    return path


def _saveables(owner: Any, place: str, seen: set[int]) -> Iterator[tuple[str, Any]]:
    """Yield (path, object) for everything with weights of its own, each object once."""
    if id(owner) in seen:
        return
    seen.add(id(owner))
    yield place, owner
    for name, value in _attributes(owner):
        yield from _saveables_in(value, f"{place}/{name}" if place else name, seen)


def _saveables_in(value: Any, place: str, seen: set[int]) -> Iterator[tuple[str, Any]]:
    if _is_saveable(value):
        yield from _saveables(value, place, seen)
    elif isinstance(value, (list, tuple, dict)):
        used: dict[str, int] = {}
        for item in value.values() if isinstance(value, dict) else value:
            if not _is_saveable(item) and not isinstance(item, (list, tuple, dict)):
                continue
            name = to_snake_case(type(item).__name__) if _is_saveable(item) else "container"
            used[name] = used.get(name, -1) + 1
            numbered = f"{name}_{used[name]}" if used[name] else name
            yield from _saveables_in(item, f"{place}/{numbered}", seen)


def _is_saveable(value: Any) -> bool:
    return hasattr(value, "save_own_variables") and not isinstance(value, type)


def _attributes(owner: Any) -> Iterator[tuple[str, Any]]:
    """Yield an object's public attributes by name, then those whose names begin with an underscore."""
    if hasattr(owner, "_graph") or hasattr(owner, "_functional"):
        yield "layers", owner.layers
    common = _common_attributes(_root(type(owner)))
    names = [name for name in dir(owner) if not name.startswith("__") and name not in common]
    for name in sorted(names, key=lambda name: (name.startswith("_"), name)):
        try:
            yield name, getattr(owner, name)
        except Exception:  # a property may raise anything where it has nothing to say
            continue


def _root(cls: type) -> type:
    """Return the class that all layers, or all optimizers, derive from."""
    return next((base for base in cls.__mro__ if base.__name__ in ("Layer", "Optimizer")), cls)


@functools.cache
def _common_attributes(root: type) -> frozenset[str]:
    """Return the attributes that every object of a kind has; none of them holds state to be saved."""
    held = {"_trainable_variables", "_non_trainable_variables", "_layers", "_metrics", "_seed_generators", "_losses"}
    held |= {"_constructor_arguments", "_inbound_nodes", "_build_shapes", "_functional", "_graph", "_program_cache"}
    return frozenset({*dir(root), *held})
