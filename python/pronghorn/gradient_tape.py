"""GradientTape: gradients of anything computed with ops."""

from __future__ import annotations

from typing import Any

from pronghorn import _core, tree
from pronghorn.ops import operators  # noqa: F401  gradients are used in arithmetic


class GradientTape:
    """Records op calls in a `with` block, then gives gradients by walking them backwards.

    Trainable variables are watched on their own; watch other tensors with `watch`. Works on concrete tensors and inside
    traced train steps alike; tapes may be nested for second derivatives.

    Args:
        persistent: whether `gradient` may be called more than once.
        watch_accessed_variables: whether trainable variables that are read are watched.

    Example:
        >>> import pronghorn as ph
        >>> x = ph.constant(3.0)
        >>> with ph.GradientTape() as tape:
        ...     tape.watch(x)
        ...     y = x * x
        >>> float(tape.gradient(y, x))
        6.0
    """

    def __init__(self, persistent: bool = False, watch_accessed_variables: bool = True) -> None:
        self._tape = _core.Tape(persistent=persistent, watch_variables=watch_accessed_variables)

    def __enter__(self) -> GradientTape:
        self._tape.start()
        return self

    def __exit__(self, *exception: Any) -> None:
        self._tape.stop()

    def watch(self, tensor: Any) -> None:
        """Follow a tensor or variable, or a nested structure of them.

        Raises:
            TypeError: for anything that is not floating.
        """
        for leaf in tree.flatten(tensor):
            self._tape.watch(leaf)

    def reset(self) -> None:
        """Forget everything recorded so far."""
        self._tape.reset()

    def watched_variables(self) -> tuple[Any, ...]:
        """Return the variables watched so far, in the order they were first read; `gradient` leaves them known."""
        return tuple(self._tape.watched_variables())

    def stop_recording(self) -> _StopRecording:
        """Return a context in which nothing is recorded."""
        return _StopRecording()

    def gradient(
        self,
        target: Any,
        sources: Any,
        output_gradients: Any = None,
        unconnected_gradients: str = "none",
    ) -> Any:
        """Return the gradient of `target` (summed over its elements) with respect to each of `sources`.

        Args:
            target: a floating tensor or a nested structure of them.
            sources: tensors or variables, nested in any way.
            output_gradients: weights of the target's elements, shaped like `target`; ones by default.
            unconnected_gradients: "none" or "zero": what a source gets to which no path leads.

        Returns:
            Gradients in the form of `sources`.

        Raises:
            ValueError: on a second call, unless the tape is persistent; for weights that do not fit the target.
        """
        if unconnected_gradients not in ("none", "zero"):
            raise ValueError(f"unconnected_gradients must be 'none' or 'zero', got {unconnected_gradients!r}")
        flat_sources = tree.flatten(sources)
        if output_gradients is None:
            weights = []
        else:
            weights = tree.flatten(output_gradients) if tree.is_nested(target) else [output_gradients]
        grads = self._tape.gradient(tree.flatten(target), flat_sources, weights)
        if unconnected_gradients == "zero":
            grads = [
                _core.ops.full(shape=source.shape, dtype=source.dtype, value=0) if grad is None else grad
                for grad, source in zip(grads, flat_sources)
            ]
        return tree.pack_sequence_as(sources, grads)


class _StopRecording:
    def __enter__(self) -> None:
        self._pause = _core.PauseRecording()

    def __exit__(self, *exception: Any) -> None:
        del self._pause
