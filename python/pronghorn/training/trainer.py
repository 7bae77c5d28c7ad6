"""Trainer: fit, evaluate and predict."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, Concatenate, ParamSpec, TypeVar

from pronghorn import arguments, ops, tree
from pronghorn.callbacks import CallbackList, History
from pronghorn.devices import device
from pronghorn.symbolic import KerasTensor, infer_spec
from pronghorn.training.arrays import check_lengths, class_weight_to_sample_weight, split_validation, to_arrays
from pronghorn.training.compile_metrics import CompileMetrics
from pronghorn.training.data import Piece, holds_arrays, make_source
from pronghorn.training.loop import Collector, run_pass
from pronghorn.training.program import EagerStep, ProgramCache, TraceState
from pronghorn.training.steps import TrainingSteps
from pronghorn.utils.batch_form import pack_x_y_sample_weight, unpack_x_y_sample_weight

P = ParamSpec("P")
Result = TypeVar("Result")


def _on_the_model_s_device(
    method: Callable[Concatenate[Any, P], Result],
) -> Callable[Concatenate[Any, P], Result]:
    """Let what a method makes (slots, metrics, results) lie where the model's variables are."""

    @functools.wraps(method)
    def run(self: Any, /, *args: P.args, **kwargs: P.kwargs) -> Result:
        weight = next(self._iterate_weights(), None)
        if weight is None:
            return method(self, *args, **kwargs)
        with device(weight.device):
            return method(self, *args, **kwargs)

    return run


class Trainer(TrainingSteps):
    """The training half of a model; `Model` derives from it and from `Layer`."""

    stop_evaluating = False
    stop_predicting = False
    history: History
    _initial_epoch: int | None = None

    @_on_the_model_s_device
    def fit(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        epochs: int = 1,
        verbose: int | str = "auto",
        callbacks: Any = None,
        validation_split: float = 0.0,
        validation_data: Any = None,
        shuffle: bool | str = True,
        class_weight: dict[int, float] | None = None,
        sample_weight: Any = None,
        initial_epoch: int = 0,
        steps_per_epoch: int | None = None,
        validation_steps: int | None = None,
        validation_batch_size: int | None = None,
        validation_freq: int | list[int] = 1,
    ) -> History:
        """Train the model.

        Args:
            x: array (samples, ...), list or dict of arrays, `PyDataset`, generator or iterable of batches.
            y: targets, in the same way; None where `x` gives batches.
            batch_size: samples per step; 32 by default.
            epochs: number of the epoch at which to stop.
            verbose: 0 silent, 1 progress bar, 2 one line per epoch; "auto" is 1.
            callbacks: list of `Callback`s.
            validation_split: fraction of the samples, taken from the end, to validate on instead of training.
            validation_data: `(x, y)` or `(x, y, sample_weight)`, or a source of batches, to validate on.
            shuffle: whether to draw the samples in a new order in each epoch; "batch" shuffles batches only.
            class_weight: dict of class to weight in the loss.
            sample_weight: array (samples,), weight of each sample in the loss.
            initial_epoch: number of the epoch to start at.
            steps_per_epoch: steps after which an epoch ends; by default the data decides.
            validation_steps: steps of a validation; by default the data decides.
            validation_batch_size: samples per validation step; `batch_size` by default.
            validation_freq: epochs between validations, or list of the epochs (from 1) to validate after.

        Returns:
            `History`, whose `history` is a dict of metric name to its value in each epoch.

        Raises:
            ValueError: if the model is not compiled, or the data does not fit.

        Example:
            >>> import numpy as np
            >>> import pronghorn as ph
            >>> model = ph.Sequential([ph.Input((4,)), ph.layers.Dense(1)])
            >>> model.compile("sgd", "mse")
            >>> history = model.fit(np.ones((8, 4)), np.ones((8, 1)), epochs=2, verbose=0)
            >>> len(history.history["loss"])
            2
        """
        self._check_compiled("fit")
        epochs = arguments.integer(epochs, "fit: epochs")
        initial_epoch = arguments.integer(initial_epoch, "fit: initial_epoch")
        if validation_split and validation_data is None:
            (x, y, sample_weight), validation_data = split_validation((x, y, sample_weight), validation_split)
        source = make_source(x, y, sample_weight, batch_size, shuffle, class_weight, steps_per_epoch)
        self._prepare("train", source.first_batch())
        if not isinstance(callbacks, CallbackList):
            callbacks = CallbackList(
                callbacks,
                add_history=True,
                add_progbar=verbose != 0,
                verbose=verbose,
                epochs=epochs,
                steps=source.num_batches,
                model=self,
            )
        validation = None
        self.stop_training = False
        logs: dict[str, Any] = {}
        callbacks.on_train_begin()
        for epoch in range(self._initial_epoch or initial_epoch, epochs):
            self.reset_metrics()
            callbacks.on_epoch_begin(epoch)
            logs = self._run("train", source, callbacks, lambda: self.stop_training)
            if validation_data is not None and _validates(epoch, validation_freq):
                if validation is None:
                    val_x, val_y, val_weight = unpack_x_y_sample_weight(validation_data)
                    if validation_batch_size is None and holds_arrays(val_x):
                        validation_batch_size = batch_size
                    validation = make_source(
                        val_x, val_y, val_weight, validation_batch_size, False, None, validation_steps
                    )
                results = self._evaluate(validation, callbacks)
                logs |= {f"val_{name}": value for name, value in results.items()}
                logs = dict(sorted(logs.items()))
            callbacks.on_epoch_end(epoch, logs)
            if self.stop_training:
                break
        if epochs > 0 and hasattr(self.optimizer, "finalize_variable_values"):
            self.optimizer.finalize_variable_values(self.trainable_variables)  # type: ignore[attr-defined]
        callbacks.on_train_end(logs)
        return self.history

    @_on_the_model_s_device
    def evaluate(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        verbose: int | str = "auto",
        sample_weight: Any = None,
        steps: int | None = None,
        callbacks: Any = None,
        return_dict: bool = False,
    ) -> Any:
        """Return the loss and the metrics of the model on some data.

        Args:
            x: array (samples, ...), list or dict of arrays, `PyDataset`, generator or iterable of batches.
            y: targets, in the same way; None where `x` gives batches.
            batch_size: samples per step; 32 by default.
            verbose: 0 silent, 1 progress bar, 2 one line; "auto" is 1.
            sample_weight: array (samples,), weight of each sample.
            steps: number of steps; by default the data decides.
            callbacks: list of `Callback`s.
            return_dict: whether to return a dict.

        Returns:
            The loss, a list of the loss and the metrics, or a dict of name to value.

        Raises:
            ValueError: if the model is not compiled, or the data does not fit.
        """
        self._check_compiled("evaluate")
        source = make_source(x, y, sample_weight, batch_size, False, None, steps)
        if not isinstance(callbacks, CallbackList):
            callbacks = CallbackList(
                callbacks, add_progbar=verbose != 0, verbose=verbose, epochs=1, steps=source.num_batches, model=self
            )
        logs = self._evaluate(source, callbacks)
        return logs if return_dict else self._in_order(logs)

    @_on_the_model_s_device
    def predict(
        self,
        x: Any,
        batch_size: int | None = None,
        verbose: int | str = "auto",
        steps: int | None = None,
        callbacks: Any = None,
    ) -> Any:
        """Return the model's outputs for some data.

        Args:
            x: array (samples, ...), list or dict of arrays, `PyDataset`, generator or iterable of batches.
            batch_size: samples per step; 32 by default.
            verbose: 0 silent, 1 progress bar, 2 one line; "auto" is 1.
            steps: number of steps; by default the data decides.
            callbacks: list of `Callback`s.

        Returns:
            NumPy array (samples, ...), or the model's structure of outputs made of such arrays.

        Raises:
            ValueError: if the data does not fit.
        """
        source = make_source(x, None, None, batch_size, False, None, steps)
        if not isinstance(callbacks, CallbackList):
            callbacks = CallbackList(
                callbacks, add_progbar=verbose != 0, verbose=verbose, epochs=1, steps=source.num_batches, model=self
            )
        self._prepare("predict", source.first_batch())
        collector = Collector(source.num_samples)
        find = self._step_finder("predict", keep_outputs=True)
        self.stop_predicting = False
        callbacks.on_predict_begin()
        run_pass(
            "predict",
            source,
            lambda piece: collector.run(find(piece), piece),
            callbacks,
            self.steps_per_execution,
            lambda outputs: {"outputs": outputs},
            lambda: self.stop_predicting,
        )
        callbacks.on_predict_end()
        return collector.result()

    @_on_the_model_s_device
    def train_on_batch(
        self,
        x: Any,
        y: Any = None,
        sample_weight: Any = None,
        class_weight: dict[int, float] | None = None,
        return_dict: bool = False,
    ) -> Any:
        """Train on one batch.

        Args:
            x: array (samples, ...), or list or dict of arrays.
            y: targets, in the same way.
            sample_weight: array (samples,), weight of each sample.
            class_weight: dict of class to weight.
            return_dict: whether to return a dict.

        Returns:
            The loss, a list of the loss and the metrics, or a dict of name to value, of this batch alone.

        Raises:
            ValueError: if the model is not compiled, or the data does not fit.
        """
        self._check_compiled("train_on_batch")
        logs = self._run_batch("train", (x, y, sample_weight), class_weight)
        return logs if return_dict else self._in_order(logs)

    @_on_the_model_s_device
    def test_on_batch(self, x: Any, y: Any = None, sample_weight: Any = None, return_dict: bool = False) -> Any:
        """Evaluate one batch.

        Args:
            x: array (samples, ...), or list or dict of arrays.
            y: targets, in the same way.
            sample_weight: array (samples,), weight of each sample.
            return_dict: whether to return a dict.

        Returns:
            The loss, a list of the loss and the metrics, or a dict of name to value, of this batch alone.

        Raises:
            ValueError: if the model is not compiled, or the data does not fit.
        """
        self._check_compiled("test_on_batch")
        logs = self._run_batch("test", (x, y, sample_weight), None)
        return logs if return_dict else self._in_order(logs)

    @_on_the_model_s_device
    def predict_on_batch(self, x: Any) -> Any:
        """Return the model's outputs for one batch.

        Args:
            x: array (samples, ...), or list or dict of arrays.

        Returns:
            NumPy array (samples, ...), or the model's structure of outputs made of such arrays.
        """
        data = (to_arrays(x, "x"), None, None)
        check_lengths(data)
        self._prepare("predict", data)
        piece = _whole(data)
        return tree.map_structure(ops.convert_to_numpy, self._step_finder("predict", True)(piece).run(piece))

    def program(self, kind: str = "train") -> Any:
        """Return the native program that was used last; its `text()` lists the kernel calls of a step.

        Args:
            kind: "train", "test" or "predict".

        Raises:
            ValueError: if there is none yet.
        """
        if self._program_cache is None:
            raise ValueError("program: nothing has been compiled yet; call fit, evaluate or predict first")
        return self._program_cache.latest(kind)

    def _check_compiled(self, method: str) -> None:
        if not self.compiled:
            raise ValueError(f"call compile() before {method}()")

    def _evaluate(self, source: Any, callbacks: CallbackList) -> dict[str, Any]:
        self._prepare("test", source.first_batch())
        self.stop_evaluating = False
        callbacks.on_test_begin()
        self.reset_metrics()
        logs = self._run("test", source, callbacks, lambda: self.stop_evaluating)
        callbacks.on_test_end(logs)
        return logs

    def _run(self, kind: str, source: Any, callbacks: CallbackList, stopped: Callable[[], bool]) -> dict[str, Any]:
        find = self._step_finder(kind, self._is_overridden(kind))
        outputs = run_pass(
            kind,
            source,
            lambda piece: find(piece).run(piece),
            callbacks,
            self.steps_per_execution,
            lambda results: self._logs(kind, results),
            stopped,
        )
        return self._logs(kind, outputs)

    def _run_batch(self, kind: str, data: Any, class_weight: dict[int, float] | None) -> dict[str, Any]:
        x, y, sample_weight = (to_arrays(part, name) for part, name in zip(data, ("x", "y", "sample_weight")))
        check_lengths((x, y, sample_weight))
        if class_weight is not None:
            if sample_weight is not None:
                raise ValueError("class_weight and sample_weight cannot be given at the same time")
            sample_weight = class_weight_to_sample_weight(y, class_weight)
        piece = _whole((x, y, sample_weight))
        self._prepare(kind, piece.data)
        self.reset_metrics()
        return self._logs(kind, self._step_finder(kind, self._is_overridden(kind))(piece).run(piece))

    def _is_overridden(self, kind: str) -> bool:
        """Tell whether a step returns something else than the values of `metrics`, which are read from their state."""
        cls = type(self)
        if cls.compute_metrics is not TrainingSteps.compute_metrics:
            return True
        return getattr(cls, f"{kind}_step") is not getattr(TrainingSteps, f"{kind}_step")

    def _step_function(self, kind: str) -> Callable[[Any], Any]:
        step = getattr(self, f"{kind}_step")

        def run(batch: Any) -> Any:
            results = step(pack_x_y_sample_weight(*batch))
            # Losses that layers added belong to the trace, nothing outside may use them.
            self._clear_losses()  # type: ignore[attr-defined]
            return results

        return run

    def _step_finder(self, kind: str, keep_outputs: bool) -> Callable[[Piece], Any]:
        """Return a function that gives the step to run a piece with."""
        function = self._step_function(kind)
        if self.run_eagerly:
            eager = EagerStep(function)
            return lambda piece: eager
        if self._program_cache is None:
            object.__setattr__(self, "_program_cache", ProgramCache())
        cache = self._program_cache
        assert cache is not None
        frozen = [not layer.trainable for layer in self._flatten_layers()]  # type: ignore[attr-defined]
        state = TraceState(self.trainable_variables, frozen)  # type: ignore[attr-defined]
        return lambda piece: cache.get(kind, state, function, piece, keep_outputs)

    def _prepare(self, kind: str, data: Any) -> None:
        """Make everything that keeps state before a step is traced: weights, metrics, the optimizer's slots."""
        unbuilt = not all(layer.built for layer in self._flatten_layers())  # type: ignore[attr-defined]
        metrics, loss = self._compile_metrics, self._compile_loss
        uses_metrics = kind != "predict" and not self._is_overridden(kind)
        if uses_metrics:
            unbuilt |= (metrics is not None and not metrics.built) or (loss is not None and not loss.built)

        def forward(x: Any, y: Any, sample_weight: Any) -> Any:
            y_pred = self._call(x, training=False)
            if uses_metrics and metrics is not None:
                metrics.update_state(y, y_pred, sample_weight)
            if uses_metrics and loss is not None:
                loss(y, y_pred, sample_weight)
            return y_pred

        if unbuilt:
            specs = tree.map_structure(
                lambda leaf: None if leaf is None else KerasTensor(leaf.shape, leaf.dtype.name), data
            )
            if self._is_overridden(kind):
                infer_spec(self._step_function(kind), specs)
            else:
                infer_spec(forward, *specs)
        if kind == "train" and self.optimizer is not None and not self.optimizer.built:
            self.optimizer.build(self.trainable_variables)  # type: ignore[attr-defined]

    def _logs(self, kind: str, outputs: Any) -> dict[str, Any]:
        """Return the values of the metrics as numbers; an overridden step may return others."""
        results = self.get_metrics_result()
        if self._is_overridden(kind) and isinstance(outputs, dict) and set(outputs) != set(results):
            results = outputs
        return _numbers(results)

    def _in_order(self, logs: dict[str, Any]) -> Any:
        # Keras's order: a name that two metrics of compile() share stands twice, what it was renamed to comes last.
        names: list[str] = []
        for metric in self.metrics:
            names += [m.name for m in metric.metrics] if isinstance(metric, CompileMetrics) else [metric.name]
        names = [name for name in names if name in logs] + [name for name in sorted(logs) if name not in names]
        values = [logs[name] for name in names]
        return values[0] if len(values) == 1 else values


def _whole(data: Any) -> Piece:
    return Piece(data, None, 1, next(len(leaf) for leaf in tree.flatten(data) if leaf is not None))


def _numbers(results: dict[str, Any]) -> dict[str, Any]:
    """Return results sorted by name; those of a metric that gives a dict stand for themselves."""
    numbers: dict[str, Any] = {}
    for name in sorted(results):
        value = results[name]
        numbers.update(_numbers(value) if isinstance(value, dict) else {name: _number(value)})
    return numbers


def _number(value: Any) -> Any:
    array = ops.convert_to_numpy(value)
    return float(array.item()) if array.size == 1 else array


def _validates(epoch: int, frequency: int | list[int]) -> bool:
    if isinstance(frequency, int) and frequency > 0:
        return (epoch + 1) % frequency == 0
    if isinstance(frequency, (list, tuple, set)):
        return epoch + 1 in frequency
    raise ValueError(f"validation_freq must be a positive integer or a list of epochs, got {frequency!r}")
