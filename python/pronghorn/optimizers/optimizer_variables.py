"""The variables of an optimizer: made, given out, set, put into files and taken from them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pronghorn import arguments, initializers
from pronghorn.devices import device
from pronghorn.variable import Variable


class OptimizerVariables:
    """The methods of an optimizer that make its variables and move their values."""

    name: str
    built: bool
    _variables: list[Variable]

    def _new_variable(self, value: Any, name: str, dtype: str | None = None) -> Variable:
        variable = Variable(value, dtype=dtype, trainable=False, name=name)
        variable.path = f"{self.name}/{name}"
        self._variables.append(variable)
        return variable

    @property
    def variables(self) -> list[Variable]:
        """All variables of the optimizer: iteration count, learning rate, slots."""
        return list(self._variables)

    def add_variable(
        self, shape: Any, initializer: Any = "zeros", dtype: str | None = None, name: str | None = None
    ) -> Variable:
        """Create a variable that belongs to the optimizer."""
        make = initializers.get(initializer or "zeros")
        shape = arguments.integers(shape, "add_variable: shape", least=0)
        return self._new_variable(make(shape, dtype=dtype), name or "variable")

    def add_variable_from_reference(
        self, reference_variable: Variable, name: str | None = None, initializer: Any = "zeros"
    ) -> Variable:
        """Create a variable with the shape and dtype of another, a slot of it."""
        slot = f"{reference_variable.path.replace('/', '_')}_{name or 'slot'}"
        with device(reference_variable.device):
            return self.add_variable(reference_variable.shape, initializer, reference_variable.dtype, slot)

    def add_optimizer_variables(
        self, trainable_variables: Sequence[Variable], name: Any, initializer: Any = "zeros"
    ) -> Any:
        """Create a slot for each trainable variable, or a list of slots for each of several names."""
        names = [name] if isinstance(name, str) else list(name)
        initializers = list(initializer) if isinstance(initializer, (list, tuple)) else [initializer] * len(names)
        made: tuple[list[Variable], ...] = tuple([] for _ in names)
        # All slots of a variable before those of the next: the order in Keras's files.
        for variable in trainable_variables:
            for slots, each, init in zip(made, names, initializers):
                slots.append(self.add_variable_from_reference(variable, each, init))
        return made[0] if isinstance(name, str) else made

    def set_weights(self, weights: Sequence[Any]) -> None:
        """Set the values of `variables`.

        Raises:
            ValueError: if the optimizer is not built, or the number of arrays or a shape does not fit.

        Example:
            >>> import pronghorn as ph
            >>> optimizer = ph.optimizers.SGD(0.1)
            >>> optimizer.build([ph.Variable(1.0)])
            >>> optimizer.set_weights([7, 0.5])
            >>> int(optimizer.iterations), float(optimizer.learning_rate)
            (7, 0.5)
        """
        if not self.built:
            raise ValueError("set_weights: call build(trainable_variables) first")
        weights = arguments.list_of(weights, "set_weights: weights")
        variables = self.variables
        if len(weights) != len(variables):
            raise ValueError(f"set_weights: the optimizer has {len(variables)} variables, got {len(weights)}")
        for variable, value in zip(variables, weights):
            variable.assign(value)

    def save_own_variables(self, store: Any) -> None:
        """Write the variables' values into a mapping."""
        for i, variable in enumerate(self.variables):
            store[str(i)] = variable.numpy()

    def load_own_variables(self, store: Any) -> None:
        """Set the variables from a mapping.

        Raises:
            ValueError: if it holds another number of variables.
        """
        variables = self.variables
        if len(store) != len(variables):
            raise ValueError(f"the saved optimizer has {len(store)} variables, this one {len(variables)}")
        for i, variable in enumerate(variables):
            variable.assign(store[str(i)])
