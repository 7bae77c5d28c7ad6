"""The `metrics` and `weighted_metrics` arguments of compile(), as one metric."""

from __future__ import annotations

from typing import Any

from pronghorn import _core, tree
from pronghorn import metrics as metrics_module
from pronghorn.metrics import Metric
from pronghorn.training.outputs import Outputs, label_kind, name_of

_ACCURACIES = {
    "binary": metrics_module.BinaryAccuracy,
    "sparse": metrics_module.SparseCategoricalAccuracy,
    "categorical": metrics_module.CategoricalAccuracy,
}


class CompileMetrics(Metric):
    """All metrics given to compile(), updated and read together.

    Args:
        metrics: list of names, functions or `Metric`s; with several outputs a list or dict with one entry per output.
        weighted_metrics: same, for metrics that take the sample weights into account.
        output_names: the model's output names, or None where it has none.

    Raises:
        ValueError: if an argument is no list, tuple or dict.
    """

    def __init__(self, metrics: Any, weighted_metrics: Any, output_names: list[str] | None = None) -> None:
        super().__init__(name="compile_metrics")
        for name, value in (("metrics", metrics), ("weighted_metrics", weighted_metrics)):
            if value and not isinstance(value, (list, tuple, dict)):
                raise ValueError(f"{name} must be a list, tuple or dict, got {value!r} of type {type(value)}")
        self._user_metrics = metrics
        self._user_weighted_metrics = weighted_metrics
        self._output_names = output_names
        self._outputs: Outputs | None = None
        self._plain: list[list[Metric]] = []
        self._weighted: list[list[Metric]] = []

    @property
    def built(self) -> bool:
        """Whether the metrics have been matched with the model's outputs."""
        return self._outputs is not None

    @property
    def metrics(self) -> list[Metric]:
        """The metrics of all outputs; empty before they are built."""
        return [metric for of_output in self._plain + self._weighted for metric in of_output]

    @property
    def variables(self) -> list[Any]:
        """The state of all metrics."""
        return [variable for metric in self.metrics for variable in metric.variables]

    def build(self, y_true: Any, y_pred: Any) -> None:
        """Match the metrics with the outputs.

        Raises:
            ValueError: if they do not match.
        """
        outputs = Outputs(y_pred, self._output_names)
        predictions = tree.flatten(y_pred)
        targets = [None] * outputs.count if y_true is None else outputs.flatten(y_true, "y")
        self._plain = _resolve_all(self._user_metrics, "metrics", outputs, targets, predictions)
        self._weighted = _resolve_all(self._user_weighted_metrics, "weighted_metrics", outputs, targets, predictions)
        self._outputs = outputs

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        if self._outputs is None:
            self.build(y_true, y_pred)
        outputs = self._outputs
        assert outputs is not None
        if not self.metrics:
            return
        predictions = tree.flatten(y_pred)
        if y_true is None:
            raise ValueError("y is missing: the metrics given to compile() need targets")
        targets = outputs.flatten(y_true, "y")
        weights = [sample_weight] * outputs.count
        if tree.is_nested(sample_weight):
            weights = outputs.flatten(sample_weight, "sample_weight")
        for plain, weighted, true, pred, rows in zip(self._plain, self._weighted, targets, predictions, weights):
            for metric in plain:
                with _core.Part(metric.name):
                    metric.update_state(true, pred)
            for metric in weighted:
                with _core.Part(metric.name):
                    metric.update_state(true, pred, sample_weight=rows)

    def reset_state(self) -> None:
        for metric in self.metrics:
            metric.reset_state()

    def result(self) -> dict[str, Any]:
        """Return the value of every metric by its name; with several outputs "output_name" + "_" + name."""
        if self._outputs is None:
            raise ValueError("compile_metrics: there is no result yet, nothing has been trained or evaluated")
        several = self._outputs.count > 1
        results: dict[str, Any] = {}
        for groups, weighted in ((self._plain, False), (self._weighted, True)):
            for output_name, group in zip(self._outputs.names, groups):
                prefix = f"{output_name}_" if several and output_name else ""
                for metric in group:
                    results[_free_name(prefix, metric.name, weighted, results)] = metric.result()
        return results


def _free_name(prefix: str, name: str, weighted: bool, taken: dict[str, Any]) -> str:
    full = prefix + name
    if full in taken and weighted:
        full = f"{prefix}weighted_{name}"
    base, number = full, 0
    while full in taken:
        number += 1
        full = f"{base}_{number}"
    return full


def _resolve_all(
    given: Any, name: str, outputs: Outputs, targets: list[Any], predictions: list[Any]
) -> list[list[Metric]]:
    if not given:
        return [[] for _ in range(outputs.count)]
    if outputs.count == 1:
        entries = [tree.flatten(given)]
    else:
        entries = [
            [] if entry is None else tree.flatten(entry)
            for entry in outputs.per_output(given, name, entry_may_nest=True)
        ]
    return [
        [_resolve(identifier, true, pred, name) for identifier in entry if identifier is not None]
        for entry, true, pred in zip(entries, targets, predictions)
    ]


def _resolve(identifier: Any, y_true: Any, y_pred: Any, argument: str) -> Metric:
    if isinstance(identifier, str) and identifier.lower() in ("accuracy", "acc"):
        if y_true is None:
            raise ValueError(f"y is missing: {identifier!r} in {argument} needs targets")
        return _ACCURACIES[label_kind(y_true, y_pred)](name=identifier)
    metric = metrics_module.get(identifier)
    if isinstance(metric, Metric):
        if isinstance(identifier, str):
            metric.name = identifier
        return metric
    if not callable(metric):
        raise ValueError(f"{argument} must hold names, functions or Metrics, got {identifier!r}")
    return metrics_module.MeanMetricWrapper(metric, name=name_of(identifier))
