"""Evaluate and predict with the moving averages of the weights."""

from __future__ import annotations

from pronghorn.callbacks.callback import Callback, Logs
from pronghorn.optimizers import LossScaleOptimizer
from pronghorn.tensor import Tensor
from pronghorn.variable import Variable


class SwapEMAWeights(Callback):
    """Puts the averages that an optimizer with `use_ema=True` keeps into the model while it is evaluated or predicts.

    Args:
        swap_on_epoch: whether they are in the model from the end of an epoch to the start of the next one too, so that
            callbacks after this one, such as `ModelCheckpoint`, see them.

    Raises:
        ValueError: where the optimizer keeps no averages.

    Example:
        >>> from pronghorn.callbacks import SwapEMAWeights
        >>> averaged = SwapEMAWeights()
    """

    def __init__(self, swap_on_epoch: bool = False) -> None:
        super().__init__()
        self.swap_on_epoch = swap_on_epoch
        # The variables and their own values while the averages are in their place.
        self._own: list[tuple[Variable, Tensor]] | None = None

    def _put_averages(self) -> None:
        if self._own is not None:
            return
        optimizer = self.model.optimizer
        if isinstance(optimizer, LossScaleOptimizer):
            optimizer = optimizer.inner_optimizer
        if not getattr(optimizer, "use_ema", False):
            raise ValueError("SwapEMAWeights: the optimizer must be made with use_ema=True")
        if not optimizer.built:
            raise ValueError("SwapEMAWeights: the optimizer has no averages yet; train the model first")
        variables = optimizer._trainable_variables
        self._own = [(variable, variable.value) for variable in variables]
        optimizer.finalize_variable_values(variables)

    def _put_back(self) -> None:
        for variable, value in self._own or ():
            variable.assign(value)
        self._own = None

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        if self.swap_on_epoch:
            self._put_back()

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        if self.swap_on_epoch:
            self._put_averages()

    def on_train_end(self, logs: Logs | None = None) -> None:
        self._own = None

    def on_test_begin(self, logs: Logs | None = None) -> None:
        self._put_averages()

    def on_test_end(self, logs: Logs | None = None) -> None:
        self._put_back()

    def on_predict_begin(self, logs: Logs | None = None) -> None:
        self._put_averages()

    def on_predict_end(self, logs: Logs | None = None) -> None:
        self._put_back()
