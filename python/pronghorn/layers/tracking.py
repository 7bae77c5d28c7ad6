"""State that a layer owns, found by watching its attributes: variables, sublayers, metrics, random state."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from typing import Any, SupportsIndex, TypeVar

from pronghorn.metrics.metric import Metric
from pronghorn.random import SeedGenerator
from pronghorn.variable import Variable

Item = TypeVar("Item")


class TrackedList(list):
    """A list attribute of a layer; what is put in it becomes part of the layer."""

    def __init__(self, values: Iterable[Any] = (), owner: Tracked | None = None) -> None:
        self._owner = owner
        super().__init__(self._tracked(value) for value in values)

    def _tracked(self, value: Any) -> Any:
        return value if self._owner is None else self._owner._track(value)

    def append(self, value: Any) -> None:
        super().append(self._tracked(value))

    def insert(self, index: SupportsIndex, value: Any) -> None:
        super().insert(index, self._tracked(value))

    def extend(self, values: Iterable[Any]) -> None:
        super().extend(self._tracked(value) for value in values)

    def __iadd__(self, values: Iterable[Any]) -> TrackedList:  # type: ignore[override,misc]
        self.extend(values)
        return self

    def __setitem__(self, key: Any, value: Any) -> None:
        super().__setitem__(key, [self._tracked(v) for v in value] if isinstance(key, slice) else self._tracked(value))

    def remove(self, value: Any) -> None:
        # by identity: == on variables compares element by element
        for index, item in enumerate(self):
            if item is value:
                del self[index]
                return
        raise ValueError(f"remove: {value!r} is not in the list")

    def pop(self, index: SupportsIndex = -1) -> Any:
        value = super().pop(index)
        self._forget(value)
        return value

    def clear(self) -> None:
        values = list(self)
        super().clear()
        for value in values:
            self._forget(value)

    def __delitem__(self, key: Any) -> None:
        removed = self[key] if isinstance(key, slice) else [self[key]]
        super().__delitem__(key)
        for value in removed:
            self._forget(value)

    def _forget(self, value: Any) -> None:
        if self._owner is not None:
            self._owner._untrack(value)


class TrackedDict(dict):
    """A dict attribute of a layer; what is put in it becomes part of the layer."""

    def __init__(self, values: Any = (), owner: Tracked | None = None) -> None:
        self._owner = owner
        super().__init__()
        self.update(values)

    def __setitem__(self, key: Any, value: Any) -> None:
        super().__setitem__(key, value if self._owner is None else self._owner._track(value))

    def update(self, *args: Any, **kwargs: Any) -> None:
        for key, value in dict(*args, **kwargs).items():
            self[key] = value

    def setdefault(self, key: Any, default: Any = None) -> Any:
        if key not in self:
            self[key] = default
        return self[key]

    def pop(self, key: Any, *default: Any) -> Any:
        value = super().pop(key, *default)
        if self._owner is not None:
            self._owner._untrack(value)
        return value

    def __delitem__(self, key: Any) -> None:
        self.pop(key)

    def clear(self) -> None:
        for key in list(self):
            del self[key]


class Tracked:
    """An object that owns the variables, sublayers, metrics and seed generators among its attributes."""

    _trainable_variables: list[Variable]
    _non_trainable_variables: list[Variable]
    _layers: list[Any]
    _metrics: list[Metric]
    _seed_generators: list[SeedGenerator]
    _trainable: bool

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        layer = super().__new__(cls)
        layer.__dict__.update(
            _trainable_variables=[],
            _non_trainable_variables=[],
            _layers=[],
            _metrics=[],
            _seed_generators=[],
            _trainable=True,
        )
        return layer

    def __setattr__(self, name: str, value: Any) -> None:
        previous = self.__dict__.get(name)
        object.__setattr__(self, name, self._track(value) if name not in _OWN_LISTS else value)
        if previous is not None and previous is not value and _is_state(previous) and not self._refers_to(previous):
            self._untrack(previous)

    def __delattr__(self, name: str) -> None:
        previous = self.__dict__.get(name)
        object.__delattr__(self, name)
        if previous is not None and not self._refers_to(previous):
            self._untrack(previous)

    def _refers_to(self, value: Any) -> bool:
        return any(other is value for name, other in self.__dict__.items() if name not in _OWN_LISTS)

    def _list_for(self, value: Any) -> list[Any] | None:
        if isinstance(value, Variable):
            return self._trainable_variables if value.trainable else self._non_trainable_variables
        if isinstance(value, Tracked):
            return self._layers
        if isinstance(value, Metric):
            return self._metrics
        if isinstance(value, SeedGenerator):
            return self._seed_generators
        return None

    def _track(self, value: Any) -> Any:
        kind = type(value)
        if kind is list or (kind is TrackedList and value._owner is not self):
            return TrackedList(value, self)
        if kind is dict or (kind is TrackedDict and value._owner is not self):
            return TrackedDict(value, self)
        if kind is tuple:
            return tuple(self._track(item) for item in value)
        owned = self._list_for(value)
        if owned is not None and all(other is not value for other in owned):
            owned.append(value)
            if isinstance(value, Variable) and not self._trainable:
                value.trainable = False
        return value

    def _untrack(self, value: Any) -> None:
        if isinstance(value, (list, tuple)):
            for item in value:
                self._untrack(item)
        elif isinstance(value, dict):
            for item in value.values():
                self._untrack(item)
        else:
            for owned in (self._trainable_variables, self._non_trainable_variables, self._layers):
                owned[:] = [other for other in owned if other is not value]
            self._metrics[:] = [other for other in self._metrics if other is not value]
            self._seed_generators[:] = [other for other in self._seed_generators if other is not value]

    def _flatten_layers(self, include_self: bool = True, recursive: bool = True) -> Iterator[Any]:
        """Yield this layer (if asked for) and the layers below it, each once."""
        seen: set[int] = set()
        pending: list[Any] = [self]
        while pending:
            layer = pending.pop(0)
            if id(layer) in seen:
                continue
            seen.add(id(layer))
            if layer is not self or include_self:
                yield layer
            if layer is self or recursive:
                pending[:0] = layer._layers

    @property
    def variables(self) -> list[Variable]:
        """All state of the layer and its sublayers, states of random generators included."""
        return _distinct(variable for layer in self._flatten_layers() for variable in layer._own_variables())

    @property
    def trainable_variables(self) -> list[Variable]:
        """The variables that training changes; none where the layer is frozen."""
        return [v for v in self.variables if v.trainable] if self._trainable else []

    @property
    def non_trainable_variables(self) -> list[Variable]:
        """The variables that back-propagation leaves alone, states of random generators included."""
        return [v for v in self.variables if not v.trainable] if self._trainable else self.variables

    @property
    def weights(self) -> list[Variable]:
        """The variables of the layer and its sublayers, without states of random generators."""
        return _distinct(self._iterate_weights())

    def _iterate_weights(self) -> Iterator[Variable]:
        """Yield the weights as they are found; shared ones as often as they are."""
        for layer in self._flatten_layers():
            yield from layer._trainable_variables
            yield from layer._non_trainable_variables

    def _own_variables(self) -> list[Variable]:
        states = [generator.state for generator in self._seed_generators]
        return self._trainable_variables + self._non_trainable_variables + states

    @property
    def trainable_weights(self) -> list[Variable]:
        """The weights that training changes; none where the layer is frozen."""
        return [v for v in self.weights if v.trainable] if self._trainable else []

    @property
    def non_trainable_weights(self) -> list[Variable]:
        """The weights that back-propagation leaves alone."""
        return [v for v in self.weights if not v.trainable] if self._trainable else self.weights

    @property
    def metrics(self) -> list[Metric]:
        """The metrics that the layer and its sublayers own."""
        return _distinct(itertools.chain(self._metrics, *(layer.metrics for layer in self._layers)))

    @property
    def metrics_variables(self) -> list[Variable]:
        """The variables of `metrics`."""
        return [variable for metric in self.metrics for variable in metric.variables]

    @property
    def trainable(self) -> bool:
        """Whether training changes the layer; setting it sets all sublayers too."""
        return self._trainable

    @trainable.setter
    def trainable(self, value: bool) -> None:
        object.__setattr__(self, "_trainable", bool(value))
        for variable in self._trainable_variables:
            variable.trainable = bool(value)
        for layer in self._layers:
            layer.trainable = bool(value)


_OWN_LISTS = frozenset({"_trainable_variables", "_non_trainable_variables", "_layers", "_metrics", "_seed_generators"})


def _is_state(value: Any) -> bool:
    return isinstance(value, (Variable, Tracked, Metric, SeedGenerator, TrackedList, TrackedDict, tuple))


def _distinct(items: Iterable[Item]) -> list[Item]:
    return list({id(item): item for item in items}.values())
