"""What one step of training, evaluation and prediction computes."""

from __future__ import annotations

import functools
import inspect
import warnings
from typing import Any

from pronghorn import _core, arguments, ops, optimizers, tree
from pronghorn import metrics as metrics_module
from pronghorn.gradient_tape import GradientTape
from pronghorn.saving import serialization
from pronghorn.stateless import with_values
from pronghorn.training.compile_loss import CompileLoss
from pronghorn.training.compile_metrics import CompileMetrics
from pronghorn.training.program import ProgramCache
from pronghorn.utils.batch_form import unpack_x_y_sample_weight


class TrainingSteps:
    """What one step of training, evaluation and prediction computes; the first half of `Trainer`."""

    optimizer: Any = None
    loss: Any = None
    compiled = False
    run_eagerly = False
    jit_compile: Any = "auto"
    steps_per_execution = 1
    stop_training = False
    _loss_tracker: Any = None
    _compile_loss: CompileLoss | None = None
    _compile_metrics: CompileMetrics | None = None
    _compile_config: dict[str, Any] | None = None
    _program_cache: ProgramCache | None = None

    def compile(
        self,
        optimizer: Any = "rmsprop",
        loss: Any = None,
        loss_weights: Any = None,
        metrics: Any = None,
        weighted_metrics: Any = None,
        run_eagerly: bool = False,
        steps_per_execution: int = 1,
        jit_compile: bool | str = "auto",
        auto_scale_loss: bool = True,
    ) -> None:
        """Say how to train.

        Args:
            optimizer: name, config or `Optimizer`.
            loss: name, function of (y_true, y_pred) or `Loss`; with several outputs a list or dict by output name.
            loss_weights: number, list or dict: factors of the outputs' losses.
            metrics: list of names, functions or `Metric`s; with several outputs a list or dict of them. "accuracy"
                becomes binary, categorical or sparse categorical accuracy, whichever fits the shapes.
            weighted_metrics: same, for metrics that use `sample_weight` and `class_weight`.
            run_eagerly: whether to run steps op by op in Python instead of as a native program.
            steps_per_execution: steps between two calls of batch hooks. Where no callback has one, many steps run in
                one native call anyway.
            jit_compile: accepted for Keras's sake; steps always become native programs unless `run_eagerly`.
            auto_scale_loss: whether to scale the loss where the dtype policy is "mixed_float16".

        Raises:
            ValueError: for arguments of the wrong kind, or names that do not exist.

        Example:
            >>> import pronghorn as ph
            >>> model = ph.Sequential([ph.Input((4,)), ph.layers.Dense(3, activation="softmax")])
            >>> model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
        """
        if isinstance(steps_per_execution, bool) or not isinstance(steps_per_execution, int) or steps_per_execution < 1:
            raise ValueError(f"compile: steps_per_execution must be a positive integer, got {steps_per_execution!r}")
        output_names = getattr(self, "output_names", None)
        given = self.optimizer = optimizers.get(optimizer)
        policy = self.dtype_policy  # type: ignore[attr-defined]
        scales = auto_scale_loss and policy.name == "mixed_float16"
        if scales and given is not None and not isinstance(given, optimizers.LossScaleOptimizer):
            self.optimizer = optimizers.LossScaleOptimizer(given, name="loss_scale_optimizer")
        object.__setattr__(self, "loss", loss)
        self.run_eagerly = run_eagerly
        self.steps_per_execution = steps_per_execution
        self.jit_compile = jit_compile
        self.stop_training = False
        # These are not part of the model's state: its weights and its own metrics do not include them.
        object.__setattr__(self, "_loss_tracker", metrics_module.Mean(name="loss"))
        object.__setattr__(self, "_compile_loss", None)
        object.__setattr__(self, "_compile_metrics", None)
        if loss is not None:
            object.__setattr__(self, "_compile_loss", CompileLoss(loss, loss_weights, output_names))
        if metrics is not None or weighted_metrics is not None:
            object.__setattr__(self, "_compile_metrics", CompileMetrics(metrics, weighted_metrics, output_names))
        object.__setattr__(self, "_program_cache", ProgramCache())
        config = {"loss": loss, "loss_weights": loss_weights, "metrics": metrics, "weighted_metrics": weighted_metrics}
        config |= {"run_eagerly": run_eagerly, "steps_per_execution": steps_per_execution, "jit_compile": jit_compile}
        object.__setattr__(self, "_compile_config", {"optimizer": given, **config})
        self.compiled = True

    @property
    def metrics(self) -> list[Any]:
        """The loss tracker, the metrics given to compile(), those of outputs' losses, the model's and its layers'."""
        found: list[Any] = []
        if self.compiled:
            found += [metric for metric in (self._loss_tracker, self._compile_metrics) if metric is not None]
            if self._compile_loss is not None:
                found += self._compile_loss.metrics
        found += self._metrics  # type: ignore[attr-defined]
        for layer in self._flatten_layers(include_self=False):  # type: ignore[attr-defined]
            if not isinstance(layer, TrainingSteps):
                found += layer._metrics
        return found

    @property
    def metrics_names(self) -> list[str]:
        """The names of `metrics`."""
        return [metric.name for metric in self.metrics]

    def reset_metrics(self) -> None:
        """Set all metrics back to their start."""
        for metric in self.metrics:
            metric.reset_state()

    def get_metrics_result(self) -> dict[str, Any]:
        """Return the values of all metrics by name, as tensors."""
        results: dict[str, Any] = {}
        for metric in self.metrics:
            if isinstance(metric, CompileMetrics) and not metric.built:
                continue
            result = metric.result()
            results.update(result if isinstance(result, dict) else {metric.name: result})
        return results

    def compute_loss(
        self, x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None, training: bool = True
    ) -> Any:
        """Return the total loss of a batch: that given to compile(), plus losses added by layers and regularizers.

        Override it for a loss of your own.

        Args:
            x: inputs.
            y: targets.
            y_pred: what the model returned for `x`.
            sample_weight: one weight per sample, or None.
            training: whether this is a training step.

        Returns:
            Scalar tensor.

        Raises:
            ValueError: if there is no loss at all.
        """
        total = None
        if self._compile_loss is not None:
            total = self._compile_loss(y, y_pred, sample_weight)
        for extra in self.losses:  # type: ignore[attr-defined]
            extra = ops.sum(extra)
            total = extra if total is None else ops.add(total, extra)
        if total is None:
            raise ValueError("there is no loss to compute: give `loss` to compile(), or call add_loss in a layer")
        return total

    def stateless_compute_loss(
        self,
        trainable_variables: Any,
        non_trainable_variables: Any,
        metrics_variables: Any,
        x: Any = None,
        y: Any = None,
        y_pred: Any = None,
        sample_weight: Any = None,
        training: bool = True,
    ) -> tuple[Any, tuple[Any, Any, Any]]:
        """Return `compute_loss` with other values for the model's variables, and the values afterwards.

        Args:
            trainable_variables: list of tensors, a value for each of `trainable_variables`.
            non_trainable_variables: same for `non_trainable_variables`.
            metrics_variables: same for `metrics_variables`.
            x: inputs.
            y: targets.
            y_pred: what the model returned for `x`.
            sample_weight: one weight per sample, or None.
            training: whether this is a training step.

        Returns:
            The loss, and the lists of values of the three kinds of variables.

        Raises:
            ValueError: if there are not as many values as variables.

        Example:
            >>> import pronghorn as ph
            >>> model = ph.Sequential([ph.Input((1,)), ph.layers.Dense(1, use_bias=False, kernel_regularizer="l2")])
            >>> model.compile(loss="mse")
            >>> state = [[[3.0]]], [], model.metrics_variables
            >>> y, y_pred = ph.ops.ones((1, 1)), ph.ops.zeros((1, 1))
            >>> loss, _ = model.stateless_compute_loss(*state, y=y, y_pred=y_pred)
            >>> round(float(loss), 4)
            1.09
        """
        given = {
            "trainable_variables": trainable_variables,
            "non_trainable_variables": non_trainable_variables,
            "metrics_variables": metrics_variables,
        }
        loss, trainable, fixed, tracked = with_values(
            lambda: self._loss_of(x, y, y_pred, sample_weight, training),
            *((getattr(self, name), values, name) for name, values in given.items()),
        )
        return loss, (trainable, fixed, tracked)

    def compute_metrics(self, x: Any, y: Any, y_pred: Any, sample_weight: Any = None) -> dict[str, Any]:
        """Update the metrics given to compile() with a batch and return the values of all metrics.

        Args:
            x: inputs.
            y: targets.
            y_pred: what the model returned for `x`.
            sample_weight: one weight per sample, or None.

        Returns:
            Dict of metric name to value.
        """
        with _core.Part("metrics"):
            if self._compile_metrics is not None:
                self._compile_metrics.update_state(y, y_pred, sample_weight)
            return self.get_metrics_result()

    def train_step(self, data: Any) -> dict[str, Any]:
        """Train on one batch: forward, loss, gradients, update of the weights, metrics.

        Override it for a training of your own; it is traced once per batch shape into a native program, so it must
        compute with ops and not look at values in Python.

        Args:
            data: `(x, y, sample_weight)`, see `utils.unpack_x_y_sample_weight`.

        Returns:
            Dict of metric name to value.
        """
        if self.optimizer is None:
            raise ValueError("train_step: there is no optimizer; give `optimizer` to compile()")
        x, y, sample_weight = unpack_x_y_sample_weight(data)
        with GradientTape() as tape:
            y_pred = self._call(x, training=True)
            loss = self._loss_of(x, y, y_pred, sample_weight, training=True)
            with _core.Part("loss"):
                scaled = self.optimizer.scale_loss(loss) if hasattr(self.optimizer, "scale_loss") else loss
        self._track_loss(loss, x)
        variables = self.trainable_variables  # type: ignore[attr-defined]
        if variables:
            self.optimizer.apply_gradients(zip(tape.gradient(scaled, variables), variables))
        else:
            warnings.warn("the model has no trainable weights", stacklevel=2)
        return self.compute_metrics(x, y, y_pred, sample_weight=sample_weight)

    def test_step(self, data: Any) -> dict[str, Any]:
        """Evaluate one batch; override it for an evaluation of your own.

        Args:
            data: `(x, y, sample_weight)`, see `utils.unpack_x_y_sample_weight`.

        Returns:
            Dict of metric name to value.
        """
        x, y, sample_weight = unpack_x_y_sample_weight(data)
        y_pred = self._call(x, training=False)
        loss = self._loss_of(x, y, y_pred, sample_weight, training=False)
        self._track_loss(loss, x)
        return self.compute_metrics(x, y, y_pred, sample_weight=sample_weight)

    def predict_step(self, data: Any) -> Any:
        """Return the model's outputs for one batch; override it for a prediction of your own.

        Args:
            data: `(x,)`.
        """
        x, _, _ = unpack_x_y_sample_weight(data)
        return self._call(x, training=False)

    def get_compile_config(self) -> dict[str, Any]:
        """Return the arguments of compile() as a config, empty if the model is not compiled."""
        if self._compile_config is None:
            return {}
        return {name: serialization.serialize_keras_object(value) for name, value in self._compile_config.items()}

    def compile_from_config(self, config: dict[str, Any]) -> None:
        """Compile with the arguments in a config.

        Args:
            config: what `get_compile_config` returned.
        """
        if type(self).compile is not TrainingSteps.compile:
            warnings.warn("the model has a compile() of its own; call it after loading", stacklevel=2)
            return
        config = arguments.config_of(config, "compile_from_config")
        self.compile(**{name: serialization.deserialize_keras_object(value) for name, value in config.items()})
        if self.optimizer is not None and self.built:  # type: ignore[attr-defined]
            self.optimizer.build(self.trainable_variables)  # type: ignore[attr-defined]

    def _call(self, x: Any, training: bool) -> Any:
        # As in Keras, the layers of a model whose call() has no `training` are not told either.
        return self(x, training=training) if _takes_training(type(self).call) else self(x)  # type: ignore

    def _loss_of(self, x: Any, y: Any, y_pred: Any, sample_weight: Any, training: bool) -> Any:
        # An override may be written without `training`.
        options = {"training": training} if _takes_training(type(self).compute_loss) else {}
        with _core.Part("loss"):
            return self.compute_loss(x, y, y_pred, sample_weight, **options)

    def _track_loss(self, loss: Any, x: Any) -> None:
        with _core.Part("metrics/loss"):
            self._loss_tracker.update_state(loss, sample_weight=_batch_size(x))


@functools.cache
def _takes_training(function: Any) -> bool:
    parameters = inspect.signature(function).parameters
    return "training" in parameters or any(p.kind is p.VAR_KEYWORD for p in parameters.values())


def _batch_size(x: Any) -> int:
    return next(leaf.shape[0] for leaf in tree.flatten(x) if leaf is not None)
