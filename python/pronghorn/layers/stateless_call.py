"""Calling a layer with values for its variables, which stay as they are."""

from __future__ import annotations

from typing import Any

from pronghorn.stateless import with_values


class StatelessCall:
    """The methods of a layer that leave its variables alone."""

    def symbolic_call(self, *args: Any, **kwargs: Any) -> Any:
        """Return what the layer would give for symbolic tensors, without recording a call."""
        return self.compute_output_spec(*args, **kwargs)  # type: ignore[attr-defined]

    def stateless_call(
        self,
        trainable_variables: Any,
        non_trainable_variables: Any,
        *args: Any,
        return_losses: bool = False,
        **kwargs: Any,
    ) -> Any:
        """Call the layer with other values for its variables.

        Args:
            trainable_variables: list of tensors, a value for each of `trainable_variables`.
            non_trainable_variables: list of tensors, a value for each of `non_trainable_variables`.
            *args: the call's arguments.
            return_losses: whether to return the losses of the call too.
            **kwargs: the call's arguments.

        Returns:
            The outputs, the new values of the non-trainable variables and, if asked for, the list of losses.

        Raises:
            ValueError: if the layer is not built, or there are not as many values as variables.

        Example:
            >>> import pronghorn as ph
            >>> layer = ph.layers.Dense(1, kernel_initializer="ones")
            >>> layer.build((None, 2))
            >>> outputs, _ = layer.stateless_call([[[2.0], [3.0]], [0.0]], [], ph.ops.ones((1, 2)))
            >>> float(outputs[0, 0]), float(layer.kernel[0, 0])
            (5.0, 1.0)
        """
        if not self.built:  # type: ignore[attr-defined]
            raise ValueError(f"stateless_call: layer {self.name!r} must be built first")  # type: ignore[attr-defined]

        def call() -> Any:
            outputs = self(*args, **kwargs)  # type: ignore[operator]
            return outputs, list(self.losses) if return_losses else []  # type: ignore[attr-defined]

        (outputs, losses), _, changed = with_values(
            call,
            (self.trainable_variables, trainable_variables, "trainable_variables"),  # type: ignore[attr-defined]
            (self.non_trainable_variables, non_trainable_variables, "non_trainable_variables"),  # type: ignore[attr-defined]
        )
        return (outputs, changed, losses) if return_losses else (outputs, changed)
