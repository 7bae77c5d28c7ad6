"""The `loss` and `loss_weights` arguments of compile(), as one function of targets and predictions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pronghorn import losses, metrics, ops, tree
from pronghorn.training.outputs import Outputs, label_kind, name_of

_CROSSENTROPIES = {
    "binary": losses.binary_crossentropy,
    "sparse": losses.sparse_categorical_crossentropy,
    "categorical": losses.categorical_crossentropy,
}


class CompileLoss:
    """The weighted sum of the losses of all outputs.

    Args:
        loss: name, function or `Loss`; or a list, dict or structure of them with one per output.
        loss_weights: number for all outputs, or list or dict of numbers with one per output.
        output_names: the model's output names, or None where it has none.

    Raises:
        ValueError: for weights that are not numbers.
    """

    def __init__(self, loss: Any, loss_weights: Any = None, output_names: list[str] | None = None) -> None:
        for weight in [] if loss_weights is None else tree.flatten(loss_weights):
            if isinstance(weight, (str, bool)) or (weight is not None and not hasattr(weight, "__float__")):
                raise ValueError(f"loss_weights must be numbers, got {loss_weights!r}")
        self._loss = loss
        self._loss_weights = loss_weights
        self._output_names = output_names
        self._outputs: Outputs | None = None
        self._losses: list[Any] = []
        self._trackers: list[metrics.Mean | None] = []
        self._weights: list[Any] = []
        self.metrics: list[metrics.Metric] = []

    @property
    def built(self) -> bool:
        """Whether the losses have been matched with the model's outputs."""
        return self._outputs is not None

    def build(self, y_true: Any, y_pred: Any) -> None:
        """Match the losses with the outputs.

        Raises:
            ValueError: if they do not match.
        """
        outputs = Outputs(y_pred, self._output_names)
        if tree.is_nested(self._loss):
            identifiers = outputs.per_output(self._loss, "loss", entry_may_nest=False)
        else:
            identifiers = [self._loss] * outputs.count
        self._weights = self._match_weights(outputs)
        predictions = tree.flatten(y_pred)
        targets = self._targets(outputs, identifiers, y_true)
        self._losses = [
            None if identifier is None else _resolve(identifier, true, pred)
            for identifier, true, pred in zip(identifiers, targets, predictions)
        ]
        self._trackers = [None] * outputs.count
        if sum(loss is not None for loss in self._losses) > 1:
            self._trackers = [
                None if loss is None else metrics.Mean(name=f"{name or loss.name}_loss")
                for name, loss in zip(outputs.names, self._losses)
            ]
        in_order = self._trackers
        if isinstance(self._loss, dict) and isinstance(y_pred, dict):
            # `evaluate` lists them in the order in which the user gave the losses.
            in_order = [self._trackers[outputs.names.index(name)] for name in self._loss]
        self.metrics = [tracker for tracker in in_order if tracker is not None]
        self._outputs = outputs

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        """Return the total loss, None if no output has one."""
        if self._outputs is None:
            self.build(y_true, y_pred)
        outputs = self._outputs
        assert outputs is not None
        predictions = tree.flatten(y_pred)
        targets = self._targets(outputs, self._losses, y_true)
        if tree.is_nested(sample_weight):
            weights = outputs.flatten(sample_weight, "sample_weight")
        else:
            weights = [sample_weight] * outputs.count
        total = None
        for loss, tracker, weight, true, pred, rows in zip(
            self._losses, self._trackers, self._weights, targets, predictions, weights
        ):
            if loss is None:
                continue
            value = loss(true, pred, rows)
            if tracker is not None:
                tracker.update_state(value, sample_weight=pred.shape[0] if pred.shape else 1)
            if weight is not None:
                value = ops.multiply(value, weight)
            total = value if total is None else ops.add(total, value)
        return total

    def _match_weights(self, outputs: Outputs) -> list[Any]:
        if not tree.is_nested(self._loss_weights):
            return [self._loss_weights] * outputs.count
        if isinstance(self._loss_weights, dict) and outputs.count == len(self._loss_weights) == 1:
            # There is nothing that the key could tell apart.
            return list(self._loss_weights.values())
        return outputs.per_output(self._loss_weights, "loss_weights", entry_may_nest=False)

    def _targets(self, outputs: Outputs, identifiers: list[Any], y_true: Any) -> list[Any]:
        if y_true is None:
            raise ValueError("y is missing: the loss given to compile() needs targets")
        with_loss = [i for i, identifier in enumerate(identifiers) if identifier is not None]
        leaves = tree.flatten(y_true)
        if len(with_loss) < outputs.count and len(leaves) == len(with_loss):
            # Targets only for the outputs that have a loss.
            if isinstance(y_true, dict):
                leaves = [y_true[outputs.names[i]] for i in with_loss]
            targets: list[Any] = [None] * outputs.count
            for i, leaf in zip(with_loss, leaves):
                targets[i] = leaf
            return targets
        return outputs.flatten(y_true, "y")


def _resolve(identifier: Any, y_true: Any, y_pred: Any) -> losses.Loss:
    if isinstance(identifier, str) and identifier.lower() in ("crossentropy", "ce"):
        found: Any = _CROSSENTROPIES[label_kind(y_true, y_pred)]
    else:
        found = losses.get(identifier)
    if isinstance(found, losses.Loss):
        return found
    if not callable(found):
        raise ValueError(f"loss must be a name, a function or a Loss, got {identifier!r}")
    return FunctionLoss(found, name_of(identifier))


class FunctionLoss(losses.Loss):
    """A loss made of a function that gives one value per sample.

    Args:
        function: function of (y_true, y_pred).
        name: the loss's name.
    """

    def __init__(self, function: Callable[..., Any], name: str) -> None:
        super().__init__(name=name)
        self._function = function

    def call(self, y_true: Any, y_pred: Any) -> Any:
        return self._function(y_true, y_pred)
